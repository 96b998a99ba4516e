package catalogs

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"dhbot/internal/strictyaml"
	"dhbot/internal/test/testenv"
	"dhbot/runbooks"
)

func builtinCatalogs(t testing.TB) Set {
	t.Helper()
	cs, err := Builtin()
	if err != nil {
		t.Fatalf("the builtin catalogs do not load:\n%v", err)
	}
	return cs
}

// overlay returns a directory that contains one file with this text.
func overlay(text string) fstest.MapFS {
	return fstest.MapFS{"site.yaml": {Data: []byte(text)}}
}

func TestProcessesOfBothGenerations(t *testing.T) {
	want := map[string]string{ // id and level
		"current": "configuration_server 1, authentication_server 1, db_acl_write_server 2, iris_controller 1, " +
			"log_aggregator_service 1, tailer1 2, db_dis 1, db_merge_server 2, db_query_server 1, db_tdcp 1, db_ltds 2, " +
			"status_dashboard 2, web_api_service 1, etcd 1, mariadb 1",
		"legacy-20200121": "configuration_server 1, authentication_server 1, db_acl_write_server 2, iris_controller 1, " +
			"log_aggregator_service 1, tailer1 2, db_rta 1, db_dis 1, db_merge_server 2, db_query_server 1, db_tdcp 1, db_ltds 1, " +
			"web_api_service 1, client_update_service 2, etcd 1, mariadb 1",
	}
	for _, c := range builtinCatalogs(t) {
		var got []string
		for _, p := range c.Processes() {
			n, _ := p.Level.Number()
			got = append(got, p.ID+" "+strconv.Itoa(n))
			if l := utf8.RuneCountInString(p.Impact); l > 165 || !strings.HasSuffix(p.Impact, ".") {
				t.Errorf("%s %s: an impact of %d characters is too long for a phone: %s", c.Name, p.ID, l, p.Impact)
			}
			for _, action := range []string{"logs", "restart", "start", "status", "stop"} {
				if !slices.Contains(p.Actions, action) {
					t.Errorf("%s %s: no action %s", c.Name, p.ID, action)
				}
			}
		}
		if diff := cmp.Diff(want[c.Name], strings.Join(got, ", ")); diff != "" {
			t.Errorf("%s: %s", c.Name, diff)
		}
	}
}

// TestNeedsHaveNoCycle checks that the needs have no cycle, because otherwise there is no start
// order.
func TestNeedsHaveNoCycle(t *testing.T) {
	for _, c := range builtinCatalogs(t) {
		state := map[string]int{} // 1 in progress, 2 done
		var visit func(id string)
		visit = func(id string) {
			if state[id] == 1 {
				t.Errorf("%s: %s needs itself, directly or indirectly", c.Name, id)
			}
			if state[id] != 0 {
				return
			}
			state[id] = 1
			p, _ := c.Process(id)
			for _, n := range p.Needs {
				visit(n.Process)
			}
			state[id] = 2
		}
		for _, p := range c.Processes() {
			visit(p.ID)
		}
	}
}

// seedLine is a row of testdata/seeds.tsv.
type seedLine struct{ catalog, process, what, command, source, line string }

func seedLines(t *testing.T) (rows []seedLine) {
	t.Helper()
	b, err := os.ReadFile("testdata/seeds.tsv")
	if err != nil {
		t.Fatal(err)
	}
	s := bufio.NewScanner(bytes.NewReader(b))
	for s.Scan() {
		if strings.HasPrefix(s.Text(), "#") {
			continue
		}
		f := strings.Split(s.Text(), "\t")
		if len(f) != 6 {
			t.Fatalf("seeds.tsv: want six columns: %q", s.Text())
		}
		rows = append(rows, seedLine{f[0], f[1], f[2], f[3], f[4], f[5]})
	}
	return rows
}

// TestCommandsMatchThePages compares every command of the catalogs, and the line of the page that it
// comes from, with a table that was written from the pages. A command that differs from its page
// must give the reason in corrected.
func TestCommandsMatchThePages(t *testing.T) {
	cs := builtinCatalogs(t)
	covered := map[string]bool{}
	for _, row := range seedLines(t) {
		c, _ := cs.Get(row.catalog)
		covered[row.catalog+" "+row.process+" "+row.what] = true
		got := stepFor(t, c, row.process, row.what)
		if got.Command != row.command || got.Source != row.source {
			t.Errorf("%s %s %s:\n got %s (%s)\nwant %s (%s)", row.catalog, row.process, row.what, got.Command, got.Source, row.command, row.source)
		}
		same := strings.Contains(strings.ReplaceAll(row.line, `"`, `'`), got.Command) || strings.Contains(got.Command, "{param.")
		if !same && got.Corrected == "" {
			t.Errorf("%s %s %s: %q differs from %s, which has %q; corrected must give the reason", row.catalog, row.process, row.what, got.Command, row.source, row.line)
		}
	}
	for _, c := range cs {
		for _, p := range c.Processes() {
			if key := c.Name + " " + p.ID + " log"; covered[key] != (len(p.Logs.App) > 0) {
				t.Errorf("%s: in seeds.tsv is %v", key, covered[key])
			}
			for _, action := range p.Actions {
				if key := c.Name + " " + p.ID + " "; !covered[key+action] && !covered[key+"="+action] {
					t.Errorf("%s%s is not in seeds.tsv", key, action)
				}
			}
		}
		for _, a := range c.Actions() {
			if a.Scope == AboutProcess {
				continue
			}
			v, err := c.viewAction(a, nil)
			if err != nil {
				t.Fatal(err)
			}
			// An action that consists of other actions has no command of its own, and neither has a
			// manual action.
			if key := c.Name + " - =" + a.Name; !a.uses() && v.Steps[0].Kind != runbooks.Manual && !covered[key] {
				t.Errorf("%s is not in seeds.tsv", key)
			}
		}
	}
}

// stepFor returns the step whose command is on the page.
func stepFor(t *testing.T, c *Catalog, process, what string) runbooks.StepView {
	t.Helper()
	action := "restart"
	if what == "status" {
		action = "status"
	}
	if name, is := strings.CutPrefix(what, "="); is {
		return mainOf(t, c, process, name)
	}
	a, err := c.Action(action, process)
	if err != nil {
		t.Fatal(err)
	}
	p, _ := c.Process(process)
	v, err := c.viewAction(a, p)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(v.Steps, func(s runbooks.StepView) bool {
		return what == "status" || what == "restart" && s.Kind == runbooks.Exec || what == "log" && s.Check == string(runbooks.Ready)
	})
	if i < 0 {
		t.Fatalf("%s %s: no step for %s", c.Name, process, what)
	}
	return v.Steps[i]
}

// mainOf returns the main step of an action, with its command and source.
func mainOf(t *testing.T, c *Catalog, process, action string) runbooks.StepView {
	t.Helper()
	process = strings.TrimPrefix(process, "-")
	a, err := c.Action(action, process)
	if err != nil {
		t.Fatal(err)
	}
	p, _ := c.Process(process)
	v, err := c.viewAction(a, p)
	if err != nil {
		t.Fatal(err)
	}
	return runbooks.StepView{Command: v.Command, Source: v.Source, Corrected: v.Corrected}
}

// TestSeedTableMatchesThePages compares the table with the pages, if these are available.
func TestSeedTableMatchesThePages(t *testing.T) {
	dir := testenv.Runbooks(t)
	line := func(source string) string {
		file, number, _ := strings.Cut(source, ":")
		b, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(b), "\n")
		n, err := strconv.Atoi(number)
		if err != nil || n > len(lines) {
			t.Fatalf("%s: there is no such line", source)
		}
		return strings.TrimSpace(lines[n-1])
	}
	for _, row := range seedLines(t) {
		if got := line(row.source); got != row.line {
			t.Errorf("%s %s %s: %s says %q, the table %q", row.catalog, row.process, row.what, row.source, got, row.line)
		}
	}
	for _, c := range builtinCatalogs(t) {
		for _, p := range c.Processes() {
			for _, n := range p.Needs {
				if sourceLine.MatchString(n.Source) && line(n.Source) == "" {
					t.Errorf("%s %s needs %s: %s is an empty line", c.Name, p.ID, n.Process, n.Source)
				}
			}
			for _, verb := range []string{"start", "stop"} {
				a, _ := c.Action(verb, p.ID)
				v, err := c.viewAction(a, &p)
				if err != nil {
					t.Fatal(err)
				}
				if got := line(v.Source); !strings.Contains(got, "monit") || v.Command != got && v.Corrected == "" && !strings.Contains(got, v.Command) {
					t.Errorf("%s %s %s: %q has the source %s, which says %q", c.Name, p.ID, verb, v.Command, v.Source, got)
				}
			}
		}
	}
}

// TestOnlyChangingActionsExecute checks what the gate and the engine rely on. A step that may
// change something is of kind exec, and the class of its action requires a lock and a record.
func TestOnlyChangingActionsExecute(t *testing.T) {
	cs, err := Load(os.DirFS("testdata/site"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cs {
		for _, a := range c.Actions() {
			for _, s := range a.Steps {
				if (s.Kind == runbooks.Exec || s.Kind == runbooks.Manual) && !a.Class.Changing() {
					t.Errorf("%s %s: class %s with a step of kind %s", c.Name, a.Name, a.Class, s.Kind)
				}
			}
			if a.Class.Changing() == (len(a.Locks) == 0 && !a.uses()) {
				t.Errorf("%s %s: class %s with locks %v", c.Name, a.Name, a.Class, a.Locks)
			}
		}
	}
	const sneaky = `
catalog: current
actions:
  - action: peek
    title: a read that writes
    processes: [db_dis]
    class: read
    steps: [{kind: exec, run: [touch, /tmp/x], check: exit 0, timeout: 5s}]
`
	if _, err := Load(overlay(sneaky)); err == nil || !strings.Contains(err.Error(), "cannot have a step of kind exec") {
		t.Errorf("a read with an exec step loaded: %v", err)
	}
}

// TestLoadReportsEveryProblemWithItsPlace loads samples that name the expected problems next to
// each mistake. Load must report exactly these problems.
func TestLoadReportsEveryProblemWithItsPlace(t *testing.T) {
	files, err := filepath.Glob("testdata/invalid/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no invalid samples: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Load(overlay(string(text)))
			var problems strictyaml.Problems
			if !errors.As(err, &problems) {
				t.Fatalf("it loaded, or failed with another error: %v", err)
			}
			want := map[int][]string{}
			for i, l := range strings.Split(string(text), "\n") {
				if _, says, ok := strings.Cut(l, "# ✗ "); ok {
					want[i+1] = strings.Split(says, " ✗ ")
				}
			}
			for _, p := range problems {
				if p.File != "site.yaml" || p.Column == 0 && p.Line > 0 {
					t.Errorf("no place: %v", p)
				}
				if !takeOut(want, p) {
					t.Errorf("unexpected: %v", p)
				}
			}
			for l, says := range want {
				t.Errorf("line %d: missing problem %q", l, says)
			}
		})
	}
}

// takeOut removes a reported problem from those that are expected on its line. It returns false if
// the problem was not expected.
func takeOut(want map[int][]string, p strictyaml.Problem) bool {
	line := max(p.Line, 1)
	for i, says := range want[line] {
		if strings.Contains(p.String(), says) {
			want[line] = append(want[line][:i:i], want[line][i+1:]...)
			if len(want[line]) == 0 {
				delete(want, line)
			}
			return true
		}
	}
	return false
}

func TestOverlayChangesKeysOfAProcess(t *testing.T) {
	cs, err := Load(overlay(`
catalog: current
monit: [sudo, dh_monit]
processes:
  - id: db_ltds
    level: 1
`))
	if err != nil {
		t.Fatal(err)
	}
	c, _ := cs.Get("current")
	p, _ := c.Process("db_ltds")
	if p.Level != runbooks.Critical || p.Title != "Local Table Data Server" || len(p.Needs) == 0 {
		t.Errorf("level %v, title %q, needs %v", p.Level, p.Title, p.Needs)
	}
	if got := stepFor(t, c, "db_ltds", "status").Command; got != "sudo dh_monit status db_ltds" {
		t.Error(got)
	}
	legacy, _ := cs.Get("legacy-20200121")
	if got := stepFor(t, legacy, "db_ltds", "status").Command; got != "sudo monit status db_ltds" {
		t.Errorf("the overlay of one catalog reached another: %s", got)
	}
}

// FuzzLoad loads random site files. The result must be catalogs that can be shown, or a
// strictyaml.Problems.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/*/*.yaml", "*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("%s: %v", pattern, err)
		}
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(b))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		cs, err := Load(overlay(text))
		if err != nil {
			var problems strictyaml.Problems
			if !errors.As(err, &problems) || len(problems) == 0 || cs != nil {
				t.Fatalf("%v, %v", cs, err)
			}
			return
		}
		for _, c := range cs {
			if _, err := c.View(); err != nil {
				t.Errorf("%s was loaded but cannot be shown: %v", c.Name, err)
			}
		}
	})
}
