package runbooks_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"dhbot/runbooks"
)

// sh runs a line of shell on a host, as preparation or clean-up.
func (l *lab) sh(host, line string) string {
	l.t.Helper()
	r := l.as("dhops", host, line, time.Minute)
	if r.Exit != 0 {
		l.t.Errorf("%s: %s: exit code %d: %s", host, line, r.Exit, r.Stderr.String())
	}
	return strings.TrimSpace(r.Stdout.String())
}

// refused carries a request out that must be stopped by what text names,
// before anything was changed.
func (l *lab) refused(in runbooks.Inputs, text string) {
	l.t.Helper()
	_, plan, err := l.bind(in)
	if err == nil {
		out := l.carryOut(plan)
		if !strings.Contains(out.failed, text) {
			l.t.Errorf("%s %s: failed by %q; want %q", in.Action, in.Process, out.failed, text)
		}
		for _, done := range out.texts {
			if strings.HasPrefix(done, "exec") && !strings.Contains(done, "install -d") {
				l.t.Errorf("%s %s: before it was refused: %s", in.Action, in.Process, done)
			}
		}
		return
	}
	if !strings.Contains(err.Error(), text) {
		l.t.Errorf("%s %s: %v; want %q", in.Action, in.Process, err, text)
	}
}

const queriesDir = "/var/backups/deephaven/queries"

// TestLabQueries exports and imports persistent queries with the tools of both
// generations.
func TestLabQueries(t *testing.T) {
	for _, catalog := range []string{"current", "legacy-20200121"} {
		t.Run(catalog, func(t *testing.T) {
			l := newLab(t, catalog)
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
			l.refused(runbooks.Inputs{Action: "pq-import", Params: map[string]string{"file": "pq-20200101-000000-aaaaaa.xml"}}, "No such file")
		})
	}
}

// TestLabIntraday removes a day of a table, once in each generation, and sees
// the guards refuse.
func TestLabIntraday(t *testing.T) {
	for _, catalog := range []string{"current", "legacy-20200121"} {
		t.Run(catalog, func(t *testing.T) {
			l := newLab(t, catalog)
			l.sh("infra", `sudo -n -u dbmerge sh -c 'mkdir -p /db/Intraday/BotTest/Event/p.1/2018-02-09 /db/Intraday/BotTest/Event/p.2/2018-02-09 /db/Intraday/BotTest/Event/p.1/2018-02-10 &&
				echo x > /db/Intraday/BotTest/Event/p.1/2018-02-09/Event && mkdir -p /db/TempFiles/dbmerge/db_dis/p.1/2018-02-09 &&
				touch /db/TempFiles/dbmerge/db_dis/p.1/2018-02-09/BotTest.Event.userstate /db/TempFiles/dbmerge/db_dis/p.1/2018-02-09/BotTest.EventLog.userstate'`)
			defer l.sh("infra", "sudo -n rm -rf /db/Intraday/BotTest /db/TempFiles/dbmerge/db_dis/p.1")
			in := runbooks.Inputs{Action: "intraday-cleanup", Process: "db_dis",
				Params: map[string]string{"namespace": "BotTest", "table": "Event", "partition": "*", "date": "2018-02-09"}}
			_, plan, err := l.bind(in)
			if err != nil {
				t.Fatal(err)
			}
			if len(plan.Found) < 2 || len(plan.Found[0].Lines) != 2 || !strings.Contains(plan.Found[1].Lines[0], "K /db/Intraday/BotTest/Event/p.1/2018-02-09") {
				t.Errorf("the card shows %+v", plan.Found)
			}
			// One more path between card and click.
			l.sh("infra", "sudo -n -u dbmerge mkdir -p /db/Intraday/BotTest/Event/p.3/2018-02-09")
			if out := l.carryOut(plan); !strings.Contains(out.failed, "changed since") {
				t.Errorf("a list that has changed: %+v", out)
			}
			l.do(in)
			left := l.sh("infra", "cd /db/Intraday/BotTest && find . -type d | sort | tr '\\n' ' '")
			if left != ". ./Event ./Event/p.1 ./Event/p.1/2018-02-10 ./Event/p.2 ./Event/p.3" {
				t.Errorf("left is %s", left)
			}
			states := l.sh("infra", "ls /db/TempFiles/dbmerge/db_dis/p.1/2018-02-09 | tr '\\n' ' '")
			if want := map[bool]string{true: "BotTest.Event.userstate BotTest.EventLog.userstate", false: "BotTest.EventLog.userstate"}[catalog == "current"]; states != want {
				t.Errorf("state files: %s, want %s", states, want)
			}
			l.refused(in, "nothing to act on")
			in.Params["table"] = "NoSuch"
			l.refused(in, "No such file or directory")
			in.Params["table"], in.Params["date"] = "Event", time.Now().UTC().Format(time.DateOnly)
			l.refused(in, "today=yes")
		})
	}
}

// TestLabFiles writes what backs a cluster up.
func TestLabFiles(t *testing.T) {
	l := newLab(t, "current")
	before := l.sh("infra", "ls /backup")
	defer l.sh("infra", "sudo -n rm -rf /db/TempFiles/irisadmin/backup")
	out := l.do(runbooks.Inputs{Action: "etcd-snapshot"})
	defer l.sh("infra", "sudo -n -u irisadmin find /backup -name 'etcd-snapshot-*' -mmin -10 -delete")
	if len(out.texts) == 0 || !strings.Contains(out.texts[len(out.texts)-1], "the snapshot can be read") || l.sh("infra", "ls /backup") == before {
		t.Errorf("%+v", out)
	}
	l.do(runbooks.Inputs{Action: "backup", Params: map[string]string{"parts": "routing,ACLs"}})
	if files := l.sh("infra", "ls /db/TempFiles/irisadmin/backup | sed 's/-.*//' | tr '\n' ' '"); files != "acls routing" {
		t.Errorf("the parts that were asked for: %s", files)
	}
	l.sh("infra", "sudo -n -u irisadmin touch -d '40 days ago' /db/TempFiles/irisadmin/backup/old-backup.txt")
	_, plan, err := l.bind(runbooks.Inputs{Action: "backup-retain", Params: map[string]string{"parts": "routing", "days": "30"}})
	if err != nil || len(plan.Found) != 1 || len(plan.Found[0].Lines) != 1 {
		t.Fatalf("%+v, %v", plan.Found, err)
	}
	if out := l.carryOut(plan); out.failed != "" {
		t.Errorf("%+v", out)
	}
	if files := l.sh("infra", "ls /db/TempFiles/irisadmin/backup"); strings.Contains(files, "old-backup") {
		t.Errorf("the old backup is still there: %s", files)
	}
}

// TestLabSupervision changes how processes run; a spare one and a query node
// suffice.
func TestLabSupervision(t *testing.T) {
	l := newLab(t, "current")
	ltds := func(action string) outcome { return l.do(runbooks.Inputs{Action: action, Process: "db_ltds"}) }
	defer ltds("start")
	if out := ltds("stop"); len(out.texts) < 4 || !strings.Contains(out.texts[2], "is gone") || !strings.Contains(out.texts[3], "met: stopped") {
		t.Errorf("%+v", out)
	}
	ltds("start")
	if out := ltds("start"); len(out.texts) == 0 || !strings.Contains(out.texts[len(out.texts)-1], "it was running before") {
		t.Errorf("a start of what runs: %+v", out)
	}
	l.sh("infra", "sudo -n monit unmonitor db_ltds")
	if out := ltds("monitor"); out.failed == "" && len(out.texts) != 3 {
		t.Errorf("%+v", out)
	}
	l.do(runbooks.Inputs{Action: "restart", Process: "db_merge_server"}) // its log has the other name
	l.do(runbooks.Inputs{Action: "restart", Process: "etcd", Hosts: []string{"query1"}})
	l.do(runbooks.Inputs{Action: "restart-host", Hosts: []string{"query1"}})
	l.do(runbooks.Inputs{Action: "dh-monit-restart-all", Hosts: []string{"query1"}})
}

// quorum waits until the members agree on a leader, and ends the test where
// they do not: no guard can be tried then.
func (l *lab) quorum() {
	l.t.Helper()
	if l.do(runbooks.Inputs{Action: "etcd-health"}); l.t.Failed() {
		l.t.FailNow()
	}
}

// startEtcd starts every member; without a quorum none would come up alone.
func (l *lab) startEtcd() {
	for _, h := range []string{"infra", "query1", "query2"} {
		l.sh(h, "sudo -n systemctl start --no-block dh-etcd")
	}
	l.quorum()
}

// TestLabQuorum: with one member down the others are not to be touched, and
// the one that is down may be restarted.
func TestLabQuorum(t *testing.T) {
	l := newLab(t, "current")
	l.quorum()
	defer l.startEtcd()
	l.sh("query1", "sudo -n systemctl stop dh-etcd")
	l.quorum() // if it was the leader, a new one has to be elected first
	l.refused(runbooks.Inputs{Action: "restart", Process: "etcd", Hosts: []string{"query2"}}, "there would be no quorum of 2")
	l.refused(runbooks.Inputs{Action: "stop", Process: "etcd", Hosts: []string{"query2"}}, "there would be no quorum of 2")
	out := l.do(runbooks.Inputs{Action: "restart", Process: "etcd", Hosts: []string{"query1"}})
	if len(out.texts) < 6 || !strings.Contains(out.texts[1], "it does not run") || !strings.Contains(out.texts[5], "caught up") {
		t.Errorf("%+v", out)
	}
	l.sh("query1", "sudo -n systemctl stop dh-etcd")
	l.quorum()
	if out := l.do(runbooks.Inputs{Action: "start", Process: "etcd", Hosts: []string{"query1"}}); len(out.texts) < 5 || !strings.Contains(out.texts[4], "caught up") {
		t.Errorf("%+v", out)
	}
}

// TestLabWebAPI enables the service where it is disabled.
func TestLabWebAPI(t *testing.T) {
	l := newLab(t, "current")
	host := &l.planner.Fleet.Clusters[0].Hosts[2]
	host.Processes = append(host.Processes, "web_api_service")
	in := runbooks.Inputs{Action: "webapi-enable", Process: "web_api_service", Hosts: []string{"query2"}}
	defer l.sh("query2", "sudo -n monit stop web_api_service; cd /etc/sysconfig/illumon.d/monit && sudo -n mv web_api_service.conf web_api_service.disabled && sudo -n monit reload")
	l.do(in)
	l.refused(in, "No such file")
}

// TestLabEverything restarts, stops and starts all processes of all hosts. It
// needs a lab that nobody else uses: DHBOT_LAB_ALL=1 says so.
func TestLabEverything(t *testing.T) {
	if os.Getenv("DHBOT_LAB_ALL") == "" {
		t.Skip("DHBOT_LAB_ALL does not say that the lab is ours alone")
	}
	for _, catalog := range []string{"current", "legacy-20200121"} {
		t.Run(catalog, func(t *testing.T) {
			l := newLab(t, catalog)
			l.do(runbooks.Inputs{Action: "restart-all"})
			l.do(runbooks.Inputs{Action: "rolling-patch"}) // nothing is installed: that is a person's step
			l.do(runbooks.Inputs{Action: "verify"})
			if catalog != "current" {
				l.do(runbooks.Inputs{Action: "controller-reload"})
			}
		})
	}
}
