package handlers

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"dhbot/internal/fleet"
	"dhbot/runbooks"
)

// testGrammar knows two clusters: prod with three hosts, qa with one.
func testGrammar(t testing.TB) *Grammar {
	t.Helper()
	catalogs, err := runbooks.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	host := func(name string, processes ...string) fleet.Host {
		return fleet.Host{Name: name, Address: name + ":22", Login: "dhops", Processes: processes}
	}
	return &Grammar{
		Catalogs: catalogs,
		Channels: map[string]string{"C1": "prod", "CQ": "qa"},
		Fleet: &fleet.Fleet{Clusters: []fleet.Cluster{
			{Name: "prod", Catalog: "current", ACLs: fleet.ACLsInEtcd, Hosts: []fleet.Host{
				host("infra-1", "configuration_server", "authentication_server", "iris_controller", "db_dis", "db_ltds", "tailer1", "etcd", "mariadb"),
				host("query-1", "db_query_server", "db_tdcp", "tailer1", "etcd"),
				host("query-2", "db_query_server", "db_tdcp", "tailer1", "etcd"),
			}},
			{Name: "qa", Catalog: "legacy-20200121", ACLs: fleet.ACLsInMySQL, Hosts: []fleet.Host{host("qa-1", "db_dis", "client_update_service")}},
		}},
	}
}

func TestParse(t *testing.T) {
	g := testGrammar(t)
	for _, c := range []struct {
		text, verb, process, host, cluster, rest string
	}{
		{"status db_dis", "status", "db_dis", "", "prod", ""},
		{"status", "status", "", "", "prod", ""},
		{"status infra-1", "status", "", "infra-1", "prod", ""},
		{"status prod", "status", "", "", "prod", ""},
		{"status on query-1", "status", "", "query-1", "prod", ""},
		{"status in qa", "status", "", "", "qa", ""},
		{"STATUS DB_DIS", "status", "db_dis", "", "prod", ""},
		{"Status dis", "status", "db_dis", "", "prod", ""},
		{"restart db_dis disk was full, freed 40 GB", "restart", "db_dis", "", "prod", "disk was full, freed 40 GB"},
		{"restart db_tdcp on query-2 stuck", "restart", "db_tdcp", "query-2", "prod", "stuck"},
		{"restart db_dis in qa on qa-1 stuck", "restart", "db_dis", "qa-1", "qa", "stuck"},
		{"restart controller on a whim", "restart", "iris_controller", "", "prod", "on a whim"},
		{"restart db_dis in the middle of the night", "restart", "db_dis", "", "prod", "in the middle of the night"},
		{"restart “db_dis” because", "restart", "db_dis", "", "prod", "because"},
		{"restart <http://db_dis|db_dis>", "restart", "db_dis", "", "prod", ""},
		{"restart db_dis\u00a0on\u00a0infra-1", "restart", "db_dis", "infra-1", "prod", ""},
		{"restart db_dis disk=full", "restart", "db_dis", "", "prod", "disk=full"},
		{"bounce db_dis\nrm -rf /", "restart", "db_dis", "", "prod", "rm -rf /"},
		{"restart cus in qa", "restart", "client_update_service", "", "qa", ""},
	} {
		got, err := g.parse(Message{Text: c.text, Channel: "C1"})
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		host := ""
		if got.host != nil {
			host = got.host.Name
		}
		if got.cmd.Verb != c.verb || got.processID() != c.process || host != c.host || got.cluster.Name != c.cluster || got.rest != c.rest {
			t.Errorf("%q: verb %q process %q host %q cluster %q rest %q", c.text, got.cmd.Verb, got.processID(), host, got.cluster.Name, got.rest)
		}
	}
}

// TestParseRefuses holds what must never be understood as a command, and what
// is answered instead.
func TestParseRefuses(t *testing.T) {
	g := testGrammar(t)
	for _, c := range []struct{ text, suggest string }{
		{"restart db_diss", "restart db_dis"},
		{"restart db_dis; rm -rf /", "restart db_dis"},
		{"restart $(reboot)", ""},
		{"restart `reboot`", ""},
		{"restart db_ltds|db_tdcp", ""},
		{"restart tailer.", "restart tailer1"},
		{"restart .*", ""},
		{"restart '", ""},
		{"restart \"\"", ""},
		{"restart 🔥", ""},
		{"restart " + strings.Repeat("a", 10000), ""},
		{strings.Repeat("a ", 5000), ""},
		{"restart", ""},
		{"restart infra-1", ""},
		{"restrat db_dis", "restart db_dis"},
		{"db_dis", "status db_dis"},
		{"status db_dis on infra-2", "status db_dis on infra-1"},
		{"restart db_tdcp on qury-1", "restart db_tdcp on query-1"},
		{"restart db_tdcp query-1", "restart db_tdcp on query-1"},
		{"restart db_dis on query-1", "restart db_dis on infra-1"},
		{"status db_dis in prd", "status db_dis in prod"},
		{"approve", ""},
		{"approve db_dis", ""},
		{"approve R-7F3K; ls", ""},
	} {
		got, err := g.parse(Message{Text: c.text, Channel: "C1"})
		if c.text == "approve R-7F3K; ls" {
			if err != nil || got.run != "R-7F3K" {
				t.Errorf("%q: %v", c.text, err)
			}
			continue
		}
		var m *Misunderstood
		if !errors.As(err, &m) {
			t.Errorf("%.60q: understood as %+v, %v", c.text, got, err)
			continue
		}
		if len(m.Text) > 400 {
			t.Errorf("%.60q: an answer of %d characters", c.text, len(m.Text))
		}
		if c.suggest != "" && !slices.Contains(m.Suggest, c.suggest) {
			t.Errorf("%q: suggests %q, want %q", c.text, m.Suggest, c.suggest)
		}
	}
}

// TestAmbiguousCluster: without a binding, a name that exists in several
// clusters is answered with the choices; one that exists in one is not.
func TestAmbiguousCluster(t *testing.T) {
	g := testGrammar(t)
	var m *Misunderstood
	if _, err := g.parse(Message{Text: "restart db_dis", Channel: "CX"}); !errors.As(err, &m) || len(m.Suggest) != 2 {
		t.Errorf("got %v", err)
	}
	if c, err := g.parse(Message{Text: "restart iris_controller", Channel: "CX"}); err != nil || c.cluster.Name != "prod" {
		t.Errorf("got %v", err)
	}
}

// FuzzPlan: whatever is typed, a plan only ever sends what the catalog says of
// a process that the fleet has.
func FuzzPlan(f *testing.F) {
	for _, s := range []string{"restart db_dis", "restart db_dis; id", "stop db_tdcp on query-1 $(id)", "status tailer1 'x'", "restart cus in qa"} {
		f.Add(s)
	}
	g := testGrammar(f)
	allowed := map[string]bool{}
	for _, text := range []string{"prod", "qa"} {
		cl, _ := g.Fleet.Cluster(text)
		cat, _ := g.Catalogs.Get(cl.Catalog)
		for _, h := range cl.Hosts {
			for _, id := range h.Processes {
				p, _ := cat.Process(id)
				for _, a := range p.Actions {
					plan, err := (&runbooks.Planner{Catalogs: g.Catalogs, Fleet: g.Fleet}).Plan(runbooks.Inputs{Cluster: cl.Name, Action: a, Process: id, Hosts: []string{h.Name}})
					var param *runbooks.ParamError
					if errors.As(err, &param) {
						continue // nothing is sent without its parameters
					}
					if err != nil {
						f.Fatal(err)
					}
					for _, st := range plan.Steps {
						allowed[st.Host+" "+st.Sent] = true
					}
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		plan, err := g.Plan(text, time.Now)
		if err != nil {
			return
		}
		for _, st := range plan.Steps {
			if !allowed[st.Host+" "+st.Sent] {
				t.Errorf("%q would send %q to %s", text, st.Sent, st.Host)
			}
		}
	})
}
