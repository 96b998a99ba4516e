package planner_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dhbot/internal/fleet"
	"dhbot/internal/guard"
	"dhbot/internal/remote"
	"dhbot/internal/test/labtest"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// sh runs a shell line on a host, for preparation or clean-up.
func (l *lab) sh(host, line string) string {
	l.t.Helper()
	r := l.as("dhops", host, line, time.Minute)
	if r.Exit != 0 {
		l.t.Errorf("%s: %s: exit code %d: %s", host, line, r.Exit, r.Stderr.String())
	}
	return strings.TrimSpace(r.Stdout.String())
}

// refused checks that a request is refused before any change, both when it is made and when it
// is executed. The reason must contain text.
func (l *lab) refused(in runbooks.Inputs, text string) {
	l.t.Helper()
	_, plan, err := l.bind(in)
	if err == nil {
		l.refusedAtRequest(plan, text)
		out := l.carryOut(plan)
		if !strings.Contains(out.failed, text) {
			l.t.Errorf("%s %s: failed with %q; want %q", in.Action, in.Process, out.failed, text)
		}
		for _, done := range out.texts {
			if strings.HasPrefix(done, "exec") && !strings.Contains(done, "install -d") && !strings.Contains(done, "mkdir -p") {
				l.t.Errorf("%s %s: executed before the refusal: %s", in.Action, in.Process, done)
			}
		}
		return
	}
	if !strings.Contains(err.Error(), text) {
		l.t.Errorf("%s %s: %v; want %q", in.Action, in.Process, err, text)
	}
}

// refusedLater checks that a request is refused because of a target that comes later, before the
// first target is changed. The request must be refused both when it is made and at its start.
func (l *lab) refusedLater(in runbooks.Inputs, text string) {
	l.t.Helper()
	_, plan, err := l.bind(in)
	if err != nil {
		l.t.Errorf("%s: %v", in.Action, err)
		return
	}
	l.refusedAtRequest(plan, text)
	if err := guard.AtStart(l.t.Context(), l, plan); err == nil || !strings.Contains(err.Error(), text) {
		l.t.Errorf("%s at the start: %v; want %q", plan.Title, err, text)
	}
}

// refusedAtRequest checks the guards of a plan as a new request does. The guards must refuse,
// with a reason that contains text.
func (l *lab) refusedAtRequest(plan runbooks.Plan, text string) {
	l.t.Helper()
	if _, err := guard.AtRequest(l.t.Context(), l, plan); err == nil || !strings.Contains(err.Error(), text) {
		l.t.Errorf("%s at the request: %v; want %q", plan.Title, err, text)
	}
}

// Run executes a guard's command on a host of the lab.
func (l *lab) Run(_ context.Context, c remote.Command) remote.Result {
	return l.ssh(c.Host, c.Sent, c.Timeout)
}

// TestLabChanges executes every changing procedure of both catalogs on real hosts, and
// checks that its guards refuse. Each part repairs what it broke. A procedure that no part
// executes is a failure.
func TestLabChanges(t *testing.T) {
	labtest.Quick(t, labtest.Hosts(t))
	done := map[string]bool{}
	parts, ran := 0, 0
	for _, part := range []struct {
		name string
		run  func(*testing.T, *lab)
		// fleet changes the account's rights and the fleet of the plans.
		fleet func(*fleet.Cluster)
		only  string // a catalog
	}{
		{name: "queries", run: labQueries},
		{name: "intraday", run: labIntraday},
		{name: "snapshot", run: labSnapshot},
		{name: "files", run: labFiles, only: "current"},
		{name: "web api", run: labWebAPI, fleet: alsoWebAPI},
		{name: "supervision", run: labSupervision},
		{name: "databases", run: labDatabases},
		{name: "members", run: labMembers, only: "current"},
		{name: "checklists", run: labChecklists, fleet: alsoUpdates},
		{name: "controller", run: func(_ *testing.T, l *lab) { l.do(runbooks.Inputs{Action: "controller-reload"}) }, only: "legacy-20200121"},
		{name: "everything", run: labEverything, fleet: removeProcesses},
	} {
		for _, catalog := range []string{"current", "legacy-20200121"} {
			if part.only != "" && part.only != catalog {
				continue
			}
			parts++
			t.Run(part.name+"/"+catalog, func(t *testing.T) {
				ran++
				l := newLab(t, catalog, part.fleet)
				part.run(t, l)
				maps.Copy(done, l.done)
			})
		}
	}
	if ran == parts && !t.Failed() {
		everyChange(t, done)
	}
}

// actionKey identifies an action of a catalog.
func actionKey(c *catalogs.Catalog, a *catalogs.Action) string {
	return fmt.Sprint(c.Name, " ", a.Name, " ", a.Scope, a.Processes, a.Managers)
}

// everyChange reports the actions that were not executed to their end.
func everyChange(t *testing.T, done map[string]bool) {
	cs, err := catalogs.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	proved := map[string]bool{} // the commands that were executed
	for _, c := range cs {
		for _, a := range c.Actions() {
			if done[actionKey(c, a)] {
				proved[commandsOf(t, c, a)] = true
			}
		}
	}
	for _, c := range cs {
		for _, a := range c.Actions() {
			if a.Class.Changing() && !proved[commandsOf(t, c, a)] {
				t.Errorf("no part executes %s", actionKey(c, a))
			}
		}
	}
}

// commandsOf returns all commands of an action, for one of its processes. Shared commands
// are equal in both generations except for the call of monit, which is tested for each.
func commandsOf(t *testing.T, c *catalogs.Catalog, a *catalogs.Action) string {
	v, err := c.View()
	if err != nil {
		t.Fatal(err)
	}
	views := v.Actions
	for _, p := range v.Processes {
		if own, err := c.Action(a.Name, p.ID); err == nil && own == a {
			views = p.Actions
			break
		}
	}
	for _, w := range views {
		if w.Action == a.Name {
			var b strings.Builder
			for _, s := range w.Steps {
				command := strings.Replace(s.Command, strings.Join(c.Monit, " "), "monit", 1)
				fmt.Fprintln(&b, s.Kind, s.Use, s.Process, command, s.Check)
			}
			return a.Name + "\n" + b.String()
		}
	}
	t.Fatalf("%s has no view", actionKey(c, a))
	return ""
}

const queriesDir = "/var/backups/deephaven/queries"

// labQueries exports and imports persistent queries with the tools of both generations.
func labQueries(t *testing.T, l *lab) {
	l.sh("infra", "sudo -n cp /var/lib/dhlab/pq /var/lib/dhlab/pq.before")
	defer l.sh("infra", "sudo -n mv /var/lib/dhlab/pq.before /var/lib/dhlab/pq; sudo -n rm -rf "+queriesDir)
	count := func() string { return l.sh("infra", "sudo -n cat /var/lib/dhlab/pq | wc -l") }
	before := count()
	l.do(runbooks.Inputs{Action: "pq-export"})
	if out := l.do(runbooks.Inputs{Action: "pq-exports"}); strings.Count(out.output, "pq-20") != 1 {
		t.Errorf("exports: %s", out.output)
	}
	if mode := l.sh("infra", "stat -c '%a %U' "+queriesDir); mode != "700 root" {
		t.Errorf("the directory of the exports: %s", mode)
	}
	file := l.sh("infra", "sudo -n ls "+queriesDir)
	l.do(runbooks.Inputs{Action: "pq-import", Params: map[string]string{"file": file, "retain": "keep"}})
	l.do(runbooks.Inputs{Action: "pq-import-replace", Params: map[string]string{"file": file}})
	if after := count(); after != before {
		t.Errorf("%s queries became %s", before, after)
	}
	l.do(runbooks.Inputs{Action: "pq-import", Params: map[string]string{"file": file}})
	if after := count(); after == before {
		t.Errorf("a plain import added nothing to %s queries", before)
	}
	if n := l.sh("infra", "sudo -n ls "+queriesDir+" | wc -l"); n != "4" {
		t.Errorf("%s exports; every import must take one first", n)
	}
	l.full(queriesDir, func() {
		l.refused(runbooks.Inputs{Action: "pq-export"}, "at least 4.0 GiB are required")
	})
	for _, action := range []string{"pq-import", "pq-import-replace"} {
		l.refused(runbooks.Inputs{Action: action, Params: map[string]string{"file": "pq-20200101-000000-aaaaaa.xml"}}, "No such file")
	}
	l.full(queriesDir, func() {
		l.sh("infra", "echo x | sudo -n tee "+queriesDir+"/pq-20200101-000000-aaaaaa.xml >/dev/null")
		for _, action := range []string{"pq-import", "pq-import-replace"} {
			l.refused(runbooks.Inputs{Action: action, Params: map[string]string{"file": "pq-20200101-000000-aaaaaa.xml"}}, "at least 4.0 GiB are required")
		}
	})
}

// full mounts a full file system over a directory of infra, calls the function meanwhile, and
// then unmounts the file system.
func (l *lab) full(dir string, meanwhile func()) {
	l.t.Helper()
	l.sh("infra", "sudo -n mount -t tmpfs -o size=64k,mode=0755 tmpfs "+dir)
	defer l.sh("infra", "sudo -n umount "+dir)
	meanwhile()
}

// labIntraday removes a day of a table, and checks that the guards refuse.
func labIntraday(t *testing.T, l *lab) {
	l.sh("infra", `sudo -n -u dbmerge sh -c 'mkdir -p /db/Intraday/BotTest/Event/p.1/2018-02-09 /db/Intraday/BotTest/Event/p.2/2018-02-09 /db/Intraday/BotTest/Event/p.1/2018-02-10 &&
		echo x > /db/Intraday/BotTest/Event/p.1/2018-02-09/Event && cd /db/TempFiles/dbmerge/db_dis && mkdir -p p.1/2018-02-09 && cd p.1/2018-02-09 &&
		touch BotTest.Event.userstate BotTest.EventLog.userstate BotTest.Event.2018-02-09.bin.header BotTest.EventLog.2018-02-09.bin.header ../../p.1.2018-02-09.BotTest.Event.loaderState' &&
		sudo -n install -d -o dbmerge /db/Systems/BotTest && sudo -n -u dbmerge sh -c 'mkdir -p /db/Systems/BotTest/ImportDetails/p.1/2018-02-09 && touch /db/Systems/BotTest/ImportDetails/p.1/2018-02-09/Event.importDetails'`)
	defer l.sh("infra", "sudo -n rm -rf /db/Intraday/BotTest /db/TempFiles/dbmerge/db_dis/p.1 /db/TempFiles/dbmerge/db_dis/p.1.* /db/Systems/BotTest")
	in := runbooks.Inputs{Action: "intraday-cleanup", Process: "db_dis",
		Params: map[string]string{"namespace": "BotTest", "table": "Event", "partition": "*", "date": "2018-02-09"}}
	_, plan, err := l.bind(in)
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Found) < 2 || len(plan.Found[0].Lines) != 2 || !strings.Contains(plan.Found[1].Lines[0], "K /db/Intraday/BotTest/Event/p.1/2018-02-09") {
		t.Errorf("the card shows %+v", plan.Found)
	}
	// Add a path after the request and before the start.
	l.sh("infra", "sudo -n -u dbmerge mkdir -p /db/Intraday/BotTest/Event/p.3/2018-02-09")
	l.refusedAtRequest(plan, "changed since")
	if out := l.carryOut(plan); !strings.Contains(out.failed, "changed since") {
		t.Errorf("a list that has changed: %+v", out)
	}
	if plan.Catalog != "current" {
		for _, file := range []string{"/db/TempFiles/dbmerge/db_dis/p.2/2018-02-09/BotTest.Event.userstate", "/db/Systems/BotTest/ImportDetails/p.2/2018-02-09/Event.importDetails"} {
			l.listGrows(in, file)
		}
	}
	l.do(in)
	left := l.sh("infra", "cd /db/Intraday/BotTest && find . -type d | sort | tr '\\n' ' '")
	if left != ". ./Event ./Event/p.1 ./Event/p.1/2018-02-10 ./Event/p.2 ./Event/p.3" {
		t.Errorf("left is %s", left)
	}
	states := l.sh("infra", "cd /db && find TempFiles/dbmerge/db_dis Systems/BotTest -type f -name '*Event*' | sed 's,.*/,,' | sort | tr '\\n' ' '")
	want := map[string]string{
		"current": "BotTest.Event.2018-02-09.bin.header BotTest.Event.userstate BotTest.EventLog.2018-02-09.bin.header BotTest.EventLog.userstate " +
			"Event.importDetails p.1.2018-02-09.BotTest.Event.loaderState",
		"legacy-20200121": "BotTest.EventLog.2018-02-09.bin.header BotTest.EventLog.userstate",
	}[plan.Catalog]
	if states != want {
		t.Errorf("state files: %s, want %s", states, want)
	}
	l.refused(in, "nothing to act on")
	in.Params["table"] = "NoSuch"
	l.refused(in, "No such file or directory")
	in.Params["table"], in.Params["date"] = "Event", time.Now().UTC().Format(time.DateOnly)
	l.refused(in, "today=yes")
}

// listGrows adds a file after the request and before the start, checks that the start is refused,
// and removes the file.
func (l *lab) listGrows(in runbooks.Inputs, file string) {
	l.t.Helper()
	_, plan, err := l.bind(in)
	if err != nil {
		l.t.Errorf("%s: %v", in.Action, err)
		return
	}
	l.sh("infra", fmt.Sprintf("sudo -n -u dbmerge sh -c 'mkdir -p %s && touch %s'", filepath.Dir(file), file))
	defer l.sh("infra", "sudo -n rm -r "+filepath.Dir(filepath.Dir(file)))
	l.refusedAtRequest(plan, "changed since")
	if out := l.carryOut(plan); !strings.Contains(out.failed, "changed since") {
		l.t.Errorf("%s since the card: %+v", file, out)
	}
}

// labSnapshot makes a snapshot of etcd, and checks that the request is refused if the disk is
// full.
func labSnapshot(t *testing.T, l *lab) {
	before := l.sh("infra", "ls /backup")
	out := l.do(runbooks.Inputs{Action: "etcd-snapshot"})
	defer l.sh("infra", "sudo -n -u irisadmin find /backup -name 'etcd-snapshot-*' -mmin -10 -delete")
	if len(out.texts) == 0 || !strings.Contains(out.texts[len(out.texts)-1], "the snapshot can be read") || l.sh("infra", "ls /backup") == before {
		t.Errorf("%+v", out)
	}
	l.full("/backup", func() {
		l.refused(runbooks.Inputs{Action: "etcd-snapshot"}, "at least 4.0 GiB are required")
	})
}

// labFiles writes backup files, and checks that a backup is refused if the disk is full.
func labFiles(t *testing.T, l *lab) {
	const backups = "/db/TempFiles/irisadmin/backup"
	defer l.sh("infra", "sudo -n rm -rf "+backups)
	l.do(runbooks.Inputs{Action: "backup", Params: map[string]string{"parts": "ACLs,routing"}})
	if files := l.sh("infra", "ls "+backups+" | sed 's/-.*//' | tr '\n' ' '"); files != "acls routing" {
		t.Errorf("the requested parts: %s", files)
	}
	l.sh("infra", "sudo -n -u irisadmin touch -d '40 days ago' "+backups+"/old-backup.txt")
	retain := runbooks.Inputs{Action: "backup-retain", Params: map[string]string{"parts": "routing", "days": "30"}}
	_, plan, err := l.bind(retain)
	if err != nil || len(plan.Found) != 1 || len(plan.Found[0].Lines) != 1 {
		t.Fatalf("%+v, %v", plan.Found, err)
	}
	// Add a file to delete after the request and before the start.
	l.sh("infra", "sudo -n -u irisadmin touch -d '41 days ago' "+backups+"/older-backup.txt")
	l.refusedAtRequest(plan, "changed since")
	if out := l.carryOut(plan); !strings.Contains(out.failed, "changed since") {
		t.Errorf("a list that has changed: %+v", out)
	}
	l.do(retain)
	if files := l.sh("infra", "ls "+backups); strings.Contains(files, "old") {
		t.Errorf("the old backups are still there: %s", files)
	}
	l.full(backups, func() {
		l.refused(runbooks.Inputs{Action: "backup"}, "at least 4.0 GiB are required")
		l.refused(retain, "at least 4.0 GiB are required")
	})
}

// labSupervision changes the state of processes. An optional process and a query node
// suffice.
func labSupervision(t *testing.T, l *lab) {
	ltds := func(action string) outcome { return l.do(runbooks.Inputs{Action: action, Process: "db_ltds"}) }
	defer ltds("start")
	if out := ltds("stop"); len(out.texts) < 4 || !strings.Contains(out.texts[2], "is gone") || !strings.Contains(out.texts[3], "met: stopped") {
		t.Errorf("%+v", out)
	}
	ltds("start")
	if out := ltds("start"); len(out.texts) == 0 || !strings.Contains(out.texts[len(out.texts)-1], "it was running before") {
		t.Errorf("a start of a running process: %+v", out)
	}
	l.sh("infra", "sudo -n monit unmonitor db_ltds")
	l.refused(runbooks.Inputs{Action: "restart", Process: "db_ltds"}, "not monitored")
	l.refusedLater(runbooks.Inputs{Action: "restart", Process: "db_merge_server", Also: []runbooks.Part{{Process: "db_ltds"}}}, "not monitored")
	if out := ltds("monitor"); len(out.texts) != 3 {
		t.Errorf("%+v", out)
	}
	l.do(runbooks.Inputs{Action: "restart", Process: "db_merge_server"}) // its log has the other name
}

// labDatabases stops, starts and restarts MariaDB.
func labDatabases(t *testing.T, l *lab) {
	defer l.sh("infra", "sudo -n systemctl start mariadb")
	for _, action := range []string{"restart", "stop", "start"} {
		l.do(runbooks.Inputs{Action: action, Process: "mariadb"})
	}
}

// quorum waits until the members agree on a leader. It ends the test if they do not, since
// no guard can be tested then.
func (l *lab) quorum() {
	l.t.Helper()
	if l.do(runbooks.Inputs{Action: "etcd-health"}); l.t.Failed() {
		l.t.FailNow()
	}
}

// startEtcd starts all members at once, because a single member does not start without a quorum.
func (l *lab) startEtcd() {
	for _, h := range []string{"infra", "query1", "query2"} {
		l.sh(h, "sudo -n systemctl start --no-block dh-etcd")
	}
	l.quorum()
}

// labMembers checks the rules for etcd members. While one member is down, the others must not be
// changed, and the down member may be restarted. Without a quorum, processes that need it do not
// start, but a member may be started to restore it.
func labMembers(t *testing.T, l *lab) {
	member := func(action, host string) runbooks.Inputs {
		return runbooks.Inputs{Action: action, Process: "etcd", Hosts: []string{host}}
	}
	l.quorum()
	defer l.startEtcd()
	l.do(member("restart", "query1"))
	l.do(member("stop", "query1"))
	l.quorum() // if the stopped member was the leader, a new leader must be elected first
	l.refused(member("restart", "query2"), "there would be no quorum of 2")
	l.refused(member("stop", "query2"), "there would be no quorum of 2")
	out := l.do(member("restart", "query1"))
	if len(out.texts) < 7 || !strings.Contains(out.texts[2], "it does not run") || !strings.Contains(out.texts[6], "caught up") {
		t.Errorf("%+v", out)
	}

	for _, h := range []string{"query1", "query2"} {
		l.sh(h, "sudo -n systemctl stop dh-etcd")
	}
	soon := func(in runbooks.Inputs, text string) {
		t.Helper()
		_, plan, err := l.bind(in)
		if err != nil {
			t.Errorf("%s: %v", in.Action, err)
			return
		}
		if plan.FirstChange() > 0 {
			l.refusedAtRequest(plan, text)
		}
		plan.Steps[0].Within = runbooks.Duration(time.Second) // the step waits for a quorum, which never comes here
		if out := l.carryOut(plan); !strings.Contains(out.failed, text) || len(out.texts) != 1 {
			t.Errorf("%s without a quorum: %+v", in.Action, out)
		}
	}
	var wg sync.WaitGroup
	for _, in := range []runbooks.Inputs{
		{Action: "etcd-health"}, {Action: "restart-all"}, {Action: "rolling-patch"},
		{Action: "restart-host", Hosts: []string{"query1"}}, {Action: "dh-monit-restart-all", Hosts: []string{"query1"}},
	} {
		wg.Go(func() { soon(in, "no quorum") }) // etcd takes seconds to report that the quorum is lost
	}
	wg.Wait()
	if out := l.do(member("start", "query1")); len(out.texts) < 5 || !strings.Contains(out.texts[4], "caught up") {
		t.Errorf("the member that brings the quorum back: %+v", out)
	}
}

// alsoWebAPI gives query2 the service that is disabled there.
func alsoWebAPI(cl *fleet.Cluster) {
	cl.Hosts[2].Processes = append(cl.Hosts[2].Processes, "web_api_service")
}

// labWebAPI enables the disabled service.
func labWebAPI(t *testing.T, l *lab) {
	in := runbooks.Inputs{Action: "webapi-enable", Process: "web_api_service", Hosts: []string{"query2"}}
	// The service is unmonitored before it is stopped, because monit remembers not to monitor a
	// service that it has stopped.
	defer l.sh("query2", `cd /etc/sysconfig/illumon.d/monit && sudo -n mv web_api_service.conf web_api_service.disabled && sudo -n monit reload &&
		for i in $(seq 60); do sudo -n monit status web_api_service >/dev/null 2>&1 || break; sleep 0.5; done; sudo -n /usr/illumon/latest/bin/dh_service stop web_api_service`)
	// With both an enabling and a disabling file, a person must decide which applies.
	const both = "/etc/sysconfig/illumon.d/monit/old-web_api_service.conf"
	l.sh("query2", "sudo -n touch "+both)
	l.refused(in, "there is "+both)
	l.sh("query2", "sudo -n rm "+both)
	l.do(in)
	l.refused(in, "No such file")
}

// alsoUpdates removes all but a few processes from the cluster, and sets the URL that makes the
// web server reload its client updates.
func alsoUpdates(cl *fleet.Cluster) {
	keep := []string{"configuration_server", "authentication_server", "etcd", "web_api_service", "client_update_service", "db_dis"}
	for i := range cl.Hosts {
		h := &cl.Hosts[i]
		h.Processes = slices.DeleteFunc(h.Processes, func(p string) bool { return !slices.Contains(keep, p) })
	}
}

// labChecklists executes the waits and restarts of each checklist. It skips the manual
// steps.
func labChecklists(t *testing.T, l *lab) {
	var asked atomic.Int32
	answer := atomic.Pointer[http.HandlerFunc]{}
	say := func(f http.HandlerFunc) { answer.Store(&f) }
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Method != http.MethodGet || r.URL.Path != "/reload/" {
			t.Errorf("%s %s was requested", r.Method, r.URL)
		}
		(*answer.Load())(w, r)
	}))
	defer web.Close()
	cl := &l.planner.Fleet.Clusters[0]
	c, _ := l.planner.Catalogs.Get(cl.Catalog)
	params := map[string]map[string]string{
		"restore-backup":    {"part": "routing"},
		"intraday-truncate": {"namespace": "Order", "table": "Event", "date": "2018-02-09"},
	}
	for _, a := range c.Actions() {
		if a.Scope == catalogs.AboutCluster && checklist(t, c, a.Name) {
			l.do(runbooks.Inputs{Action: a.Name, Params: params[a.Name]})
		}
	}
	if cl.Catalog != "current" {
		return // the legacy generation has another service for updates
	}
	l.curl("infra")
	cl.Hosts[0].ClientUpdateReload = web.URL + "/reload/"
	reload := runbooks.Inputs{Action: "cus-reload"}
	say(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	l.do(reload)
	for _, bad := range []http.HandlerFunc{
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
		func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere/", http.StatusFound) },
	} {
		say(bad)
		_, plan, err := l.bind(reload)
		if err != nil {
			t.Fatal(err)
		}
		if out := l.carryOut(plan); !strings.Contains(out.failed, "exit code") {
			t.Errorf("a server that does not answer: %+v", out)
		}
	}
	if n := asked.Load(); n != 4 {
		t.Errorf("%d requests for 4 reloads", n)
	}
}

// curl installs this machine's curl and its libraries on a lab host until the test ends, because
// the lab's hosts have no curl.
func (l *lab) curl(host string) {
	l.t.Helper()
	program, err := exec.LookPath("curl")
	if err != nil {
		l.t.Fatalf("no curl here to put on the lab's host: %v", err)
	}
	libs, err := exec.Command("ldd", program).Output()
	if err != nil {
		l.t.Fatal(err)
	}
	dir := l.t.TempDir()
	loader := ""
	for _, word := range append(strings.Fields(string(libs)), program) {
		if !strings.HasPrefix(word, "/") {
			continue
		}
		b, err := os.ReadFile(word)
		if err != nil {
			l.t.Fatal(err)
		}
		if name := filepath.Base(word); strings.HasPrefix(name, "ld-linux") {
			loader = name
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(word)), b, 0o755); err != nil {
			l.t.Fatal(err)
		}
	}
	const at = "/opt/dhbot-curl"
	l.t.Cleanup(func() { l.sh(host, "sudo -n rm -rf "+at+" /usr/local/bin/curl") })
	pack := exec.Command("tar", "-C", dir, "-cf", "-", ".")
	var tar bytes.Buffer
	pack.Stdout = &tar
	if err := pack.Run(); err != nil {
		l.t.Fatal(err)
	}
	unpack := exec.Command("ssh", "-F", os.Getenv(labtest.Env), "-o", "BatchMode=yes", host, "sudo -n sh -c 'mkdir -p "+at+" && chmod 755 "+at+
		" && tar -C "+at+" --no-overwrite-dir -xf - && printf \"#!/bin/sh\\nexec "+at+"/"+loader+" --library-path "+at+" "+at+"/curl \\\"\\$@\\\"\\n\" > /usr/local/bin/curl && chmod 755 /usr/local/bin/curl'")
	unpack.Stdin = &tar
	if out, err := unpack.CombinedOutput(); err != nil {
		l.t.Fatalf("%v\n%s", err, out)
	}
}

// checklist reports whether an action is a checklist, that is, has manual steps. It
// excludes cus-reload.
func checklist(t *testing.T, c *catalogs.Catalog, action string) bool {
	v, err := c.View()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range v.Actions {
		if a.Action == action {
			return action != "cus-reload" && how(a) == "checklist"
		}
	}
	return false
}

// removeProcesses removes most processes from a cluster of the legacy generation, so that one is left for
// each place in the restart order. A cluster of the current generation keeps all processes.
func removeProcesses(cl *fleet.Cluster) {
	if cl.Catalog == "current" {
		return
	}
	keep := []string{"configuration_server", "authentication_server", "iris_controller", "db_query_server", "client_update_service", "etcd"}
	for i := range cl.Hosts {
		h := &cl.Hosts[i]
		h.Processes = slices.DeleteFunc(h.Processes, func(p string) bool { return !slices.Contains(keep, p) })
	}
}

// labEverything restarts, stops and starts all processes of all hosts.
func labEverything(_ *testing.T, l *lab) {
	l.do(runbooks.Inputs{Action: "restart-all"})
	l.do(runbooks.Inputs{Action: "restart-host", Hosts: []string{"query1"}})
	if l.planner.Fleet.Clusters[0].Catalog != "current" {
		return // the rest is the same in both
	}
	l.do(runbooks.Inputs{Action: "dh-monit-restart-all", Hosts: []string{"query1"}})
	l.do(runbooks.Inputs{Action: "rolling-patch"}) // installing is a manual step and is skipped
	l.do(runbooks.Inputs{Action: "verify"})
}
