package planner

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// bound makes a plan. listed has the results of the discovery reads, by list and host.
func bound(t *testing.T, in runbooks.Inputs, listed map[string][]string) (runbooks.Plan, error) {
	t.Helper()
	p := testPlanner(t)
	c, _ := p.Fleet.Cluster(in.Cluster)
	catalog, _ := p.Catalogs.Get(c.Catalog)
	a, err := catalog.Action(in.Action, in.Process)
	if err != nil {
		t.Fatal(err)
	}
	in.Minted = map[string]string{}
	for _, name := range a.Minted {
		in.Minted[name] = "20260209-140607-k3x7qa"
	}
	in.Listed = map[string][]string{}
	for range 4 {
		plan, err := p.Plan(in)
		if err != nil || len(plan.Discover) == 0 {
			return plan, err
		}
		for _, s := range plan.Discover {
			answer, ok := listed[s.List]
			if !ok {
				t.Fatalf("no answer to %s: %s", s.List, s.Command)
			}
			in.Listed[s.List] = answer
		}
	}
	t.Fatal("discovery never ends")
	return runbooks.Plan{}, nil
}

func changes(plan runbooks.Plan) (out []string) {
	for _, s := range plan.Steps {
		if s.Changes() {
			out = append(out, s.Host+" "+s.Command)
		}
	}
	return out
}

var event = map[string]string{"namespace": "Order", "table": "Event", "partition": "*", "date": "2018-02-09"}

// The approval of a removal covers exactly the listed paths. The command contains these paths,
// and a check before the command must find them again.
func TestIntradayRemovesWhatWasListed(t *testing.T) {
	paths := []string{"/db/Intraday/Order/Event/query-1/2018-02-09", "/db/Intraday/Order/Event/infra-1/2018-02-09"}
	in := runbooks.Inputs{Cluster: "prod", Action: "intraday-cleanup", Process: "db_dis", Params: event}
	plan, err := bound(t, in, map[string][]string{
		"paths@infra-1": paths,
		"sizes@infra-1": {"8.0K\t" + paths[1], "1.2G\t" + paths[0]},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"infra-1 sudo -u dbmerge rm -r /db/Intraday/Order/Event/infra-1/2018-02-09 /db/Intraday/Order/Event/query-1/2018-02-09"}
	if diff := cmp.Diff(want, changes(plan)); diff != "" {
		t.Error(diff)
	}
	if plan.Class != runbooks.Destructive || plan.Severity != runbooks.Critical || !strings.Contains(plan.Impact, "deleted") {
		t.Errorf("%+v", plan)
	}
	shown := []runbooks.Listing{
		{Title: "what would be removed", Host: "infra-1", Lines: paths},
		{Title: "size of what would be removed", Host: "infra-1", Lines: []string{"8.0K " + paths[1], "1.2G " + paths[0]}},
	}
	if diff := cmp.Diff(shown, plan.Found); diff != "" {
		t.Error(diff)
	}
	guard := plan.Steps[0]
	if guard.Until != runbooks.Unchanged || guard.Expect != ListHash(paths) || guard.Expect != ListHash([]string{paths[1], paths[0]}) || guard.Expect == ListHash(paths[:1]) {
		t.Errorf("the check before: %+v", guard)
	}
	other, err := bound(t, in, map[string][]string{"paths@infra-1": paths[:1], "sizes@infra-1": {"1.2G\t" + paths[0]}})
	if err != nil || other.Digest == plan.Digest {
		t.Errorf("another list has the same digest, or an error: %v", err)
	}
	grown, err := bound(t, in, map[string][]string{"paths@infra-1": paths, "sizes@infra-1": {"9.0K\t" + paths[1], "1.3G\t" + paths[0]}})
	if err != nil || grown.Digest != plan.Digest {
		t.Errorf("a larger size made another plan, or an error: %v", err)
	}
}

// A host's list is never assumed to match the request.
func TestListedLinesMustHaveTheirShape(t *testing.T) {
	in := runbooks.Inputs{Cluster: "prod", Action: "intraday-cleanup", Process: "db_dis", Params: event}
	for _, lines := range [][]string{
		{}, {"/"}, {"/db/Intraday"}, {"/db/Intraday/Order/Event/../x/2018-02-09/.."}, {"/db/Intraday/Order/Event/a b/2018-02-09"},
		{"-rf"}, {"/db/Intraday/Order/Event/p/2018-02-09; rm -rf /"}, {"find: warning"}, {"/db/Intraday/Order/Event/p/2018-02-09\x1b[0m"},
		slices.Repeat([]string{"/db/Intraday/Order/Event/p/2018-02-09"}, 151),
	} {
		if plan, err := bound(t, in, map[string][]string{"paths@infra-1": lines}); !errors.As(err, new(*runbooks.ParamError)) {
			t.Errorf("%q: %v, %v", lines[:min(1, len(lines))], changes(plan), err)
		}
	}
}

// The legacy generation also has state files; missing state files are omitted.
func TestIntradayOfTheLegacyGeneration(t *testing.T) {
	in := runbooks.Inputs{Cluster: "old", Action: "intraday-cleanup", Process: "db_dis", Params: event}
	answers := map[string][]string{
		"paths@infra-1":   {"/db/Intraday/Order/Event/p.1/2018-02-09"},
		"sizes@infra-1":   {"8.0K\t/db/Intraday/Order/Event/p.1/2018-02-09"},
		"states@infra-1":  {"/db/TempFiles/dbmerge/db_dis/p.1.2018-02-09.Order.Event.loaderState", "/db/TempFiles/dbmerge/db_dis/p.1/2018-02-09/Order.Event.userstate"},
		"details@infra-1": {},
	}
	plan, err := bound(t, in, answers)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"infra-1 sudo -u dbmerge rm -r /db/Intraday/Order/Event/p.1/2018-02-09",
		"infra-1 sudo -u dbmerge rm /db/TempFiles/dbmerge/db_dis/p.1.2018-02-09.Order.Event.loaderState /db/TempFiles/dbmerge/db_dis/p.1/2018-02-09/Order.Event.userstate",
	}
	if diff := cmp.Diff(want, changes(plan)); diff != "" {
		t.Error(diff)
	}
	// The plan also checks that an empty list is unchanged.
	if !slices.ContainsFunc(plan.Steps, func(s runbooks.Step) bool { return s.Until == runbooks.Unchanged && s.Expect == ListHash(nil) }) {
		t.Error("the empty list is not checked again")
	}
}

func TestLogsUseTheGivenParameters(t *testing.T) {
	slices := []string{
		"/var/log/deephaven/dis/DataImportServer.log.current", "/var/log/deephaven/dis/DataImportServer.log.2026-02-09-134500.000-0500",
		"/var/log/deephaven/dis/DataImportServer.log.2026-02-09-133000.000-0500",
	}
	last := slices[1] + " " + slices[0]
	all := slices[2] + " " + last
	for _, tt := range []struct {
		params map[string]string
		want   []string
	}{
		{nil, []string{"tail -q -n 200 " + last}},
		{map[string]string{"lines": "7"}, []string{"tail -q -n 7 " + last}},
		{map[string]string{"grep": "it's $HOME"}, []string{`grep -h -F -e "it's \$HOME" ` + last}},
		{map[string]string{"errors": "yes", "since": "2026-02-09 14:06:07 UTC"}, []string{"grep -h -w -E -e 'ERROR|FATAL|STDERR|EMAIL' " + all}},
		{map[string]string{"errors": "yes", "grep": "x"}, []string{"grep -h -F -e x " + last, "grep -h -w -E -e 'ERROR|FATAL|STDERR|EMAIL' " + last}},
	} {
		plan, err := bound(t, runbooks.Inputs{Cluster: "prod", Action: "logs", Process: "db_dis", Params: tt.params}, map[string][]string{"slices@infra-1": slices})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range plan.Steps {
			got = append(got, s.Command)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%v: %s", tt.params, diff)
		}
	}
	plan := mustPlan(t, testPlanner(t), runbooks.Inputs{Cluster: "prod", Action: "logs", Process: "db_merge_server", Params: map[string]string{"since": "2026-02-09 14:06:07 UTC"}})
	if want := "find /var/log/deephaven/merge_server -maxdepth 1 -type f '(' -name db_merge_server.log.current -o -name 'db_merge_server.log.????-??-??-*' -links 1" +
		" -o -name RemoteQueryDispatcher.log.current -o -name 'RemoteQueryDispatcher.log.????-??-??-*' -links 1 ')' -newermt '2026-02-09 14:06:07 UTC'"; plan.Discover[0].Command != want {
		t.Error(plan.Discover[0].Command)
	}
	for _, bad := range []map[string]string{{"grep": ""}, {"grep": "-r"}, {"grep": "a\nb"}, {"grep": strings.Repeat("x", 201)}, {"since": "yesterday"}, {"since": "2026-02-30 00:00:00 UTC"}, {"lines": "501"}, {"errors": "no"}} {
		if _, err := testPlanner(t).Plan(runbooks.Inputs{Cluster: "prod", Action: "logs", Process: "db_dis", Params: bad}); !errors.As(err, new(*runbooks.ParamError)) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestSettle(t *testing.T) {
	now := time.Date(2026, 2, 9, 14, 6, 7, 0, time.FixedZone("", -5*3600))
	a := &catalogs.Action{Params: []catalogs.Param{{Name: "since", Type: catalogs.InstantParam}, {Name: "parts", Type: catalogs.FlagsParam, Choices: []string{"all", "etcd", "ACLs"}}, {Name: "grep", Type: catalogs.TextParam}}}
	for _, tt := range []struct{ name, in, want string }{
		{"since", "30m", "2026-02-09 18:36:07 UTC"},
		{"since", "2h", "2026-02-09 17:06:07 UTC"},
		{"since", "1d", "2026-02-08 19:06:07 UTC"},
		{"since", "2026-02-09T14:00", "2026-02-09 14:00:00 UTC"},
		{"since", "2026-02-09T14:00:00-05:00", "2026-02-09 19:00:00 UTC"},
		{"since", "2026-02-09", "2026-02-09 00:00:00 UTC"},
		{"since", "2026-02-09 14:00:00 UTC", "2026-02-09 14:00:00 UTC"},
		{"since", "yesterday; reboot", "yesterday; reboot"},
		{"since", "-5m", "-5m"},
		{"parts", "acls,ETCD", "etcd,ACLs"},
		{"parts", "acls,acls", "ACLs"},
		{"parts", "acls,nosuch", "acls,nosuch"},
		{"grep", "30m", "30m"},
	} {
		if got := a.Settle(map[string]string{tt.name: tt.in}, now)[tt.name]; got != tt.want {
			t.Errorf("%s=%s became %q, want %q", tt.name, tt.in, got, tt.want)
		}
	}
	if got := a.Settle(nil, now); len(got) != 0 {
		t.Errorf("a parameter that was not given became %v", got)
	}
}

func TestBackupNamesItsParts(t *testing.T) {
	backup := func(parts string) (string, error) {
		plan, err := testPlanner(t).Plan(runbooks.Inputs{Cluster: "prod", Action: "backup", Params: map[string]string{"parts": parts}})
		if err != nil {
			return "", err
		}
		return changes(plan)[1], nil
	}
	const tool = "infra-1 sudo -u irisadmin /usr/illumon/latest/bin/backup_deephaven --directory /db/TempFiles/irisadmin/backup "
	for parts, want := range map[string]string{"all": tool + "--all", "etcd,ACLs,routing": tool + "--etcd --ACLs --routing"} {
		if got, err := backup(parts); got != want {
			t.Errorf("%s: %s, %v", parts, got, err)
		}
	}
	for _, bad := range []string{"", "retain", "ACLs,etcd", "etcd,etcd", "etcd,", "etcd --retain"} {
		if got, err := backup(bad); err == nil {
			t.Errorf("%q: %s", bad, got)
		}
	}
}

// A day that is not over in every time zone requires one more parameter.
func TestTodayNeedsAParameter(t *testing.T) {
	p := testPlanner(t)
	p.Now = func() time.Time { return time.Date(2026, 2, 10, 13, 0, 0, 0, time.UTC) }
	try := func(date, today string) error {
		params := map[string]string{"namespace": "Order", "table": "Event", "partition": "p.1", "date": date}
		if today != "" {
			params["today"] = today
		}
		_, err := p.Plan(runbooks.Inputs{Cluster: "prod", Action: "intraday-cleanup", Process: "db_dis", Params: params})
		return err
	}
	if err := try("2026-02-09", ""); err != nil {
		t.Error(err)
	}
	if err := try("2026-02-10", ""); err == nil || !strings.Contains(err.Error(), "today=yes") {
		t.Errorf("today: %v", err)
	}
	if err := try("2026-02-10", "yes"); err != nil {
		t.Error(err)
	}
	if err := try("2026-02-12", "yes"); err == nil {
		t.Error("a future date was accepted")
	}
}

// TestRestartAllGoesInOrder checks the order of a full restart in the plan.
func TestRestartAllGoesInOrder(t *testing.T) {
	for cluster, host := range map[string]string{"prod": "", "old": "", "prod of a host": "query-1"} {
		in := runbooks.Inputs{Cluster: strings.Fields(cluster)[0], Action: "restart-all"}
		if host != "" {
			in.Action, in.Hosts = "restart-host", []string{host}
		}
		plan := mustPlan(t, testPlanner(t), in)
		if plan.Steps[0].Until != runbooks.EtcdQuorum || plan.Severity != runbooks.Critical || plan.Class != runbooks.Disruptive {
			t.Errorf("%s begins with %+v", cluster, plan.Steps[0])
		}
		at := map[string]int{}
		for i, s := range plan.Steps {
			if !s.Changes() {
				continue
			}
			if s.Process == "etcd" || s.Process == "mariadb" {
				t.Errorf("%s: %s", cluster, s.Command)
			}
			key := s.Process + "@" + s.Host
			if _, twice := at[key]; twice {
				t.Errorf("%s: %s is restarted twice", cluster, key)
			}
			at[key] = i + 1
			if next := plan.Steps[i+1]; next.Until != runbooks.Restarted || next.Process != s.Process {
				t.Errorf("%s: no step waits for %s", cluster, key)
			}
		}
		if host != "" {
			if len(at) != 4 {
				t.Errorf("%s: %v", cluster, at)
			}
			continue
		}
		for i, key := range []string{"authentication_server@infra-1", "db_query_server@query-1", "db_query_server@query-2", "db_dis@infra-1", "web_api_service@infra-1"} {
			before := []string{"configuration_server@infra-1", "authentication_server@infra-1", "authentication_server@infra-1", "db_query_server@query-2", "db_dis@infra-1"}[i]
			if at[before] == 0 || at[key] < at[before] {
				t.Errorf("%s: %s (%d) does not wait for %s (%d)", cluster, key, at[key], before, at[before])
			}
		}
		c, _ := testPlanner(t).Fleet.Cluster(in.Cluster)
		for _, h := range c.Hosts {
			for _, p := range h.Processes {
				if p != "etcd" && p != "mariadb" && at[p+"@"+h.Name] == 0 {
					t.Errorf("%s leaves out %s on %s", cluster, p, h.Name)
				}
			}
		}
		if !slices.Contains(plan.Locks, in.Cluster+"/etcd") || !slices.Contains(plan.Locks, in.Cluster+"/query-2/monit") {
			t.Errorf("%s locks %v", cluster, plan.Locks)
		}
	}
}

// A sequence over the whole cluster locks the supervisors of all its hosts.
func TestRollingPatchLocksEveryHost(t *testing.T) {
	plan := mustPlan(t, testPlanner(t), runbooks.Inputs{Cluster: "prod", Action: "rolling-patch"})
	if diff := cmp.Diff([]string{"prod/etcd", "prod/infra-1/monit", "prod/process/authentication_server", "prod/process/configuration_server", "prod/query-1/monit", "prod/query-2/monit"}, plan.Locks); diff != "" {
		t.Error(diff)
	}
	manual := 0
	for _, s := range plan.Steps {
		if s.Kind == runbooks.Manual {
			manual++
		}
	}
	if manual != 3 {
		t.Errorf("%d manual steps; each must appear once, not once per host", manual)
	}
	starts := slices.DeleteFunc(changes(plan), func(s string) bool { return !strings.Contains(s, " start ") })
	want := []string{
		"infra-1 sudo -u irisadmin monit start configuration_server", "infra-1 sudo -u irisadmin monit start authentication_server",
		"query-1 sudo -u irisadmin monit start all", "query-2 sudo monit start all", "infra-1 sudo -u irisadmin monit start all",
	}
	if diff := cmp.Diff(want, starts); diff != "" {
		t.Error(diff)
	}
}

// A process that is missing in the cluster is reported.
func TestNothingToDo(t *testing.T) {
	f := testFleet(t)
	infra := &f.Clusters[0].Hosts[0]
	infra.Processes = slices.DeleteFunc(slices.Clone(infra.Processes), func(p string) bool { return p == "mariadb" || p == "configuration_server" })
	p := testPlanner(t)
	p.Fleet = f
	if _, err := p.Plan(runbooks.Inputs{Cluster: "prod", Action: "databases"}); err == nil || !strings.Contains(err.Error(), "nothing to do in prod") {
		t.Errorf("databases without MariaDB: %v", err)
	}
	if _, err := p.Plan(runbooks.Inputs{Cluster: "prod", Action: "etcd-status"}); !errors.As(err, new(*runbooks.PlacementError)) || !strings.Contains(err.Error(), "configuration_server") {
		t.Errorf("etcd without a host that has its client: %v", err)
	}
}

// The reload of the Client Update Service is a request if the site configures it, and otherwise
// a manual step. It is never both.
func TestClientUpdateReload(t *testing.T) {
	p := testPlanner(t)
	in := runbooks.Inputs{Cluster: "prod", Action: "cus-reload"}
	by := func() (out []string) {
		t.Helper()
		plan, err := p.Plan(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range plan.Steps {
			out = append(out, string(s.Kind)+" "+s.Host)
		}
		return out
	}
	if d := cmp.Diff([]string{"manual infra-1", "manual infra-1", "manual infra-1"}, by()); d != "" {
		t.Errorf("without an address: %s", d)
	}
	cl, _ := p.Fleet.Cluster("prod")
	cl.Hosts[1].Processes = append(cl.Hosts[1].Processes, "web_api_service")
	cl.Hosts[0].ClientUpdateReload = "https://web-1.example.com:8123/reload/"
	want := []string{"wait infra-1", "exec infra-1", "wait infra-1", "manual query-1", "manual query-1", "manual query-1"}
	if d := cmp.Diff(want, by()); d != "" {
		t.Errorf("with the address of one of two: %s", d)
	}
	plan, err := p.Plan(in)
	if err != nil {
		t.Fatal(err)
	}
	const curl = "curl --disable --globoff --silent --show-error --fail --location --max-redirs 0 --connect-timeout 10 --output /dev/null "
	if got := plan.Steps[1]; got.Sent != "env LC_ALL=C timeout -k 5 120 "+curl+"https://web-1.example.com:8123/reload/" || got.Source != "process-runbooks.md:639" {
		t.Errorf("sent %q, from %s", got.Sent, got.Source)
	}
	cl.Hosts[0].ClientUpdateReload += "?x=1"
	if other, err := p.Plan(in); err != nil || other.Digest == plan.Digest {
		t.Errorf("another address has the digest %q (%v): an approval would cover it", other.Digest, err)
	}
}
