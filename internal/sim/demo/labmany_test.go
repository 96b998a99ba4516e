package demo_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"dhbot/internal/test/labtest"
)

// many lists procedures of every kind, each with the command to type and the number of votes that
// it needs.
var many = []struct {
	say     string
	title   string // the title of the run, which no other run has
	votes   int
	patient string
}{
	{"pq-export because of the change", "pq-export", 0, "60s"},
	{"etcd-snapshot because of the change", "etcd-snapshot", 0, "60s"},
	{"backup parts=routing because of the change", "backup", 0, "60s"},
	{"restart tailer1 on query1", "restart tailer1", 0, "60s"},
	{"restart db_ltds", "restart db_ltds", 0, "60s"},
	{"stop db_ltds", "stop db_ltds", 0, "60s"},
	{"start db_ltds", "start db_ltds", 0, "60s"},
	{"monitor db_ltds", "monitor db_ltds", 0, "60s"},
	{"restart status_dashboard", "restart status_dashboard", 0, "60s"},
	{"restart db_merge_server", "restart db_merge_server", 0, "60s"},
	{"restart db_acl_write_server", "restart db_acl_write_server", 0, "60s"},
	{"stop tailer1 on query2", "stop tailer1", 0, "60s"},
	{"start tailer1 on query2", "start tailer1", 0, "60s"},
	{"restart db_tdcp on query1", "restart db_tdcp", 1, "60s"},
	{"restart web_api_service", "restart web_api_service", 1, "60s"},
	{"restart etcd on query2", "restart etcd", 1, "120s"},
	{"restart mariadb", "restart mariadb", 1, "60s"},
	{"intraday-cleanup namespace=BotMany table=Event partition=* date=2018-02-09", "intraday-cleanup", 2, "60s"},
	{"restart-host query1", "restart-host query1", 1, "120s"},
	{"dh-monit-restart-all query1", "dh-monit-restart-all query1", 1, "120s"},
}

// leftovers is a script that lists what a procedure could leave behind on a host. It lists files
// in the login's home and in the directories for temporary files and locks. It also lists the
// processes of the login, and those of programs that procedures run, except the script's own.
const leftovers = `
find /tmp /var/tmp /dev/shm /run/lock /var/lock ~%[1]s -xdev 2>/dev/null | sort
ps -e -o pid=,ppid=,user:20=,args= | awk '$3 == "%[1]s" || / (timeout|sudo|tail|grep|find|du|df|etcdctl|dhconfig|backup_deephaven|dh_monit|monit (status|summary|restart|start|stop)|systemctl|journalctl|mysql) /' |
	grep -v -e awk -e 'bash -s' | sed 's/^ *[0-9]* *[0-9]* //' | sort
`

// TestLabLeavesNothing checks that twenty procedures in a row leave no process,
// temporary file or lock, neither on the hosts nor in the bot.
func TestLabLeavesNothing(t *testing.T) {
	real := lab(t)
	control(t, "exec", "infra", "sh", "-c", "mkdir -p /db/Intraday/BotMany/Event/p.1/2018-02-09 && chown -R dbmerge /db/Intraday/BotMany")
	t.Cleanup(func() {
		control(t, "exec", "infra", "sh", "-c", "rm -rf /db/Intraday/BotMany /var/backups/deephaven/queries /db/TempFiles/irisadmin/backup; find /backup -name 'etcd-snapshot-*' -mmin -30 -delete")
	})
	look := func() string {
		var b strings.Builder
		for _, h := range real.Cluster.Hosts {
			out, err := labtest.AsRoot(h.Name, fmt.Sprintf(leftovers, account))
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			fmt.Fprintf(&b, "%s:\n%s", h.Name, out)
		}
		return b.String()
	}
	before := look()
	var story strings.Builder
	for _, p := range many {
		fmt.Fprintf(&story, "operator: /dh %s\n", p.say)
		for i := range p.votes {
			fmt.Fprintf(&story, "expect 30s Approval needed .. %s\n%s: approve\n", p.title, []string{"approver", "approver2"}[i])
		}
		fmt.Fprintf(&story, "expect %s ✅ Done .. %s\n", p.patient, p.title)
	}
	story.WriteString("operator: /dh locks\nexpect Nothing is locked\noperator: /dh runs\nexpect Runs · 0 open\nverify audit\n")
	play(t, real, story.String())
	after := look()
	for end := time.Now().Add(2 * time.Minute); after != before && time.Now().Before(end); after = look() {
		time.Sleep(500 * time.Millisecond) // sshd needs time to detect the closed connection
	}
	if after != before {
		for line := range strings.Lines(after) {
			if !slices.Contains(strings.SplitAfter(before, "\n"), line) {
				t.Errorf("left behind: %s", line)
			}
		}
	}
	if len(many) < 20 {
		t.Errorf("the list has only %d procedures", len(many))
	}
}
