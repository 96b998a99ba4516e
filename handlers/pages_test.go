package handlers

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dhbot/auth"
	"dhbot/internal/command"
	"dhbot/internal/command/parser"
	"dhbot/internal/fleet"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

var update = flag.Bool("update", false, "write docs/commands anew")

// wholeGrammar returns a grammar with one cluster for each catalog. Each cluster has one host,
// which runs every process of the catalog.
func wholeGrammar(t *testing.T) *command.Grammar {
	t.Helper()
	catalogs, err := catalogs.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet.Fleet{}
	for i, cat := range catalogs {
		h := fleet.Host{Name: "infra-1", Address: "infra-1:22", Login: "dhops"}
		for _, p := range cat.Processes() {
			h.Processes = append(h.Processes, p.ID)
		}
		f.Clusters = append(f.Clusters, fleet.Cluster{Name: fmt.Sprintf("c%d", i), Catalog: cat.Name, ACLs: fleet.ACLsInEtcd, Hosts: []fleet.Host{h}})
	}
	return &command.Grammar{Catalogs: catalogs, Fleet: f}
}

// Every example in the help is a valid command.
func TestExamplesMakePlans(t *testing.T) {
	g := wholeGrammar(t)
	now := func() time.Time { return time.Date(2026, 3, 14, 14, 0, 0, 0, time.UTC) }
	for _, cmd := range g.Commands() {
		if cmd.Action == "" {
			if _, err := parser.Parse(g, parser.Input{Text: cmd.Example, Channel: "C0"}); err != nil {
				if _, err = parser.Parse(only(g, 0), parser.Input{Text: cmd.Example}); err != nil {
					t.Errorf("%q: %v", cmd.Example, err)
				}
			}
			continue
		}
		fits := 0
		for i := range g.Fleet.Clusters {
			if !slices.ContainsFunc(only(g, i).Commands(), func(c command.Command) bool { return c.Verb == cmd.Verb && offers(only(g, i), c) }) {
				continue
			}
			fits++
			if _, err := PlanText(only(g, i), cmd.Example, now); err != nil {
				t.Errorf("%s: %q: %v", g.Fleet.Clusters[i].Catalog, cmd.Example, err)
			}
		}
		if fits == 0 {
			t.Errorf("%s is in no catalog", cmd.Verb)
		}
	}
}

// only returns the grammar with one of its clusters.
func only(g *command.Grammar, i int) *command.Grammar {
	return &command.Grammar{Catalogs: g.Catalogs, Fleet: &fleet.Fleet{Clusters: g.Fleet.Clusters[i : i+1]}}
}

// offers reports whether the grammar's only cluster has the command's action.
func offers(g *command.Grammar, cmd command.Command) bool {
	cat, _ := g.Catalogs.Get(g.Fleet.Clusters[0].Catalog)
	return slices.ContainsFunc(cat.Actions(), func(a *catalogs.Action) bool { return a.Name == cmd.Action })
}

// docs/commands has a page for each command, made from the command table.
func TestCommandPages(t *testing.T) {
	dir := filepath.Join("..", "docs", "commands")
	want := commandPages(t)
	if *update {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range want {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	there, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil || len(there) != len(want) {
		t.Errorf("docs/commands has %d pages, want %d (%v): run go test ./handlers -run CommandPages -update", len(there), len(want), err)
	}
	for name, text := range want {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || string(got) != text {
			t.Errorf("docs/commands/%s differs from the command table (%v): run go test ./handlers -run CommandPages -update", name, err)
		}
	}
}

func commandPages(t *testing.T) map[string]string {
	t.Helper()
	g := wholeGrammar(t)
	commands := slices.SortedFunc(slices.Values(g.Commands()), func(a, b command.Command) int { return strings.Compare(a.Verb, b.Verb) })
	var index strings.Builder
	index.WriteString("# Every command\n\nMade from the command table by `go test ./handlers -run CommandPages -update`; a test\n" +
		"compares these pages with the table. Each command works as `/dh …`, as a mention (in threads\ntoo), in a direct message, and as `bot do …` in a terminal.\n\n" +
		"| Command | Purpose | Class |\n|---|---|---|\n")
	pages := map[string]string{}
	for _, cmd := range commands {
		fmt.Fprintf(&index, "| [%s](%s.md) | %s | %s |\n", cmd.Verb, cmd.Verb, cmd.Summary, cmd.Class)
		pages[cmd.Verb+".md"] = commandPage(t, g, cmd)
	}
	pages["README.md"] = index.String()
	return pages
}

func commandPage(t *testing.T, g *command.Grammar, cmd command.Command) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s.\n\n", cmd.Verb, strings.ToUpper(cmd.Summary[:1])+cmd.Summary[1:])
	fmt.Fprintf(&b, "    /dh %s\n\nFor example `/dh %s`.", cmd.Usage, cmd.Example)
	if len(cmd.Aliases) > 0 {
		label := "Alias"
		if len(cmd.Aliases) > 1 {
			label = "Aliases"
		}
		fmt.Fprintf(&b, " %s: `%s`.", label, strings.Join(cmd.Aliases, "`, `"))
	}
	b.WriteString("\n\n")
	if text := takes(cmd, auth.Policy{}); text != "" {
		fmt.Fprintf(&b, "Class %s. %s\n\n", cmd.Class, text)
	}
	if len(cmd.Params) > 0 {
		b.WriteString("| Parameter | Meaning | Values | Required |\n|---|---|---|---|\n")
		for _, p := range cmd.Params {
			required := "yes"
			if p.Default != "" {
				required = "no (default " + p.Default + ")"
			} else if p.Optional {
				required = "no"
			}
			fmt.Fprintf(&b, "| `%s=` | %s | %s | %s |\n", p.Name, p.Help, p.Values(), required)
		}
		b.WriteString("\n")
	}
	if cmd.Action != "" {
		var steps strings.Builder
		for _, cat := range g.Catalogs {
			writeSteps(t, &steps, cat, cmd.Action)
		}
		b.WriteString(steps.String())
		if strings.Contains(steps.String(), "**") {
			b.WriteString("Steps in bold change something.\n")
		}
		b.WriteString("[procedures.md](../procedures.md) has the runbook page and line of each command.\n\n")
	}
	b.WriteString("[All commands](README.md)\n")
	return b.String()
}

// writeSteps writes the targets of an action in one generation, and its steps. If the steps of
// several processes differ only in names and logs, it shows the steps of one process only.
func writeSteps(t *testing.T, b *strings.Builder, cat *catalogs.Catalog, action string) {
	t.Helper()
	view, err := cat.View()
	if err != nil {
		t.Fatal(err)
	}
	type group struct {
		shown     catalogs.ActionView
		of        string // the process whose steps are shown
		processes []string
	}
	var groups []*group
	add := func(a catalogs.ActionView, process string) {
		if a.Action != action {
			return
		}
		i := slices.IndexFunc(groups, func(g *group) bool { return shapeOf(g.shown) == shapeOf(a) })
		if i < 0 {
			i = len(groups)
			groups = append(groups, &group{shown: a, of: process})
		}
		groups[i].processes = append(groups[i].processes, process)
		if process == "db_dis" {
			groups[i].shown, groups[i].of = a, process
		}
	}
	for _, p := range view.Processes {
		for _, a := range p.Actions {
			add(a, p.ID)
		}
	}
	for _, a := range view.Actions {
		add(a, "")
	}
	if len(groups) == 0 {
		return
	}
	fmt.Fprintf(b, "## In %s\n\n", cat.Name)
	for _, g := range groups {
		switch {
		case g.of == "":
		case len(g.processes) == 1:
			fmt.Fprintf(b, "For %s:\n\n", g.of)
		default:
			others := slices.DeleteFunc(slices.Clone(g.processes), func(p string) bool { return p == g.of })
			fmt.Fprintf(b, "The commands below are for %s. %s, only the process and log names in the commands differ.\n\n", g.of, inWords(others))
		}
		b.WriteString(stepLines(g.shown) + "\n")
	}
}

// inWords returns "For a", or "For the following processes (a, b)".
func inWords(processes []string) string {
	if len(processes) == 1 {
		return "For " + processes[0]
	}
	return "For the following processes (" + strings.Join(processes, ", ") + ")"
}

// shapeOf returns the steps of an action without the names in their commands.
func shapeOf(a catalogs.ActionView) string {
	var b strings.Builder
	for _, st := range a.Steps {
		var program []string
		for _, w := range strings.Fields(st.Command) {
			if !strings.Contains(w, "/") && len(program) < 3 {
				program = append(program, w)
			}
		}
		fmt.Fprintf(&b, "%s %s %s %s\n", st.Kind, st.Title, st.Check, strings.Join(program, " "))
	}
	return b.String()
}

// checks reports whether a manual step changes nothing. The title of such a step begins with
// "check".
func checks(st runbooks.StepView) bool { return strings.HasPrefix(st.Title, "check") }

func stepLines(a catalogs.ActionView) string {
	var b strings.Builder
	for i, st := range a.Steps {
		fmt.Fprintf(&b, "%d. ", i+1)
		title := st.Title
		if title != "" {
			title += ": "
		}
		switch {
		case st.Use != "":
			fmt.Fprintf(&b, "%s**%s %s**", title, st.Use, st.Process)
			if st.Only != "" {
				fmt.Fprintf(&b, " on %s", st.Only)
			}
			b.WriteString("\n")
		case st.Kind == runbooks.Manual && checks(st):
			fmt.Fprintf(&b, "By a person, %s: %s\n", st.Title, st.Command)
		case st.Kind == runbooks.Manual:
			fmt.Fprintf(&b, "**By a person, %s:** %s\n", st.Title, st.Command)
		case st.Kind == runbooks.Exec:
			fmt.Fprintf(&b, "%s**`%s`**\n", title, st.Command)
		default:
			fmt.Fprintf(&b, "%s`%s`\n", title, st.Command)
		}
	}
	return b.String()
}
