package status

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dhbot/internal/engine"
	"dhbot/internal/fleet"
	"dhbot/internal/incident"
	"dhbot/internal/observe"
	"dhbot/internal/remote"
	"dhbot/internal/test/statustest"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// site is a cluster like those in the documented procedures, with a clock and the state of its
// hosts.
type site struct {
	*Assessor
	world   statustest.World
	silent  map[string]remote.Outcome // hosts that do not answer
	hidden  bool                      // the hosts hide the processes of other users
	refused string                    // sudo refuses commands that contain it; "" for none
	mu      sync.Mutex
	asked   map[string]int // by word: how often it was in a command
	store   *store
	at      time.Time
}

// store is the content of the state store in a test.
type store struct {
	open, ended []engine.Stored
	maintenance []fleet.Maintenance
	err         error
}

func (s *store) OpenWork(context.Context) ([]engine.Stored, []fleet.Maintenance, error) {
	return s.open, slices.Clone(s.maintenance), s.err
}
func (s *store) Recent(context.Context, int) ([]engine.Stored, error) { return s.ended, s.err }

// estate returns a fleet with a cluster like the documented ones: an infra node and two query nodes
// (server-installation-20200121.md:121-155).
func estate(acls fleet.ACLStore) *fleet.Fleet {
	query := []string{"log_aggregator_service", "tailer1", "db_tdcp", "db_query_server", "etcd"}
	return &fleet.Fleet{Clusters: []fleet.Cluster{{Name: "prod", Catalog: "current", ACLs: acls, Hosts: []fleet.Host{
		{Name: "infra-1", Address: "infra-1:22", Login: "dhops", Processes: []string{
			"configuration_server", "authentication_server", "db_acl_write_server", "iris_controller", "log_aggregator_service",
			"tailer1", "db_dis", "db_merge_server", "db_ltds", "status_dashboard", "web_api_service", "etcd", "mariadb",
		}},
		{Name: "query-1", Address: "query-1:22", Login: "dhops", Processes: query},
		{Name: "query-2", Address: "query-2:22", Login: "dhops", Processes: query},
	}}}}
}

var builtin = sync.OnceValues(catalogs.Builtin)

func newSite(t *testing.T, acls fleet.ACLStore) *site {
	t.Helper()
	catalogs, err := builtin()
	if err != nil {
		t.Fatal(err)
	}
	s := &site{world: statustest.World{}, silent: map[string]remote.Outcome{}, asked: map[string]int{}, store: &store{}, at: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)}
	s.Assessor, err = New(Config{Catalogs: catalogs, Fleet: estate(acls), Remote: s, Store: s.store, Now: func() time.Time { return s.at }, Jump: "jump-1"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Run answers from the hosts.
func (s *site) Run(_ context.Context, c remote.Command) remote.Result {
	if o, silent := s.silent[c.Host]; silent {
		return remote.Result{Outcome: o, Detail: "i/o timeout", Ended: s.at}
	}
	s.mu.Lock()
	for word := range strings.FieldsSeq(strings.ReplaceAll(c.Sent, "'", "")) {
		s.asked[word]++
	}
	s.mu.Unlock()
	if s.refused != "" && strings.Contains(c.Sent, s.refused) {
		return remote.Result{Outcome: remote.SudoRefused, Detail: "a password is required", Ended: s.at}
	}
	r := s.world.Say(c, s.at)
	if s.hidden && strings.Contains(c.Sent, " ps ") {
		r.Stdout = statustest.Output("  99999       0 " + s.at.In(statustest.Zone).Format("Mon Jan _2 15:04:05 2006") + "\n")
	}
	return r
}

var prod = incident.Scope{Cluster: "prod"}

func process(id string) incident.Scope { return incident.Scope{Cluster: "prod", Process: id} }

func (s *site) assess(t *testing.T, sc incident.Scope) Board {
	t.Helper()
	b, err := s.Assess(t.Context(), Query{Scope: sc})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// rowOf is the row of a process on a host.
func rowOf(t *testing.T, b Board, id, host string) Row {
	t.Helper()
	i := slices.IndexFunc(b.Rows, func(r Row) bool { return r.Process.ID == id && r.Host == host })
	if i < 0 {
		t.Fatalf("no row of %s on %s", id, host)
	}
	return b.Rows[i]
}

// failed is a process that does not run and that monit could not start. stopped is a systemd unit
// that is inactive.
var (
	failed  = statustest.Process{Status: "Execution failed | Does not exist", PID: -1}
	stopped = statustest.Process{Status: "inactive (dead)"}
)

// If a process is down or cannot work, its cause is a process that is down. If several are down,
// the cause is the process that is documented to start first.
func TestUpstream(t *testing.T) {
	const starting = "Initializing"
	for _, tt := range []struct {
		name  string
		acls  fleet.ACLStore
		world statustest.World
		want  []string // the causes in the rows, as PROCESS@HOST: CAUSES
		about []string
	}{
		{"all well", fleet.ACLsInEtcd, nil, nil, []string{"db_dis", "tailer1", "web_api_service"}},
		{"a process that is not a dependency", fleet.ACLsInEtcd, statustest.World{"db_merge_server": failed}, nil, []string{"db_dis", "db_merge_server", "web_api_service"}},
		{"the configuration server, and what could not start without it", fleet.ACLsInEtcd,
			statustest.World{"configuration_server": failed, "authentication_server": failed, "iris_controller": {Status: "Not monitored"}},
			[]string{
				"authentication_server@infra-1: configuration_server on infra-1 is down and could not be started",
				"iris_controller@infra-1: configuration_server on infra-1 is down and could not be started",
				"db_dis@infra-1: configuration_server on infra-1 is down and could not be started",
			}, []string{"configuration_server", "authentication_server", "iris_controller", "db_dis"}},
		{"quorum lost, and everything behind it", fleet.ACLsInEtcd,
			statustest.World{"dh-etcd@infra-1": stopped, "dh-etcd@query-2": stopped, "configuration_server": failed},
			[]string{"configuration_server@infra-1: etcd on infra-1, query-2 is down", "authentication_server@infra-1: etcd on infra-1, query-2 is down"},
			[]string{"configuration_server", "authentication_server"}},
		{"one member of three is no cause", fleet.ACLsInEtcd,
			statustest.World{"dh-etcd@query-1": stopped, "db_query_server@query-1": failed}, nil, []string{"db_query_server", "configuration_server"}},
		{"MariaDB where it holds the ACLs", fleet.ACLsInMySQL, statustest.World{"mariadb": stopped},
			[]string{"authentication_server@infra-1: mariadb on infra-1 is down", "db_acl_write_server@infra-1: mariadb on infra-1 is down"},
			[]string{"authentication_server", "db_acl_write_server", "status_dashboard"}},
		{"MariaDB where etcd holds the ACLs", fleet.ACLsInEtcd, statustest.World{"mariadb": stopped}, nil, []string{"authentication_server"}},
		{"the log aggregator of the same host", fleet.ACLsInEtcd, statustest.World{"log_aggregator_service@query-1": failed},
			[]string{"db_query_server@query-1: log_aggregator_service on query-1 is down and could not be started"}, []string{"db_query_server"}},
		{"one dispatcher of two is no cause", fleet.ACLsInEtcd, statustest.World{"db_query_server@query-1": failed}, nil, []string{"web_api_service"}},
		{"both dispatchers are a cause", fleet.ACLsInEtcd, statustest.World{"db_query_server": failed},
			[]string{"web_api_service@infra-1: db_query_server on query-1, query-2 is down and could not be started"}, []string{"web_api_service"}},
		{"a port that does not answer", fleet.ACLsInEtcd, statustest.World{"db_dis": {Status: "Connection failed"}},
			[]string{"tailer1@infra-1: db_dis on infra-1 is not answering on its port", "tailer1@query-1: db_dis on infra-1 is not answering on its port", "tailer1@query-2: db_dis on infra-1 is not answering on its port"},
			[]string{"tailer1"}},
		{"a dependency that runs and cannot work", fleet.ACLsInMySQL, statustest.World{"mariadb": stopped},
			[]string{"db_dis@infra-1: mariadb on infra-1 is down"}, []string{"db_dis"}},
		{"a dependency that is being started", fleet.ACLsInEtcd, statustest.World{"authentication_server": {Status: starting, PID: -1}, "db_dis": failed},
			[]string{"db_dis@infra-1: authentication_server on infra-1 is being started"}, []string{"db_dis"}},
		{"two causes", fleet.ACLsInMySQL, statustest.World{"configuration_server": failed, "mariadb": stopped, "authentication_server": failed},
			[]string{"authentication_server@infra-1: configuration_server on infra-1 is down and could not be started", "authentication_server@infra-1: mariadb on infra-1 is down"},
			[]string{"authentication_server"}},
	} {
		s := newSite(t, tt.acls)
		s.world = tt.world
		var got []string
		for _, id := range tt.about { // queried alone, so with their dependencies
			for _, r := range s.assess(t, process(id)).Rows {
				for _, c := range r.Causes {
					got = append(got, r.Target().Process+"@"+r.Host+": "+c.String())
				}
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, strings.Join(got, "\n     "), strings.Join(tt.want, "\n     "))
		}
	}
}

// A process that could not be observed is not the cause of another, and has no cause itself.
func TestUnseenIsNoCause(t *testing.T) {
	s := newSite(t, fleet.ACLsInEtcd)
	s.silent["infra-1"] = remote.Unreachable
	for _, r := range s.assess(t, prod).Rows {
		if len(r.Causes) > 0 {
			t.Errorf("%s has the cause %s", r.Target(), Because(r.Causes))
		}
	}
}

// A dependency that is starting, or that monit does not monitor, is not known to be dead. So
// running processes have no finding because of it. A dependency in a crash loop counts as dead.
func TestUnprovedIsNoCause(t *testing.T) {
	for what, need := range map[string]statustest.Process{
		"not monitored": {Status: "Not monitored"}, "being started": {Status: "Initializing", PID: -1},
	} {
		s := newSite(t, fleet.ACLsInEtcd)
		s.world = statustest.World{"authentication_server": need, "db_merge_server": failed}
		for id, want := range map[string]runbooks.Severity{"db_dis": runbooks.None, "db_merge_server": runbooks.Moderate} {
			r := rowOf(t, s.assess(t, process(id)), id, "infra-1")
			if r.Severity() != want || what == "not monitored" && len(r.Causes) > 0 {
				t.Errorf("authentication_server %s: %s is %v, %q, because of %v", what, id, r.Severity(), r.Finding.Headline, r.Causes)
			}
		}
	}
	s := newSite(t, fleet.ACLsInEtcd)
	for pid := range 3 {
		s.world["authentication_server"] = statustest.Process{PID: 2001 + pid, Up: 4 * time.Second}
		s.at = s.at.Add(30 * time.Second)
		r := rowOf(t, s.assess(t, process("db_dis")), "db_dis", "infra-1")
		if want := pid == 2; want != (r.Finding.Headline == "Running, cannot work: authentication_server on infra-1 is in a crash loop") {
			t.Errorf("check %d: %q", pid+1, r.Finding.Headline)
		}
	}
}

// A process that runs while its dependency is down is Sev 3. It is shown with the
// dependency, not as an incident of its own.
func TestRunningAndCannotWork(t *testing.T) {
	s := newSite(t, fleet.ACLsInMySQL)
	s.world["mariadb"] = stopped
	r := rowOf(t, s.assess(t, process("authentication_server")), "authentication_server", "infra-1")
	if r.Severity() != runbooks.Low || r.Finding.Headline != "Running, cannot work: mariadb on infra-1 is down" {
		t.Errorf("%v, %q", r.Severity(), r.Finding.Headline)
	}
	_, seen, err := s.Look(t.Context(), prod, func(runbooks.Target) time.Time { return time.Time{} })
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, one := range seen {
		if one.Severity != runbooks.None && one.Hold == "" {
			told = append(told, one.Target.String())
		}
	}
	if !slices.Equal(told, []string{"mariadb on infra-1"}) {
		t.Errorf("incidents of %q", told)
	}
}

// If a dependency is starting after a failed start, it counts as dead, and is reported as dead.
func TestStartedInVainIsDead(t *testing.T) {
	s := newSite(t, fleet.ACLsInEtcd)
	for _, status := range []string{"Execution failed | Does not exist", "Does not exist"} {
		s.world["configuration_server"] = statustest.Process{Status: "Execution failed | Does not exist", PID: -1}
		s.assess(t, prod)
		s.at = s.at.Add(30 * time.Second)
		s.world["configuration_server"] = statustest.Process{Status: status, PID: -1}
		r := rowOf(t, s.assess(t, prod), "authentication_server", "infra-1")
		if r.Finding.Code != observe.FoundCannotWork || len(r.Causes) != 1 || r.Causes[0].State != observe.Failed {
			t.Errorf("%s: %s, %v", status, r.Finding.Code, r.Causes)
		}
	}
}

// A process that is down because of a dependency is shown in the dependency's incident. If someone
// watches the process itself, the watch shows the cause.
func TestSeenTellsTheCause(t *testing.T) {
	s := newSite(t, fleet.ACLsInEtcd)
	s.world = statustest.World{"configuration_server": failed, "authentication_server": failed}
	b := s.assess(t, prod)
	for _, one := range s.seen(b, false) {
		switch {
		case one.Severity == runbooks.None || one.Target.Process == "configuration_server":
		case one.Hold == "" || len(one.Behind) != 1 || one.Behind[0].Process != "configuration_server":
			t.Errorf("%s: hold %q, behind %v", one.Target, one.Hold, one.Behind)
		}
	}
	for _, one := range s.seen(s.assess(t, process("authentication_server")), true) {
		if one.Hold != "" || !strings.HasPrefix(one.Text, "Because configuration_server on infra-1 is down") {
			t.Errorf("followed: %+v", one)
		}
	}
}

// If monit has lost a process's configuration but the earlier pid still runs, the process is Sev 2,
// not an outage.
func TestUnknownToMonitAndRunning(t *testing.T) {
	for gone, want := range map[bool]runbooks.Severity{false: runbooks.Moderate, true: runbooks.Critical} {
		s := newSite(t, fleet.ACLsInEtcd)
		s.assess(t, prod)
		s.at = s.at.Add(30 * time.Second)
		s.world["db_dis"] = statustest.Process{Missing: true, Gone: gone, Up: time.Hour + 30*time.Second}
		for range 4 {
			if r := rowOf(t, s.assess(t, prod), "db_dis", "infra-1"); r.Severity() != want {
				t.Errorf("its pid gone: %v: %v, %s", gone, r.Severity(), r.Finding.Text)
			}
			s.at = s.at.Add(time.Second)
		}
	}
}

// The command verify also lists services that monit reports as not up and that are not in the
// config.
func TestVerifyTellsOfUnlisted(t *testing.T) {
	s := newSite(t, fleet.ACLsInEtcd)
	s.world = statustest.World{"client_update_service@query-1": failed, "db_dis@query-1": {Missing: true}}
	b, err := s.Assess(t.Context(), Query{Scope: prod, Summaries: true})
	if err != nil {
		t.Fatal(err)
	}
	want := HostFinding{
		Host: "query-1", Code: observe.FoundUnlisted, Severity: runbooks.Low, Headline: "monit reports 1 not up, not listed in the config",
		Text: "client_update_service (Execution failed | Does...)",
	}
	if len(b.Hosts) != 1 || b.Hosts[0] != want || b.Worst() != runbooks.Low {
		t.Errorf("worst %v, findings about hosts %+v", b.Worst(), b.Hosts)
	}
}

// The loss of most hosts at once is reported as one problem.
func TestHalfTheNetworkIsOneMessage(t *testing.T) {
	s := newSite(t, fleet.ACLsInEtcd)
	for _, h := range []string{"infra-1", "query-1", "query-2"} {
		s.silent[h] = remote.Unreachable
	}
	var told []incident.Seen
	for _, one := range s.seen(s.assess(t, prod), false) {
		if one.Hold == "" {
			told = append(told, one)
		}
	}
	if len(told) != 1 || told[0].Headline != "Cannot see 3 hosts via jump-1" || told[0].Severity != runbooks.Unknown || told[0].WorstCase != runbooks.Critical {
		t.Errorf("reported %+v", told)
	}
	s.silent = map[string]remote.Outcome{"query-2": remote.Unreachable}
	told = nil
	for _, one := range s.seen(s.assess(t, prod), false) {
		if one.Hold == "" && one.Severity != runbooks.None {
			told = append(told, one)
		}
	}
	if len(told) != 1 || told[0].Target != (runbooks.Target{Host: "query-2"}) {
		t.Errorf("with one lost host: %+v", told)
	}
}

// The finding about one failed member of etcd differs from the finding about a lost quorum.
func TestEtcdMembers(t *testing.T) {
	s := newSite(t, fleet.ACLsInEtcd)
	s.world = statustest.World{"dh-etcd@query-1": stopped}
	for _, sc := range []incident.Scope{process("etcd"), prod, {Cluster: "prod", Host: "query-1"}} {
		r := rowOf(t, s.assess(t, sc), "etcd", "query-1")
		if r.Severity() != runbooks.Moderate || r.Finding.Headline != "Member down, quorum kept (2 of 3)" {
			t.Errorf("%v: %v, %q", sc, r.Severity(), r.Finding.Headline)
		}
	}
	s.world["dh-etcd@query-2"] = stopped
	for _, sc := range []incident.Scope{process("etcd"), prod, {Cluster: "prod", Host: "query-1"}} {
		r := rowOf(t, s.assess(t, sc), "etcd", "query-1")
		if r.Severity() != runbooks.Critical || r.Finding.Headline != "Quorum lost: 2 of 3 members down" {
			t.Errorf("%v: %v, %q", sc, r.Severity(), r.Finding.Headline)
		}
	}
}

// If a dependency has several instances, only the instance on the same host counts. This holds even
// if that instance cannot work and another instance works.
func TestOwnInstanceCannotWork(t *testing.T) {
	s := newSite(t, fleet.ACLsInEtcd)
	query2, _ := s.Fleet.Clusters[0].Host("query-2")
	query2.Processes = append(slices.Clone(query2.Processes), "web_api_service")
	s.world = statustest.World{"log_aggregator_service@query-2": failed}
	r := rowOf(t, s.assess(t, process("web_api_service")), "web_api_service", "query-2")
	if got, want := Because(r.Causes), "log_aggregator_service on query-2 is down"; !strings.HasPrefix(got, want) {
		t.Errorf("caused by %q, want %q", got, want)
	}
}
