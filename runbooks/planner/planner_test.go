package planner

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dhbot/internal/fleet"
	"dhbot/internal/suggest"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// siteFile returns an overlay with one file.
func siteFile(text string) fs.FS { return fstest.MapFS{"site.yaml": {Data: []byte(text)}} }

// testFleet has a cluster of each builtin generation and one of testdata/site.
func testFleet(t testing.TB) *fleet.Fleet {
	t.Helper()
	cs, err := catalogs.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	all := func(c *catalogs.Catalog, skip ...string) (ids []string) {
		for _, p := range c.Processes() {
			if !slices.Contains(skip, p.ID) {
				ids = append(ids, p.ID)
			}
		}
		return ids
	}
	query := []string{"db_query_server", "log_aggregator_service", "tailer1", "db_tdcp", "etcd"}
	hosts := func(infra []string) []fleet.Host {
		return []fleet.Host{
			{Name: "infra-1", Address: "10.0.0.5:22", Login: "dhops", Processes: infra},
			{Name: "query-1", Address: "10.0.0.6:22", Login: "dhops", Processes: query},
			{Name: "query-2", Address: "10.0.0.7:2222", Login: "ops", Processes: query, Monit: []string{"sudo", "monit"}, LogRoot: "/data/logs", EtcdClientDir: "/data/etcd"},
		}
	}
	return &fleet.Fleet{Clusters: []fleet.Cluster{
		{Name: "prod", Catalog: "current", Hosts: hosts(all(cs[0], "db_query_server", "db_tdcp", "db_ltds"))},
		{Name: "old", Catalog: "legacy-20200121", Hosts: hosts(all(cs[1], "db_query_server", "db_tdcp"))},
		{Name: "site", Catalog: "site", Hosts: []fleet.Host{
			{Name: "a", Address: "10.1.0.1:22", Login: "ops", Processes: []string{"alpha"}},
			{Name: "b", Address: "10.1.0.2:22", Login: "ops", Processes: []string{"alpha", "beta"}},
			{Name: "c", Address: "10.1.0.3:22", Login: "ops", Processes: []string{"beta"}},
		}},
		{Name: "lost", Catalog: "currant"},
	}}
}

// withSite loads the catalogs that most tests use. Loaded catalogs are read-only and can be
// shared.
var withSite = sync.OnceValues(func() (catalogs.Set, error) { return catalogs.Load(os.DirFS("../catalogs/testdata/site")) })

func testPlanner(t testing.TB) *Planner {
	t.Helper()
	cs, err := withSite()
	if err != nil {
		t.Fatal(err)
	}
	return &Planner{Catalogs: cs, Fleet: testFleet(t)}
}

func mustPlan(t testing.TB, p *Planner, in runbooks.Inputs) runbooks.Plan {
	t.Helper()
	plan, err := p.Plan(in)
	if err != nil {
		t.Fatalf("%+v: %v", in, err)
	}
	return plan
}

// lines returns the steps of a plan as "kind host command → condition or check".
func lines(steps []runbooks.Step) (out []string) {
	for _, s := range steps {
		out = append(out, string(s.Kind)+" "+s.Host+" "+s.Command+" → "+runbooks.ViewStep(s).Check)
	}
	return out
}

func TestPlanRestart(t *testing.T) {
	plan := mustPlan(t, testPlanner(t), runbooks.Inputs{Cluster: "prod", Action: "restart", Process: "db_dis"})
	want := runbooks.Plan{
		Catalog: "current", Cluster: "prod", Action: "restart", Title: "restart db_dis", Class: runbooks.Disruptive, Severity: runbooks.Critical,
		Targets: []runbooks.Target{{Process: "db_dis", Host: "infra-1"}},
		Impact:  "Binary logs are not written to the database, and binary store imports fail.",
		Locks:   []string{"prod/infra-1/monit", "prod/process/db_dis"},
		Digest:  plan.Digest,
	}
	step := func(kind runbooks.StepKind, title, command, sent, source string, timeout time.Duration) runbooks.Step {
		return runbooks.Step{Kind: kind, Title: title, Process: "db_dis", Manager: runbooks.Monit, Service: "db_dis", Host: "infra-1", Address: "10.0.0.5:22",
			Login: "dhops", Command: command, Sent: sent, Source: "process-runbooks.md:" + source, Timeout: runbooks.Duration(timeout)}
	}
	status := "sudo -u irisadmin monit status db_dis"
	statusSent := "env LC_ALL=C timeout -k 5 15 sudo -n -u irisadmin monit status db_dis"
	want.Steps = []runbooks.Step{
		step(runbooks.Wait, "check that monit answers and monitors the process", status, statusSent, "274", 15*time.Second),
		step(runbooks.Exec, "restart", "sudo -u irisadmin monit restart db_dis", "env LC_ALL=C timeout -k 5 60 sudo -n -u irisadmin monit restart db_dis", "292", time.Minute),
		step(runbooks.Wait, "wait until up with a new pid", status, statusSent, "274", 15*time.Second),
		step(runbooks.Wait, "wait for RUNNING in its log", "tail -n 400 /var/log/deephaven/dis/DataImportServer.log.current",
			"env LC_ALL=C timeout -k 5 15 tail -n 400 /var/log/deephaven/dis/DataImportServer.log.current", "280", 15*time.Second),
	}
	want.Steps[0].Until, want.Steps[0].Within = runbooks.Supervised, runbooks.Duration(15*time.Second)
	want.Steps[1].Check = runbooks.Silent
	want.Steps[2].Until, want.Steps[2].Within = runbooks.Restarted, runbooks.Duration(3*time.Minute)
	want.Steps[3].Until, want.Steps[3].Within = runbooks.Ready, runbooks.Duration(time.Minute)
	want.Steps[3].Corrected = "tail -n 400 instead of cat, which has no bound"
	if diff := cmp.Diff(want, plan); diff != "" {
		t.Error(diff)
	}
	if len(plan.Digest) != 64 {
		t.Errorf("digest %q", plan.Digest)
	}
}

// TestRestartRestartsThatProcess: for every process of both generations, the only change
// is its own restart, on its own hosts, in order.
func TestRestartRestartsThatProcess(t *testing.T) {
	p := testPlanner(t)
	for cluster, monit := range map[string]string{"prod": "sudo -u irisadmin monit", "old": "sudo monit"} {
		c, _ := p.Fleet.Cluster(cluster)
		catalog, _ := p.Catalogs.Get(c.Catalog)
		for _, proc := range catalog.Processes() {
			hosts := c.HostsOf(proc.ID)
			if len(hosts) == 0 {
				if _, err := p.Plan(runbooks.Inputs{Cluster: cluster, Action: "restart", Process: proc.ID}); !errors.As(err, new(*runbooks.PlacementError)) {
					t.Errorf("%s %s: %v", cluster, proc.ID, err)
				}
				continue
			}
			plan := mustPlan(t, p, runbooks.Inputs{Cluster: cluster, Action: "restart", Process: proc.ID})
			var got, want []string
			for _, s := range plan.Steps {
				if s.Changes() {
					got = append(got, s.Host+": "+s.Command)
				}
			}
			for _, h := range hosts {
				call := monit
				if h.Monit != nil {
					call = strings.Join(h.Monit, " ")
				}
				if proc.Manager == runbooks.Systemd {
					call = "sudo systemctl"
				}
				if proc.ID == "etcd" {
					call += " --no-block" // it is ready only with a quorum
				}
				want = append(want, h.Name+": "+call+" restart "+proc.Service)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s %s: %s", cluster, proc.ID, diff)
			}
		}
	}
}

func TestHostOverrides(t *testing.T) {
	plan := mustPlan(t, testPlanner(t), runbooks.Inputs{Cluster: "prod", Action: "restart", Process: "tailer1", Hosts: []string{"query-2"}})
	want := []string{
		"wait query-2 sudo monit status tailer1 → supervised",
		"exec query-2 sudo monit restart tailer1 → exit 0, no output",
		"wait query-2 sudo monit status tailer1 → restarted",
		"wait query-2 tail -n 400 /data/logs/tailer/LogtailerMain1.log.current → ready",
	}
	if diff := cmp.Diff(want, lines(plan.Steps)); diff != "" {
		t.Error(diff)
	}
	if got := plan.Steps[0]; got.Address != "10.0.0.7:2222" || got.Login != "ops" {
		t.Errorf("%s as %s", got.Address, got.Login)
	}
}

func TestHostsFollowTheConfigOrder(t *testing.T) {
	p := testPlanner(t)
	in := runbooks.Inputs{Cluster: "prod", Action: "restart", Process: "tailer1", Hosts: []string{"query-1", "infra-1", "query-1"}}
	plan := mustPlan(t, p, in)
	want := []runbooks.Target{{Process: "tailer1", Host: "infra-1"}, {Process: "tailer1", Host: "query-1"}}
	if diff := cmp.Diff(want, plan.Targets); diff != "" {
		t.Error(diff)
	}
	in.Hosts = []string{"infra-1", "query-1"}
	if again := mustPlan(t, p, in); again.Digest != plan.Digest {
		t.Error("the same hosts in another order make another plan")
	}
}

const etcdctl = "sudo -u irisadmin /usr/illumon/latest/bin/etcdctl.sh "

func TestEtcdGoesMemberByMember(t *testing.T) {
	p := testPlanner(t)
	plan := mustPlan(t, p, runbooks.Inputs{Cluster: "prod", Action: "restart", Process: "etcd"})
	var want []string
	for _, h := range []string{"infra-1", "query-1", "query-2"} {
		want = append(want, "wait "+h+" sudo systemctl --no-pager status dh-etcd → supervised",
			"wait infra-1 "+etcdctl+"member list --write-out json → etcd members",
			"wait infra-1 "+etcdctl+"endpoint health --write-out json → etcd can spare",
			"exec "+h+" sudo systemctl --no-block restart dh-etcd → exit 0", "wait "+h+" sudo systemctl --no-pager status dh-etcd → restarted",
			"wait infra-1 "+etcdctl+"endpoint health --write-out json → etcd serves",
			"wait infra-1 "+etcdctl+"endpoint status --write-out json → etcd caught up")
	}
	if s := plan.Steps[9]; s.Host != "infra-1" || s.About != "query-1" || s.Member != "10.0.0.6 query-1" {
		t.Errorf("the guard of query-1: %+v", s)
	}
	if s := plan.Steps[2]; s.About != "" || s.Member != "10.0.0.5 infra-1" {
		t.Errorf("the guard of infra-1: %+v", s)
	}
	if diff := cmp.Diff(want, lines(plan.Steps)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"prod/etcd"}, plan.Locks); diff != "" || plan.Severity != runbooks.Critical {
		t.Errorf("severity %v, locks: %s", plan.Severity, diff)
	}
	_, err := p.Plan(runbooks.Inputs{Cluster: "prod", Action: "stop", Process: "etcd"})
	if want := "stop etcd must name one host: infra-1, query-1 or query-2"; err == nil || err.Error() != want {
		t.Errorf("stopping every member: %v, want %s", err, want)
	}
	mustPlan(t, p, runbooks.Inputs{Cluster: "prod", Action: "stop", Process: "etcd", Hosts: []string{"query-1"}})
	maria := mustPlan(t, p, runbooks.Inputs{Cluster: "prod", Action: "restart", Process: "mariadb"})
	if diff := cmp.Diff([]string{"prod/infra-1/mariadb"}, maria.Locks); diff != "" {
		t.Error(diff)
	}
}

func TestPlanRefusals(t *testing.T) {
	p := testPlanner(t)
	long := strings.Repeat("x", 10_000)
	for _, tt := range []struct {
		in   runbooks.Inputs
		want string
	}{
		{runbooks.Inputs{Cluster: "prd", Action: "restart", Process: "db_dis"}, `there is no cluster "prd" in the fleet. Did you mean prod?`},
		{runbooks.Inputs{Cluster: "lost", Action: "restart", Process: "db_dis"}, `there is no catalog "currant". Did you mean current?`},
		{runbooks.Inputs{Cluster: "prod", Action: "restrat", Process: "db_dis"}, `there is no action "restrat" in catalog current. Did you mean restart?`},
		{runbooks.Inputs{Cluster: "prod", Action: "restart"}, `restart needs a process to act on.`},
		{runbooks.Inputs{Cluster: "prod", Action: "restart", Process: "dis"}, `there is no process "dis" in catalog current. Did you mean db_dis?`},
		{runbooks.Inputs{Cluster: "prod", Action: "restart", Process: "DB_DIS"}, `there is no process "DB_DIS" in catalog current. Did you mean db_dis?`},
		{runbooks.Inputs{Cluster: "prod", Action: "restart", Process: "db_dis; rm -rf /"}, `there is no process "db_dis; rm -rf /" in catalog current. Did you mean db_dis?`},
		{runbooks.Inputs{Cluster: "prod", Action: "restart", Process: "$(reboot)"}, `there is no process "$(reboot)" in catalog current.`},
		{runbooks.Inputs{Cluster: "prod", Action: "restart", Process: "db_ltds|db_tdcp"}, `there is no process "db_ltds|db_tdcp" in catalog current. Did you mean db_ltds?`},
		{runbooks.Inputs{Cluster: "prod", Action: "restart", Process: "tailer."}, `there is no process "tailer." in catalog current. Did you mean tailer1?`},
		{runbooks.Inputs{Cluster: "prod", Action: "restart", Process: "db_dis\nreboot"}, `there is no process "db_dis\nreboot" in catalog current. Did you mean db_dis?`},
		{runbooks.Inputs{Cluster: "prod", Action: "restart", Process: "🦊"}, `there is no process "🦊" in catalog current.`},
		{runbooks.Inputs{Cluster: "prod", Action: "restart", Process: long}, `there is no process "` + long[:40] + `…" in catalog current.`},
		{runbooks.Inputs{Cluster: "prod", Action: "restart", Process: "db_dis", Hosts: []string{"infra"}}, `there is no host "infra" in prod. Did you mean infra-1?`},
		{runbooks.Inputs{Cluster: "prod", Action: "restart", Process: "db_dis", Hosts: []string{"query-1"}}, `db_dis does not run on "query-1"; in prod it runs on infra-1`},
		{runbooks.Inputs{Cluster: "prod", Action: "restart", Process: "db_ltds"}, `no host of prod has db_ltds in its list of processes`},
		{runbooks.Inputs{Cluster: "prod", Action: "restart", Process: "db_dis", Params: map[string]string{"x": "y"}}, `there is no parameter "x" in restart.`},
		{runbooks.Inputs{Cluster: "site", Action: "clean", Process: "alpha"}, `clean is not available for alpha. Known: restart, save.`},
		{runbooks.Inputs{Cluster: "site", Action: "restart-host"}, `restart-host must name one host: a, b or c`},
		{runbooks.Inputs{Cluster: "site", Action: "restart-all", Hosts: []string{"a"}}, `restart-all is for the whole of site and takes no host`},
	} {
		plan, err := p.Plan(tt.in)
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s %s:\n got %v\nwant %s", tt.in.Action, suggest.Short(tt.in.Process), err, tt.want)
		}
		if diff := cmp.Diff(runbooks.Plan{}, plan); diff != "" {
			t.Errorf("a refusal has a plan: %s", diff)
		}
	}
}

func TestSequences(t *testing.T) {
	p := testPlanner(t)
	plan := mustPlan(t, p, runbooks.Inputs{Cluster: "site", Action: "restart-all"})
	one := func(host, service string) []string {
		return []string{
			"exec " + host + " /opt/bin/dh_monit restart " + service + " → exit 0, no output",
			"wait " + host + " /opt/bin/dh_monit status " + service + " → restarted",
		}
	}
	var want []string
	for _, s := range [][2]string{{"a", "alpha"}, {"b", "alpha"}, {"b", "Beta-1"}, {"c", "Beta-1"}} {
		want = append(want, one(s[0], s[1])...)
	}
	if diff := cmp.Diff(want, lines(plan.Steps)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"site/a/monit", "site/b/monit", "site/c/monit"}, plan.Locks); diff != "" {
		t.Error(diff)
	}
	plan = mustPlan(t, p, runbooks.Inputs{Cluster: "site", Action: "restart-host", Hosts: []string{"c"}})
	want = append(one("c", "Beta-1"), "exec c uptime → exit 0")
	if diff := cmp.Diff(want, lines(plan.Steps)); diff != "" {
		t.Error(diff)
	}
	if plan.Title != "restart-host c" || plan.Severity != runbooks.Critical || plan.Impact != "" {
		t.Errorf("%q %v %q", plan.Title, plan.Severity, plan.Impact)
	}
}

func TestDiscoveryBeforeTheDigest(t *testing.T) {
	p := testPlanner(t)
	in := runbooks.Inputs{Cluster: "site", Action: "clean", Process: "beta", Hosts: []string{"b"},
		Params: map[string]string{"namespace": "Order", "table": "Event", "date": "2018-02-09"}}
	before := mustPlan(t, p, in)
	if before.Digest != "" || len(before.Discover) != 1 || before.Discover[0].List != "paths@b" || before.Discover[0].Changes() {
		t.Fatalf("digest %q, discover %+v", before.Digest, before.Discover)
	}
	if want := "env LC_ALL=C timeout -k 5 15 sudo -n -u dbmerge find /db/Intraday/Order/Event -mindepth 2 -maxdepth 2 -name 2018-02-09"; before.Discover[0].Sent != want {
		t.Errorf("discovery sends %s", before.Discover[0].Sent)
	}
	rm := before.Steps[2]
	if rm.Command != "sudo -u dbmerge rm -r -- {listed.paths}" || rm.Sent != "" {
		t.Errorf("before discovery the step is %q and would send %q", rm.Command, rm.Sent)
	}

	in.Listed = map[string][]string{"paths@b": {"/db/Intraday/Order/Event/p.1/2018-02-09", "/db/Intraday/Order/Event/p.2/2018-02-09"}}
	after := mustPlan(t, p, in)
	want := []string{
		"wait a /opt/bin/dh_monit status alpha → running",
		"wait b /opt/bin/dh_monit status alpha → running",
		"exec b sudo -u dbmerge rm -r -- /db/Intraday/Order/Event/p.1/2018-02-09 /db/Intraday/Order/Event/p.2/2018-02-09 → exit 0",
		"manual b Look at Order.Event of 2018-02-09 in a console. → ticked by a person",
	}
	if diff := cmp.Diff(want, lines(after.Steps)); diff != "" {
		t.Error(diff)
	}
	if after.Digest == "" || len(after.Discover) != 0 || after.Class != runbooks.Destructive {
		t.Errorf("digest %q, discover %v, class %s", after.Digest, after.Discover, after.Class)
	}
	in.Listed["paths@b"] = in.Listed["paths@b"][:1]
	if fewer := mustPlan(t, p, in); fewer.Digest == after.Digest {
		t.Error("a plan without one of the paths has the same digest")
	}
}

// TestListedOutputMustMatchItsPattern: output that does not match a list's pattern never
// becomes part of a command.
func TestListedOutputMustMatchItsPattern(t *testing.T) {
	p := testPlanner(t)
	for _, listed := range [][]string{
		{},
		{"/"}, {""}, {"-rf"}, {"/db/Intraday/Order/Event/*/2018-02-09"}, {"/db/Intraday/Order/Event/../../x"},
		{"/db/Intraday/a/b/c/d\n/etc"}, {"/db/Intraday/a/b/c/d; reboot"}, {"find: permission denied"},
		{"/db/Intraday/a/b/c/1", "/db/Intraday/a/b/c/2", "/db/Intraday/a/b/c/3", "/db/Intraday/a/b/c/4"},
	} {
		_, err := p.Plan(runbooks.Inputs{Cluster: "site", Action: "clean", Process: "beta", Hosts: []string{"b"},
			Params: map[string]string{"namespace": "Order", "table": "Event", "date": "2018-02-09"},
			Listed: map[string][]string{"paths@b": listed}})
		if !errors.As(err, new(*runbooks.ParamError)) {
			t.Errorf("%q: %v", listed, err)
		}
	}
}

// TestPlanWithoutItsListIsRefused: a catalog that lists on the first host only but uses
// the result on every host is refused when planned.
func TestPlanWithoutItsListIsRefused(t *testing.T) {
	cs, err := catalogs.Load(siteFile(`
catalog: current
actions:
  - action: tidy
    title: remove what is listed
    processes: [tailer1]
    class: destructive
    locks: ["process/{process}"]
    steps:
      - {kind: list, once: first, run: [ls, /tmp/tidy], list: files, match: "[a-z]+", most: 9, timeout: 5s}
      - {kind: exec, run: [rm, --, "{listed.files}"], check: exit 0, timeout: 5s}
`))
	if err != nil {
		t.Fatal(err)
	}
	p := &Planner{Catalogs: cs, Fleet: testFleet(t)}
	in := runbooks.Inputs{Cluster: "prod", Action: "tidy", Process: "tailer1", Listed: map[string][]string{"files@infra-1": {"a"}}}
	if plan, err := p.Plan(in); err == nil || !strings.Contains(err.Error(), "nothing was listed on query-1") {
		t.Errorf("%+v, %v", plan, err)
	}
	in.Hosts = []string{"infra-1"}
	mustPlan(t, p, in)
}

func TestOptionalsMintedAndOnce(t *testing.T) {
	p := testPlanner(t)
	in := runbooks.Inputs{Cluster: "site", Action: "save", Process: "alpha", Minted: map[string]string{"file": "20260209-140607-k3x7qa"}}
	want := []string{
		`exec a sudo save '--to=/srv/20260209-140607-k3x7qa.xml' '--lines=200' /srv/etcd/schema-ro /main/config/ p.1 "it's \$HOME" → exit 0`,
		"exec b echo b → exit 0",
	}
	plan := mustPlan(t, p, in)
	if diff := cmp.Diff(want, lines(plan.Steps)); diff != "" {
		t.Error(diff)
	}
	in.Params = map[string]string{"retain": "keep"}
	if got := mustPlan(t, p, in).Steps[0].Command; !strings.Contains(got, " '--retain=keep' ") {
		t.Error(got)
	}
	for _, bad := range []string{"", "x", "../../etc/passwd", "20260209-140607-k3x7qa;id"} {
		in.Minted["file"] = bad
		if _, err := p.Plan(in); !errors.As(err, new(*runbooks.ParamError)) {
			t.Errorf("minted %q: %v", bad, err)
		}
	}
	c, _ := p.Catalogs.Get("site")
	a, _ := c.Action("save", "alpha")
	in.Minted = a.Mint(time.Date(2026, 2, 9, 14, 6, 7, 0, time.UTC))
	if !strings.HasPrefix(in.Minted["file"], "20260209-140607-") {
		t.Errorf("minted %v", in.Minted)
	}
	mustPlan(t, p, in)
}
