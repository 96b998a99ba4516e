package hostsim

import (
	"strings"
	"testing"
	"time"
)

// TestDisk compares the output and exit codes of the file tools of the runbooks
// with those of real tools, including their errors.
func TestDisk(t *testing.T) {
	now := time.Date(2026, 2, 9, 14, 0, 0, 0, time.UTC)
	w := newWorld(Current, DefaultLayout(Current), measured(0, 0, 0.01), now)
	m := w.machines[0]
	const event = "/db/Intraday/Order/Event"
	for _, tt := range []struct {
		line string
		exit int
		says string // in stdout or stderr
	}{
		{"sudo -n -u dbmerge find " + event + " -mindepth 2 -maxdepth 2 -type d -path '" + event + "/*/2026-02-08'", 0, event + "/infra-1_1/2026-02-08\n" + event + "/query-1_1/2026-02-08\n"},
		{"sudo -n -u dbmerge du -sh " + event + "/infra-1_1/2026-02-08", 0, "K\t" + event},
		{"rm -r " + event + "/infra-1_1/2026-02-08", 1, "Permission denied"},
		{"sudo -n -u irisadmin rm -r " + event + "/infra-1_1/2026-02-08", 1, "Permission denied"},
		{"sudo -n -u dbmerge rm " + event + "/infra-1_1/2026-02-08", 1, "Is a directory"},
		{"sudo -n -u dbmerge rm -r " + event + "/infra-1_1/2026-02-08", 0, ""},
		{"sudo -n -u dbmerge rm -r " + event + "/infra-1_1/2026-02-08", 1, "No such file or directory"},
		{"sudo -n -u dbmerge find " + event + " -mindepth 2 -maxdepth 2 -type d -path '" + event + "/*/2026-02-08'", 0, event + "/query-1_1/2026-02-08\n"},
		{"sudo -n -u dbmerge find /db/NoSuch -type d", 1, "No such file or directory"},
		{"sudo -n -u dbmerge find /db -type d '(' -path /db/Systems -o -prune ')' -path '/db/Systems*'", 0, ""}, // the start directory itself is pruned
		{"sudo -n -u dbmerge find /db -mindepth 1 '(' -path /db/Systems -o -path '/db/Systems/*' -o -prune ')' -type d", 0, "/db/Systems/Order/ImportDetails\n"},
		{"curl --disable --globoff --silent --show-error --fail --location --max-redirs 0 --connect-timeout 10 --output /dev/null https://infra-1:8123/reload/", 0, ""},
		{"curl --silent --output /dev/null https://infra-1:8124/reload/", 7, "Failed to connect to infra-1 port 8124"},
		{"curl --silent --fail --output /dev/null https://infra-1:8123/nosuch", 22, "returned error: 404"},
		{"curl --silent --fail --output /dev/null https://elsewhere:8123/reload/", 6, "Could not resolve host: elsewhere"},
		{"curl --upload-file /etc/passwd https://infra-1:8123/", 127, "not simulated"},
		{"find " + event + " -exec rm x", 127, "not simulated"},

		{"sudo -n install -d -m 0700 -o root -g root /var/backups/deephaven/queries", 0, ""},
		{"install -d -m 0700 -o root -g root /var/backups/x", 1, "Operation not permitted"},
		{"sudo -n /usr/illumon/latest/bin/dhconfig pq export --file /var/backups/deephaven/queries/pq-1.xml", 0, ""},
		{"stat -c %s /var/backups/deephaven/queries/pq-1.xml", 1, "Permission denied"},
		{"sudo -n stat -c %s /var/backups/deephaven/queries/pq-1.xml", 0, "\n"},
		{"sudo -n ls -lt /var/backups/deephaven/queries", 0, "pq-1.xml"},
		{"sudo -n /usr/illumon/latest/bin/dhconfig pq import --file /var/backups/deephaven/queries/pq-2.xml", 1, "No such file"},
		{"df -P -k /backup", 0, "Mounted on"},
		{"df -P -k /nosuch", 1, "No such file"},
		{"sudo -n -u irisadmin cat /etc/sysconfig/deephaven/etcd/client/root/endpoints", 0, "https://10.77.0.11:2379,https://10.77.0.12:2379,https://10.77.0.13:2379\n"},
		{"sudo -n -u irisadmin /usr/illumon/latest/bin/etcdctl.sh snapshot save /backup/x.db", 5, "one selected node"},
		{"sudo -n -u irisadmin /usr/illumon/latest/bin/etcdctl.sh --endpoints https://10.77.0.11:2379 snapshot save /backup/x.db", 0, "saved"},
		{"sudo -n -u irisadmin /usr/illumon/latest/bin/etcdctl.sh --endpoints https://10.77.0.11:2379 snapshot save /etc/x.db", 5, "permission denied"},
		{"sudo -n -u irisadmin /usr/illumon/latest/bin/etcdctl.sh snapshot status /backup/x.db --write-out json", 0, `"totalKey":21`},
		{"sudo -n -u irisadmin env DH_ETCD_USER=schema-ro /usr/illumon/latest/bin/etcdctl.sh get --prefix /main/pq/", 1, "permission denied"},
	} {
		_, a := w.run(m, Login, tt.line)
		if a.exit != tt.exit || !strings.Contains(a.out+a.err, tt.says) {
			t.Errorf("%s: exit %d, %q, %q; want %d and %q", tt.line, a.exit, a.out, a.err, tt.exit, tt.says)
		}
	}
	m.disk.free = 100
	if _, a := w.run(m, Login, "sudo -n -u irisadmin /usr/illumon/latest/bin/etcdctl.sh --endpoints https://10.77.0.11:2379 snapshot save /backup/y.db"); a.exit != 5 || !strings.Contains(a.err, "no space left") {
		t.Errorf("a full disk: %+v", a)
	}
}
