package observe

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"dhbot/internal/observe/complaint"
	"dhbot/internal/redact"
	"dhbot/internal/remote"
)

var (
	// unitHead begins `systemctl status`: "● dh-etcd.service - Deephaven …". In the C locale the
	// mark is a letter or an asterisk; the replacement systemctl prints no mark.
	unitHead = regexp.MustCompile(`^(?:[●○◌×↻*xo] )?(\S+\.(?:service|socket|target|device|mount|automount|swap|timer|path|slice|scope))(?: - .*)?$`)
	// unitField is a line of `systemctl status`; unitActive is the value of the line "Active".
	unitField  = regexp.MustCompile(`^\s+([A-Z][A-Za-z ]*): (.*)$`)
	unitActive = regexp.MustCompile(`^([a-z]+)(?: \(([^):]*)\))?(?: \(([a-z-]+)\))?(?: \(Result: ([^)]*)\))?(?: since ([^;]+)(?:; (.+) ago)?)?$`)
	// unitReason is why a unit file is not loaded.
	unitReason = regexp.MustCompile(`\(Reason: (.*)\)$`)
	// unitPID matches the pid of a live main process. After the pid of a dead main process comes
	// "(code=…".
	unitPID = regexp.MustCompile(`^(\d+) \([^)=]*\)$`)
)

// unit is systemd's report of a unit, from `systemctl status` or `systemctl show`.
type unit struct {
	load, reason         string
	active, sub, freezer string
	result               string
	skipped              bool // a condition of its unit file was not met
	pid                  int
	since, ago           string
}

// sameUnit has alternative names of units. If systemctl is asked about one name, the answer may
// have the other name.
var sameUnit = map[string]string{"mysql.service": "mariadb.service", "mysqld.service": "mariadb.service"}

// readSystemd parses the answer of `systemctl status UNIT` or of `systemctl show UNIT`. Exit codes:
// 0 active, 3 not active, 4 no such unit.
func (o *Observation) readSystemd(r remote.Result) {
	name := o.Service
	if !strings.Contains(name, ".") {
		name += ".service"
	}
	// The replacement systemctl exits with 3 for an unknown unit.
	if missing := "Unit " + name + " could not be found."; r.Exit != 0 && (complaint.Said(r, missing) || complaint.Said(r, "ERROR:systemctl:"+missing)) {
		o.missing(missing)
		return
	}
	if r.Exit != 0 && r.Exit != 3 {
		o.Why = complaint.Failure("systemctl", r)
		return
	}
	out := redact.Clean(r.Stdout.String())
	u, ok := unitShown(out)
	if !ok {
		u, ok = unitStatus(out, name)
	}
	switch {
	case ok:
		o.fromUnit(u)
	case r.Stdout.Total == 0:
		o.Why = complaint.Failure("systemctl", r)
	default:
		o.Why = "systemd's answer has no unit named exactly " + name + otherUnit(out)
	}
}

// otherUnit returns the end of the message that an answer is not about the queried unit: which unit
// it is about, and what to do. It returns "" if the answer names no unit.
func otherUnit(out string) string {
	for line := range strings.Lines(out) {
		if head := unitHead.FindStringSubmatch(strings.TrimRight(line, "\n ")); head != nil {
			return fmt.Sprintf(": it has %s instead; if that is the same service with another name, use that name in the catalog", head[1])
		}
	}
	return ""
}

// fromUnit evaluates systemd's report.
func (o *Observation) fromUnit(u unit) {
	o.Status = u.active
	if u.sub != "" {
		o.Status += " (" + u.sub + ")"
	}
	if u.freezer != "" {
		o.Status += " (" + u.freezer + ")"
	}
	o.Status = redact.Line(o.Status, LineLimit)
	o.Line = "Active: " + o.Status
	o.PID, o.Uptime = u.pid, u.ago
	o.Collected = u.since
	o.State = u.state()
	if u.load == "not-found" && (o.State != Up || u.pid == 0) {
		o.State = Missing
		return
	}
	if o.State == Unseen {
		o.Why = fmt.Sprintf("systemd's status %q is unknown", o.Status)
	}
	if u.failedResult() {
		o.Trouble = "result " + redact.Line(u.result, LineLimit)
	}
	if o.State == Up {
		o.runningUnit(u)
	} else {
		o.PID, o.Note = 0, u.whyDown(o.State)
	}
}

// runningUnit adds the problems of a running unit.
func (o *Observation) runningUnit(u unit) {
	// A unit that systemd could not start again has lost its configuration. The problem appears
	// only at the next start.
	o.ConfigMissing = u.notLoaded()
	switch {
	case u.freezer != "":
		o.State, o.Trouble = Trouble, u.freezer+": its processes are stopped (systemctl thaw)"
	case u.failedResult():
		o.State = Trouble
	}
}

func (u unit) failedResult() bool { return u.result != "" && u.result != "success" }

// notLoaded returns why systemd could not start the unit again, or "" if it could.
func (u unit) notLoaded() string {
	why := ""
	if u.reason != "" {
		why = " (" + redact.Line(u.reason, LineLimit) + ")"
	}
	switch u.load {
	case "loaded", "merged", "stub", "":
		return ""
	case "not-found":
		return "its unit file no longer exists: once stopped it cannot be started"
	case "masked":
		return "its unit is masked: systemd will not start it"
	case "bad-setting":
		return "its unit file has a bad setting" + why + ": systemd will not start it"
	case "error":
		return "its unit file could not be loaded" + why + ": systemd will not start it"
	default:
		return fmt.Sprintf("its unit file has the unknown state %q%s", redact.Line(u.load, LineLimit), why)
	}
}

// resultWords explains systemd's results of a service (systemd.exec, "Result").
var resultWords = map[string]string{
	"exit-code":       "it ended with an error code",
	"signal":          "it was ended by a signal",
	"core-dump":       "it crashed and dumped core",
	"timeout":         "it did not start or stop in time and was ended",
	"watchdog":        "it did not answer systemd's watchdog and was ended",
	"start-limit-hit": "it was started too often in a short time (start-limit-hit)",
	"start-limit":     "it was started too often in a short time (start-limit)",
	"oom-kill":        "the kernel ended it for lack of memory",
	"protocol":        "it did not report its start as its unit file requires",
	"resources":       "systemd did not have what it needs to start this unit (such as memory, a directory or a file descriptor)",
	"exec-condition":  "its ExecCondition failed",
}

// whyDown explains why a unit does not run, and whether systemd will start it again; "" if the
// state says enough.
func (u unit) whyDown(s State) string {
	var why []string
	if u.failedResult() {
		words := resultWords[u.result]
		if words == "" {
			words = "its result is " + redact.Line(u.result, LineLimit)
		}
		why = append(why, words)
	}
	if u.skipped {
		why = append(why, "systemd skipped its start: a condition of its unit file is not met")
	}
	if not := u.notLoaded(); not != "" {
		why = append(why, not)
	} else if s == Failed {
		why = append(why, "systemd has given up and will not start it again: read the unit's journal, then run `systemctl reset-failed UNIT` and start the unit")
	}
	return strings.Join(why, "; ")
}

// state returns the state for systemd's active state and substate. All their values are in
// systemd's unit-def.c.
func (u unit) state() State {
	if strings.HasSuffix(u.sub, "-before-auto-restart") {
		return Recovering
	}
	switch u.active {
	case "active":
		switch u.sub {
		case "running":
			return Up
		case "exited":
			return Down // the unit is active and none of its processes runs
		default:
			return Unseen
		}
	case "reloading", "refreshing":
		return Up
	case "activating":
		if strings.HasPrefix(u.sub, "auto-restart") {
			return Recovering // died; systemd restarts it after a pause
		}
		return Starting
	case "deactivating":
		return Stopping
	case "inactive", "maintenance":
		return Down
	case "failed":
		return Failed
	default:
		return Unseen
	}
}

// unitShown parses the output of `systemctl show`, which has one KEY=VALUE per line.
func unitShown(out string) (unit, bool) {
	shown := map[string]string{}
	for line := range strings.Lines(out) {
		key, value, ok := strings.Cut(strings.TrimRight(line, "\n"), "=")
		if ok && !strings.ContainsAny(key, " \t") {
			shown[key] = value
		}
	}
	u := unit{
		load: shown["LoadState"], reason: shown["LoadError"], active: shown["ActiveState"], sub: shown["SubState"],
		result: shown["Result"], since: shown["ExecMainStartTimestamp"], skipped: shown["ConditionResult"] == "no" &&
			shown["ConditionTimestamp"] != "",
	}
	if f := shown["FreezerState"]; f != "running" {
		u.freezer = f
	}
	if n, err := strconv.Atoi(shown["MainPID"]); err == nil && n > 0 {
		u.pid = n
	}
	return u, u.load != "" && u.active != "" && u.sub != ""
}

// unitStatus parses the format of `systemctl status`, up to the empty line before the unit's own
// log.
func unitStatus(out, name string) (unit, bool) {
	var u unit
	inside := false
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\n ")
		if !inside {
			head := unitHead.FindStringSubmatch(line)
			inside = head != nil && (head[1] == name || head[1] == sameUnit[name])
			continue
		}
		if line == "" {
			break
		}
		if field := unitField.FindStringSubmatch(line); field != nil {
			u.field(field[1], field[2])
		}
	}
	return u, u.active != ""
}

// field parses one line of `systemctl status`. If Loaded, Active or Main PID has several lines, the
// first line that can be parsed counts. Of Condition and Assert, the last line counts.
func (u *unit) field(name, value string) {
	switch name {
	case "Loaded":
		if u.load != "" {
			return
		}
		u.load, _, _ = strings.Cut(value, " ")
		if m := unitReason.FindStringSubmatch(value); m != nil {
			u.reason = m[1]
		}
	case "Active":
		if m := unitActive.FindStringSubmatch(value); m != nil && u.active == "" {
			u.active, u.sub = m[1], m[2]
			u.freezer, u.result = m[3], m[4]
			u.since, u.ago = m[5], m[6]
		}
	case "Condition", "Assert":
		u.skipped = strings.Contains(value, " failed at ")
	case "Main PID":
		if m := unitPID.FindStringSubmatch(value); m != nil && u.pid == 0 {
			u.pid, _ = strconv.Atoi(m[1])
		}
	}
}
