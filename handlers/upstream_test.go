package handlers

import (
	"slices"
	"strings"
	"testing"

	"dhbot/internal/card"
	"dhbot/internal/fleet"
	"dhbot/internal/probe"
	"dhbot/internal/remote"
	"dhbot/runbooks"
)

// estate is a cluster as the pages describe one: an infra node and two query
// nodes (server-installation-20200121.md:121-155).
func estate(acls fleet.ACLStore) fleet.Cluster {
	query := []string{"log_aggregator_service", "tailer1", "db_tdcp", "db_query_server", "etcd"}
	return fleet.Cluster{Name: "prod", Catalog: "current", ACLs: acls, Hosts: []fleet.Host{
		{Name: "infra-1", Address: "infra-1:22", Login: "dhops", Processes: []string{
			"configuration_server", "authentication_server", "db_acl_write_server", "iris_controller", "log_aggregator_service",
			"tailer1", "db_dis", "db_merge_server", "db_ltds", "status_dashboard", "web_api_service", "etcd", "mariadb",
		}},
		{Name: "query-1", Address: "query-1:22", Login: "dhops", Processes: query},
		{Name: "query-2", Address: "query-2:22", Login: "dhops", Processes: query},
	}}
}

// boardOf has every process of a cluster in a state: up, but for what is named
// as PROCESS or PROCESS@HOST.
func boardOf(t *testing.T, cat *runbooks.Catalog, cl *fleet.Cluster, states map[string]probe.State) card.Board {
	t.Helper()
	b := card.Board{Cluster: cl.Name}
	used := map[string]bool{}
	for _, h := range cl.Hosts {
		for _, id := range h.Processes {
			p, ok := cat.Process(id)
			if !ok {
				t.Fatalf("no process %s", id)
			}
			o := probe.Observation{Manager: p.Manager, Service: p.Service, Outcome: remote.Answered, State: probe.Up, Status: "OK"}
			for _, name := range []string{id, id + "@" + h.Name} {
				if st, named := states[name]; named {
					o.State, o.Status, used[name] = st, st.String(), true
				}
			}
			if o.State == probe.Trouble {
				o.Status = "Connection failed"
			}
			b.Rows = append(b.Rows, card.Row{Process: *p, Host: h.Name, Observation: o, Finding: probe.Assess(o, probe.Expect{Up: true, Level: p.Level})})
		}
	}
	for name := range states {
		if !used[name] {
			t.Fatalf("%s is not on the board", name)
		}
	}
	return b
}

// caused is "PROCESS@HOST: CAUSE" of every row that has a cause.
func caused(b card.Board) []string {
	var out []string
	for _, r := range b.Rows {
		for _, c := range r.Causes {
			out = append(out, r.Process.ID+"@"+r.Host+": "+c.String())
		}
	}
	return out
}

// The start order of the pages backwards: whatever is out is out because of
// the first thing in that order that is.
func TestUpstream(t *testing.T) {
	const down, failed, unseen = probe.Down, probe.Failed, probe.Unseen
	cats, err := runbooks.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	cat, _ := cats.Get("current")
	for _, tt := range []struct {
		name   string
		acls   fleet.ACLStore
		states map[string]probe.State
		want   []string
	}{
		{"all well", fleet.ACLsInEtcd, nil, nil},
		{"one alone", fleet.ACLsInEtcd, map[string]probe.State{"db_dis": down}, nil},
		{"the configuration server, and what could not start without it", fleet.ACLsInEtcd,
			map[string]probe.State{"configuration_server": failed, "authentication_server": down, "db_dis": probe.Recovering, "iris_controller": probe.NotMonitored, "db_query_server": down},
			[]string{
				"authentication_server@infra-1: configuration_server on infra-1 is down and could not be started",
				"iris_controller@infra-1: configuration_server on infra-1 is down and could not be started",
				"db_dis@infra-1: configuration_server on infra-1 is down and could not be started",
				"db_query_server@query-1: configuration_server on infra-1 is down and could not be started",
				"db_query_server@query-2: configuration_server on infra-1 is down and could not be started",
			}},
		{"up while the configuration server is down is nobody's effect", fleet.ACLsInEtcd, map[string]probe.State{"configuration_server": down}, nil},
		{"quorum lost, and everything behind it", fleet.ACLsInEtcd,
			map[string]probe.State{"etcd@infra-1": down, "etcd@query-2": down, "configuration_server": down, "authentication_server": down},
			[]string{"configuration_server@infra-1: etcd on infra-1, query-2 is down", "authentication_server@infra-1: etcd on infra-1, query-2 is down"}},
		{"one member of three is no cause", fleet.ACLsInEtcd,
			map[string]probe.State{"etcd@query-1": down, "db_query_server@query-1": down}, nil},
		{"MariaDB where it holds the ACLs", fleet.ACLsInMySQL,
			map[string]probe.State{"mariadb": down, "authentication_server": down},
			[]string{"authentication_server@infra-1: mariadb on infra-1 is down"}},
		{"MariaDB where etcd does", fleet.ACLsInEtcd, map[string]probe.State{"mariadb": down, "authentication_server": down}, nil},
		{"the log aggregator of the same host", fleet.ACLsInEtcd,
			map[string]probe.State{"log_aggregator_service@query-1": down, "db_query_server": down},
			[]string{"db_query_server@query-1: log_aggregator_service on query-1 is down"}},
		{"one dispatcher of two is no cause", fleet.ACLsInEtcd,
			map[string]probe.State{"db_query_server@query-1": down, "web_api_service": down}, nil},
		{"both dispatchers are", fleet.ACLsInEtcd,
			map[string]probe.State{"db_query_server": down, "web_api_service": down},
			[]string{"web_api_service@infra-1: db_query_server on query-1, query-2 is down"}},
		{"a port that does not answer", fleet.ACLsInEtcd,
			map[string]probe.State{"db_dis": probe.Trouble, "tailer1@query-2": down},
			[]string{"tailer1@query-2: db_dis on infra-1 is not answering on its port"}},
		{"what nobody saw is no cause", fleet.ACLsInEtcd,
			map[string]probe.State{"configuration_server": unseen, "db_dis": down}, nil},
		{"what nobody saw has no cause", fleet.ACLsInEtcd,
			map[string]probe.State{"configuration_server": down, "db_dis": unseen}, nil},
		{"two causes", fleet.ACLsInMySQL,
			map[string]probe.State{"configuration_server": down, "mariadb": down, "authentication_server": down},
			[]string{"authentication_server@infra-1: configuration_server on infra-1 is down", "authentication_server@infra-1: mariadb on infra-1 is down"}},
	} {
		cl := estate(tt.acls)
		b := boardOf(t, cat, &cl, tt.states)
		markUpstream(cat, &cl, &b)
		if got := caused(b); !slices.Equal(got, tt.want) {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, strings.Join(got, "\n     "), strings.Join(tt.want, "\n     "))
		}
	}
}

// down says of some services that they do not exist, and of others that they
// run.
func down(services ...string) func(remote.Command) remote.Result {
	return func(c remote.Command) remote.Result {
		r := running(c)
		for _, s := range services {
			if strings.HasSuffix(c.Sent, " "+s) {
				text := strings.Replace(r.Stdout.String(), "OK\n", "Execution failed | Does not exist\n", 1)
				text = strings.Replace(text, "  pid                          705\n", "", 1)
				r.Stdout = remote.Output{Head: []byte(text), Total: int64(len(text))}
			}
		}
		return r
	}
}

// TestStatusNamesTheCause: a process that is down is shown first, and then,
// when what it needs has been asked, with the cause.
func TestStatusNamesTheCause(t *testing.T) {
	h := newHouse(t)
	h.hosts.say = down("configuration_server", "authentication_server", "db_dis")
	a := h.say("URITA", "status db_dis on infra-1 in prod")
	if len(a.shown) != 2 || strings.Contains(a.shown[0], "Because") {
		t.Fatalf("shown %d times: %q", len(a.shown), a.all())
	}
	if !strings.Contains(a.shown[1], "Because configuration_server on infra-1 is down and could not be started") {
		t.Errorf("the cause is not named: %q", a.shown[1])
	}
	h.hosts.say = down("db_dis")
	if a := h.say("URITA", "status db_dis on infra-1 in prod"); !strings.Contains(a.all(), "What it needs is up: ") {
		t.Errorf("that it is not upstream is not said: %q", a.all())
	}
	h.hosts.say = running
	if a := h.say("URITA", "status db_dis on infra-1 in prod"); len(a.shown) != 1 {
		t.Errorf("a process that is up is shown %d times", len(a.shown))
	}
}

// TestBoardHasOneCause: one line for the cause, and one for all behind it.
func TestBoardHasOneCause(t *testing.T) {
	cats, err := runbooks.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	cat, _ := cats.Get("current")
	cl := estate(fleet.ACLsInEtcd)
	states := map[string]probe.State{}
	for _, id := range cl.Hosts[0].Processes[:11] {
		states[id] = probe.Down
	}
	b := boardOf(t, cat, &cl, states)
	markUpstream(cat, &cl, &b)
	text := card.PlainText(card.Status(b))
	if n := strings.Count(text, "Down when it should be up"); n != 1 {
		t.Errorf("%d red lines, want the one of the cause:\n%s", n, text)
	}
	if !strings.Contains(text, "14 behind it") || !strings.Contains(text, "because configuration_server on infra-1 is down") {
		t.Errorf("what is behind it is not told in one line:\n%s", text)
	}
}

// TestDeps asks in the order of the start, and says which need is not met.
func TestDeps(t *testing.T) {
	h := newHouse(t)
	h.Fleet.Clusters[0] = estate(fleet.ACLsInEtcd)
	h.Fleet.Clusters[0].Hosts[0].Processes = slices.DeleteFunc(h.Fleet.Clusters[0].Hosts[0].Processes, func(p string) bool { return p == "authentication_server" })
	a := h.say("URITA", "deps db_dis in prod")
	text := a.all()
	order := []string{"What db_dis needs · not all seen", "etcd on infra-1", "etcd on query-2", "configuration_server on infra-1", "db_dis on infra-1", "authentication_server runs on no host"}
	for i := range order {
		if at := strings.Index(text, order[i]); at < 0 {
			t.Fatalf("%q is missing in %s", order[i], text)
		} else {
			text = text[at:]
		}
	}
	h.hosts.say = down("configuration_server")
	if a := h.say("URITA", "deps dis in prod"); !strings.Contains(a.all(), "What db_dis needs · configuration_server on infra-1 is down") {
		t.Errorf("got %s", a.all())
	}
}
