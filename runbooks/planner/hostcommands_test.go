package planner

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/shell"

	"dhbot/internal/fleet"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

func TestIntPattern(t *testing.T) {
	for _, r := range [][2]int{{1, 500}, {0, 0}, {0, 9}, {1, 365}, {7, 7}, {10, 99}, {95, 1005}, {199, 201}, {0, 1000}} {
		re := regexp.MustCompile(intPattern(r[0], r[1]))
		for n := range 1200 {
			if got, want := re.MatchString(strconv.Itoa(n)), r[0] <= n && n <= r[1]; got != want {
				t.Errorf("%d in %v by %s: %v", n, r, re, got)
			}
		}
		if re.MatchString("07") || re.MatchString("") || re.MatchString("1 ") {
			t.Errorf("%s matches a text that is not a number", re)
		}
	}
}

// asRegexp returns a host command as a regular expression. The expression matches the command's
// words, each followed by a NUL.
func asRegexp(t *testing.T, c HostCommand) *regexp.Regexp {
	t.Helper()
	var b strings.Builder
	for _, w := range c.Words {
		b.WriteString("(?:")
		for _, p := range w.Parts {
			switch {
			case p.Text != "":
				b.WriteString(regexp.QuoteMeta(p.Text))
			case p.OneOf != nil:
				quoted := make([]string, len(p.OneOf))
				for i, s := range p.OneOf {
					quoted[i] = regexp.QuoteMeta(s)
				}
				b.WriteString("(?:" + strings.Join(quoted, "|") + ")")
			case p.Pattern != "":
				b.WriteString("(?:" + strings.TrimSuffix(strings.TrimPrefix(p.Pattern, "^"), "$") + ")")
			default:
				t.Fatalf("%s %s: an empty part: %+v", c.Action, c.Process, c.Words)
			}
		}
		most := fmt.Sprintf("{1,%d}", min(w.Most, 1000))
		if w.Optional {
			most = "?"
		}
		b.WriteString("\x00)" + most)
	}
	return regexp.MustCompile(`^(?:` + b.String() + `)$`)
}

// TestHostCommandsCoverPlans checks that every command that a plan sends to a host is one of the
// host's commands, because these determine the sudo rights.
func TestHostCommandsCoverPlans(t *testing.T) {
	p := testPlanner(t)
	covered := 0
	for _, name := range []string{"prod", "old", "site"} {
		cl, _ := p.Fleet.Cluster(name)
		c, _ := p.Catalogs.Get(cl.Catalog)
		patterns := map[string][]*regexp.Regexp{}
		for i := range cl.Hosts {
			h := &cl.Hosts[i]
			commands, err := HostCommands(c, cl, h)
			if err != nil {
				t.Fatal(err)
			}
			for _, cmd := range commands {
				patterns[h.Name] = append(patterns[h.Name], asRegexp(t, cmd))
			}
		}
		for _, in := range everyInput(c, cl) {
			plan, err := p.Plan(in)
			if err != nil {
				t.Errorf("%+v: %v", in, err)
				continue
			}
			for _, s := range slices.Concat(plan.Discover, plan.Steps) {
				argv := argvOf(t, s)
				if argv == "" {
					continue
				}
				covered++
				if !slices.ContainsFunc(patterns[s.Host], func(re *regexp.Regexp) bool { return re.MatchString(argv) }) {
					t.Errorf("%s %s on %s runs %q, which is none of the host's commands", in.Action, in.Process, s.Host, argv)
				}
			}
		}
	}
	if covered < 300 {
		t.Errorf("only %d commands were checked", covered)
	}
}

// argvOf returns the words of the step's command, each followed by a NUL. It returns "" if the
// command is incomplete or the step sends nothing.
func argvOf(t *testing.T, s runbooks.Step) string {
	t.Helper()
	if s.Sent == "" {
		return ""
	}
	words, err := shell.Fields(s.Command, nil)
	if err != nil {
		t.Fatalf("%s: %v", s.Command, err)
	}
	return strings.Join(words, "\x00") + "\x00"
}

// everyInput returns requests for every action of every process, host and cluster, with
// sample parameters.
func everyInput(c *catalogs.Catalog, cl *fleet.Cluster) (out []runbooks.Inputs) {
	add := func(a *catalogs.Action, process string, hosts []*fleet.Host) {
		in := runbooks.Inputs{Cluster: cl.Name, Action: a.Name, Process: process, Params: map[string]string{}, Minted: map[string]string{}}
		if (a.OneHost || a.Scope == catalogs.AboutHost) && len(hosts) > 1 {
			in.Hosts = []string{hosts[0].Name}
		}
		bare := in
		bare.Params = map[string]string{}
		for _, p := range a.Params {
			in.Params[p.Name] = sample(p)
			if !p.Optional {
				bare.Params[p.Name] = sample(p)
			}
		}
		for _, m := range a.Minted {
			in.Minted[m] = "20260209-140607-k3x7qa"
		}
		out = append(out, in, bare)
	}
	var all []*fleet.Host
	for i := range cl.Hosts {
		all = append(all, &cl.Hosts[i])
	}
	for _, p := range c.Processes() {
		for _, name := range p.Actions {
			if a, err := c.Action(name, p.ID); err == nil && len(cl.HostsOf(p.ID)) > 0 {
				add(a, p.ID, cl.HostsOf(p.ID))
			}
		}
	}
	for _, a := range c.Actions() {
		if a.Scope != catalogs.AboutProcess {
			add(a, "", all)
		}
	}
	return out
}

func sample(p catalogs.Param) string {
	for _, s := range append(slices.Clone(p.Choices), strconv.Itoa(p.Min), "2024-02-29", "schema-ro", "/main/config/schema/x", "Event", "2026-02-09 14:06:07 UTC", "pq-20260209-140607-k3x7qa.xml") {
		if p.Check(s) == "" {
			return s
		}
	}
	return ""
}
