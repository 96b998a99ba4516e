package planner_test

import (
	"bufio"
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dhbot/auth"
	"dhbot/internal/test/testenv"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

var update = flag.Bool("update", false, "write docs/procedures.md anew")

// procedure is one line of a page, and the action that offers it.
type procedure struct {
	page          string
	line          int
	catalog, what string // for example "current", "restart db_dis"; both "" if left out
	how           string // "read", "action", "checklist" or "left out"
	class         runbooks.Class
	votes         int
	command       string
	manual        bool // a person does it
	remark        string
}

// extra is a row of testdata/procedures.tsv.
type extra struct{ source, words, offered, remark string }

func extras(t *testing.T) (out []extra) {
	t.Helper()
	b, err := os.ReadFile("testdata/procedures.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		if strings.HasPrefix(s.Text(), "#") {
			continue
		}
		f := strings.Split(s.Text(), "\t")
		if len(f) != 4 || f[2] == "left out" && f[3] == "" {
			t.Fatalf("procedures.tsv: want four columns, and a reason for what is left out: %q", s.Text())
		}
		out = append(out, extra{f[0], f[1], f[2], f[3]})
	}
	return out
}

var source = regexp.MustCompile(`^([a-z0-9-]+\.md):([0-9]+)$`)

// how returns how an action is offered.
func how(a catalogs.ActionView) string {
	manual := func(s runbooks.StepView) bool { return s.Kind == runbooks.Manual }
	switch {
	case !a.Class.Changing():
		return "read"
	case slices.ContainsFunc(a.Steps, func(s runbooks.StepView) bool { return s.Kind == runbooks.Exec && s.Use == "" }):
		return "action"
	case slices.ContainsFunc(a.Steps, manual):
		return "checklist"
	default:
		return "action"
	}
}

// offered is one action of one process, or of a host or the cluster.
type offered struct {
	catalog, what string
	view          catalogs.ActionView
}

func everyAction(t *testing.T) (out []offered) {
	t.Helper()
	cs, err := catalogs.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cs {
		v, err := c.View()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range v.Processes {
			for _, a := range p.Actions {
				out = append(out, offered{c.Name, a.Action + " " + p.ID, a})
			}
		}
		for _, a := range v.Actions {
			out = append(out, offered{c.Name, a.Action, a})
		}
	}
	return out
}

// procedures returns the lines of the pages with their actions. A line that is the main command
// of an action belongs to that action. Any other line belongs to every action that has a step
// from it.
func procedures(t *testing.T) (out []procedure) {
	t.Helper()
	policy := auth.Policy{Sev1Votes: 1, DestructiveVotes: 2}
	add := func(o offered, src, command, remark string, manual bool) {
		m := source.FindStringSubmatch(src)
		if m == nil {
			return // a public page
		}
		n, _ := strconv.Atoi(m[2])
		out = append(out, procedure{
			page: m[1], line: n, catalog: o.catalog, what: o.what, how: how(o.view), class: o.view.Class,
			votes: policy.VotesNeeded(o.view.Class, o.view.Level), command: command, manual: manual, remark: remark,
		})
	}
	all := everyAction(t)
	main := map[string]bool{}
	for _, o := range all {
		if how(o.view) != "checklist" && !strings.HasPrefix(o.what, "restart-") {
			main[o.view.Source] = true
		}
	}
	for _, o := range all {
		steps := slices.DeleteFunc(slices.Clone(o.view.Steps), func(s runbooks.StepView) bool {
			return s.Use != "" || main[s.Source] && s.Source != o.view.Source || main[s.Source] && how(o.view) == "checklist"
		})
		seen := map[string]bool{}
		for _, s := range steps {
			switch {
			case seen[s.Source]:
			case s.Source == o.view.Source && s.Kind != runbooks.Manual:
				add(o, s.Source, o.view.Command, o.view.Corrected, false)
			default:
				add(o, s.Source, s.Command, s.Corrected, s.Kind == runbooks.Manual)
			}
			seen[s.Source] = true
		}
	}
	for _, e := range extras(t) {
		if e.offered == "left out" {
			m := source.FindStringSubmatch(e.source)
			n, _ := strconv.Atoi(m[2])
			out = append(out, procedure{page: m[1], line: n, how: "left out", command: e.words, remark: e.remark})
			continue
		}
		i := slices.IndexFunc(all, func(o offered) bool {
			legacy := strings.Contains(e.source, "-20200121.md")
			return o.what == e.offered && legacy == (o.catalog != "current")
		})
		if i < 0 {
			t.Errorf("%s is offered by %q, which is not in the catalog of its generation", e.source, e.offered)
			continue
		}
		add(all[i], e.source, e.words, e.remark, how(all[i].view) == "checklist")
	}
	slices.SortStableFunc(out, func(a, b procedure) int {
		return cmp.Or(cmp.Compare(a.page, b.page), cmp.Compare(a.line, b.line), cmp.Compare(a.what, b.what))
	})
	return out
}

const proceduresHead = `# Every procedure of the runbooks

Made from the catalogs by ` + "`go test ./runbooks/planner -run TestProceduresDocument -update`" + `; a test
compares this page with the catalogs. First come all commands of the bot, then each line of
the runbook pages that describes a procedure, with what the bot offers for the procedure.

- A **read** queries something and changes nothing. The bot executes an **action** step by
  step and checks each step. A **checklist** is for a person: the bot shows one step at a
  time, waits for ` + "`done R-…`" + ` or a tap, and records who completed the step. What the bot can
  check or restart itself, it does. **A person's step** is a manual step within
  an action. A line that is **left out** has a reason.
- **Approvals** is how many other people have to approve a request under the default
  policy. The requester does not count. ` + "`bot plan COMMAND…`" + ` shows the exact commands of a
  request and changes nothing.
- The **class** is what a command can do: read; sensitive (a read that needs the role data
  and answers by direct message); writes (writes a file and stops nothing); disruptive;
  destructive (cannot be undone). The last three need the role operators.
- The bot replaces the parts in braces: {param.…} by what you type, {listed.…} by what it
  has found and shows on the card before the approval, {minted.…} by a new name.
- Every command works as ` + "`/dh …`, as `@dh …` in a thread, and as `bot do …`" + ` in a shell. A
  reason may follow: ` + "`/dh restart db_dis disk was full, freed 40 GB`" + `.
`

// index returns a table of all commands with their parameters.
func index(t *testing.T) string {
	t.Helper()
	policy := auth.Policy{Sev1Votes: 1, DestructiveVotes: 2}
	type row struct {
		ask, title, how, votes string
		class                  runbooks.Class
		in                     []string
	}
	var rows []*row
	for _, o := range everyAction(t) {
		verb, process, _ := strings.Cut(o.what, " ")
		r := row{ask: verb, title: o.view.Title, how: how(o.view), class: o.view.Class, in: []string{o.catalog},
			votes: strconv.Itoa(policy.VotesNeeded(o.view.Class, o.view.Level))}
		cs, _ := catalogs.Builtin()
		c, _ := cs.Get(o.catalog)
		a, err := c.Action(verb, process)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case a.Scope == catalogs.AboutHost:
			r.ask += " HOST"
		case len(a.Processes) == 1 && len(a.Params) > 0 && verb != "logs": // the process is implied
		case len(a.Processes) == 1:
			r.ask += " " + process
		case process != "":
			r.ask += " PROCESS"
		}
		if process != "" && a.Level == runbooks.Unknown && o.view.Class.Changing() && o.view.Class != runbooks.Destructive {
			r.votes = "1 for Sev 1, else 0"
		}
		for _, p := range o.view.Params {
			word := p.Name + "=" + cmp.Or(strings.Join(p.Choices, "\\|"), string(p.Type))
			if p.Type == catalogs.FlagsParam {
				word = p.Name + "=" + p.Default
			}
			if p.Optional || p.Default != "" {
				word = "[" + word + "]"
			}
			r.ask += " " + word
		}
		i := slices.IndexFunc(rows, func(q *row) bool { return q.ask == r.ask && q.title == r.title })
		switch {
		case i < 0:
			rows = append(rows, &r)
		case !slices.Contains(rows[i].in, o.catalog):
			rows[i].in = append(rows[i].in, o.catalog)
		}
	}
	slices.SortStableFunc(rows, func(a, b *row) int { return cmp.Compare(a.ask, b.ask) })
	var b strings.Builder
	b.WriteString("\n## What can be requested\n\n| Command | What it does | Offered as | Class | Approvals | Generation |\n|---|---|---|---|---|---|\n")
	for _, r := range rows {
		in := strings.Join(r.in, ", ")
		if len(r.in) > 1 {
			in = "both"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", r.ask, r.title, r.how, r.class, r.votes, in)
	}
	return b.String()
}

// document returns docs/procedures.md.
func document(all []procedure, index string) string {
	var b strings.Builder
	b.WriteString(proceduresHead)
	b.WriteString(index)
	page, last := "", procedure{}
	cell := func(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
	for _, p := range all {
		if p.page != page {
			page = p.page
			fmt.Fprintf(&b, "\n## %s\n\n| Line | Command or step | Offered as | Bot command | Class | Approvals | Remark |\n|---|---|---|---|---|---|---|\n", page)
		}
		if last.page == p.page && last.line == p.line && last.what == p.what {
			continue // the other generation offers the same
		}
		last = p
		what, class, votes := "", "", ""
		if p.how != "left out" {
			what, class, votes = "`"+p.what+"`", string(p.class), strconv.Itoa(p.votes)
		}
		command, how := "`"+strings.Trim(p.command, "`")+"`", p.how
		if p.manual {
			command = p.command
		}
		if p.manual && how == "action" {
			how = "a person's step"
		}
		fmt.Fprintf(&b, "| %d | %s | %s | %s | %s | %s | %s |\n", p.line, cell(command), how, what, class, votes, cell(p.remark))
	}
	b.WriteString("\n## Left out on purpose\n\n| Page | Command | Why |\n|---|---|---|\n")
	for _, p := range all {
		if p.how == "left out" {
			fmt.Fprintf(&b, "| %s:%d | `%s` | %s |\n", p.page, p.line, cell(strings.Trim(p.command, "`")), cell(p.remark))
		}
	}
	return b.String()
}

// TestProceduresDocument compares docs/procedures.md with the catalogs.
func TestProceduresDocument(t *testing.T) {
	file := filepath.Join("..", "..", "docs", "procedures.md")
	want := document(procedures(t), index(t))
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/procedures.md differs from the catalogs; run go test ./runbooks/planner -run TestProceduresDocument -update")
	}
}

// commandLine matches a command on the pages. Some pages have lost their code blocks.
var commandLine = regexp.MustCompile(`^(?:sudo|cat|ls|cd|mv|rm|cp|echo|monit|journalctl|openssl|htpasswd|STOREPASS=|/usr/illumon)\b|sudo [a-z/-]|/usr/illumon/latest/|^/(?:etc|var)/\S+$|^--retainSerial`)

// notAProcedure matches lines that look like commands but are not.
var notAProcedure = regexp.MustCompile(`privileges to sudo|accounts? .*sudo to|able to sudo|^Sudo access|^STOREPASS.*never$|^> /|^/etc/sysconfig/illumon.d/auth/|^/etc/sysconfig/illumon.d/resources/(?:iris-query-server|web_api_service)\.prop$|^/etc/lighttpd/illumon-cus\.user$|^/db/|^/etc/sysconfig/illumon.d/resources/\S+\.prop$|copy files from a server`)

// TestEveryCommandOfThePagesIsOffered searches the pages, if available. Every command on them
// must be in a catalog or in the table, and the table must quote it exactly.
func TestEveryCommandOfThePagesIsOffered(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testenv.Runbooks(t), "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, o := range everyAction(t) {
		for _, s := range o.view.Steps {
			known[s.Source] = true
		}
	}
	lines := map[string]string{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(b), "\n") {
			lines[filepath.Base(file)+":"+strconv.Itoa(i+1)] = strings.Trim(strings.TrimSpace(line), "`")
		}
	}
	for _, e := range extras(t) {
		if !strings.Contains(lines[e.source], strings.Trim(e.words, "`")) {
			t.Errorf("%s says %q, the table %q", e.source, lines[e.source], e.words)
		}
		if known[e.source] {
			t.Errorf("%s is already the source of a step", e.source)
		}
		known[e.source] = true
	}
	for source := range known {
		if _, ok := lines[source]; !ok && strings.Contains(source, ".md:") {
			t.Errorf("%s: there is no such line", source)
		}
		if text, ok := lines[source]; ok && text == "" {
			t.Errorf("%s is an empty line", source)
		}
	}
	for source, line := range lines {
		if commandLine.MatchString(line) && !notAProcedure.MatchString(line) && !known[source] {
			t.Errorf("no action offers %s: %s", source, line)
		}
	}
}
