package lint

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// destructive finds commands that delete without first listing what they will delete.
func destructive(_ *check, call *call) []string {
	switch call.program() {
	case "rm":
		open := slices.ContainsFunc(call.operands(), func(w word) bool { return w.glob || strings.ContainsAny(w.text, "[<") })
		switch {
		case call.has("-r", "-R", "--recursive") && open:
			return one("this deletes whole directories without listing them, and cannot be undone: list them first (ls -d), and delete exactly the listed directories")
		case call.has("-r", "-R", "--recursive"):
			return one("this deletes a whole directory and cannot be undone: list the directory first")
		case open:
			return one("this deletes every file that the pattern matches, and cannot be undone: list the files first (ls), and delete exactly the listed files")
		}
	case "backup_deephaven":
		if call.has("--retain") {
			return one("--retain deletes older backups once this backup succeeds: list the older backups first")
		}
	case "dhconfig", "iris":
		if call.has("--retainSerial") && strings.Contains(call.text, "--retainSerial=replace") {
			return one("--retainSerial=replace overwrites queries with the same serial: export the queries first")
		}
	case "mkfs", "dd", "shred":
		return one("%s overwrites existing data and cannot be undone: show that data first", call.program())
	}
	return nil
}

var (
	secretOption      = regexp.MustCompile(`(?i)^--?(password|passwd|passout|passin|storepass|keypass|user-password)(=|$)`)
	secretPlaceholder = regexp.MustCompile(`(?i)^<[^>]*passw[^>]*>$`)
)

// secret finds a secret among the arguments, which all users of the host can see in the list of
// processes.
func secret(_ *check, call *call) []string {
	args := call.args()
	for i, w := range args {
		shown := w.secret || strings.HasPrefix(w.text, "pass:") || secretPlaceholder.MatchString(w.text)
		if !shown && secretOption.MatchString(w.text) {
			_, value, given := strings.Cut(w.text, "=")
			if !given && i+1 < len(args) {
				value = args[i+1].text
			}
			shown = value != "" && !strings.HasPrefix(value, "-") && !strings.HasPrefix(value, "file:") &&
				!strings.HasPrefix(value, "env:") &&
				value != "stdin"
		}
		if shown {
			return one("a secret is on the command line, where ps shows it to every user: use a file or standard input")
		}
	}
	return nil
}

// sharedTmp finds a fixed name in a directory where any user could create it first.
func sharedTmp(_ *check, call *call) []string {
	if call.sudo == nil {
		return nil
	}
	for _, w := range append(slices.Clone(call.args()), call.writes...) {
		_, at, option := strings.Cut(w.text, "=")
		if !option {
			at = w.text
		}
		if strings.HasPrefix(at, "/tmp/") && !w.subst && !w.vars && !w.glob {
			return one("%s is a fixed name in a shared directory: another user may have created a link or a file there, and %s would use that; use a private directory and a new name", at, call.user())
		}
	}
	return nil
}

// snapshot finds `etcdctl snapshot` commands that can fail, because they name no endpoint or more
// than one file, and commands whose file name is known only when they run.
func snapshot(_ *check, call *call) (out []string) {
	ops := call.operands()
	if p := call.program(); p != "etcdctl.sh" && p != "etcdctl" || len(ops) < 2 || ops[0].text != "snapshot" {
		return nil
	}
	switch ops[1].text {
	case "save":
		if !call.has("--endpoints") {
			out = append(out, "a snapshot is taken from one member: etcdctl refuses a client configuration with several endpoints; add --endpoints with one endpoint")
		}
		if slices.ContainsFunc(ops, func(w word) bool { return w.subst }) {
			out = append(out, "the name is computed when the line runs: an approver does not see the name, and the next command cannot know it; write a fixed name")
		}
	case "status":
		if slices.ContainsFunc(ops, func(w word) bool { return w.glob }) {
			out = append(out, "snapshot status takes one file and fails if two match: list the files, and name one file")
		}
	}
	return out
}

var backupName = regexp.MustCompile(`(?i)\.(org|orig|bak|old|save)$`)

// twice finds commands that do harm when a block runs a second time.
func (c *check) twice() {
	for i, a := range c.calls {
		for _, w := range a.appends {
			c.report(a.line, "not-twice", "run twice, this appends to "+w.text+" twice: check first whether the line exists")
		}
		ops := a.operands()
		if a.program() != "cp" || len(ops) != 2 || a.has("-n", "--no-clobber") {
			continue
		}
		from, to := ops[0].text, ops[1].text
		if backupName.MatchString(to) && strings.TrimSuffix(path.Base(to), path.Ext(to)) == path.Base(from) {
			c.report(a.line, "not-twice", "run twice, this overwrites the backup "+path.Base(to)+" with the changed file: write cp -n")
		}
		for _, b := range c.calls[i+1:] {
			if slices.ContainsFunc(b.writes, func(w word) bool { return w.text == from }) && len(b.appends) == 0 {
				c.report(
					a.line, "not-twice", "run twice, this overwrites "+to+" with the "+from+" that line "+strconv.Itoa(b.line)+" has changed: check first whether "+to+" exists",
				)
			}
		}
	}
}
