package programs

import (
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	for command, want := range map[string]Effect{
		"tail -n 400 /var/log/x":                       Reads,
		"sudo -n -u irisadmin monit status db_dis":     Reads,
		"sudo systemctl --no-pager status dh-etcd":     Reads,
		"sudo journalctl --no-pager -n 10 -u dh-etcd":  Reads,
		"find /x -type f -name y":                      Reads,
		"env DH_ETCD_USER=schema-ro etcdctl.sh get /x": Reads,
		"timeout -k 5 10 df -P":                        Reads,
		"/usr/illumon/latest/bin/etcdctl.sh --endpoints {etcd_endpoint} snapshot save /b/{minted.file}.db": Writes,
		"sudo cp /a /b/pq-{minted.file}.xml":        Writes,
		"sudo install -d -m 0700 /b":                Writes,
		"date +%s":                                  Reads,
		"hostname":                                  Reads,
		"tar tf /x.tar":                             Reads,
		"curl --head https://x":                     Reads,
		"sort /x":                                   Reads,
		"sudo monit restart db_dis":                 Restarts,
		"sudo systemctl stop dh-etcd":               Restarts,
		"sudo monit restart all":                    Changes,
		"monit -c /tmp/x status y":                  Changes,
		"rm -rf /x":                                 Destroys,
		"sudo rm x":                                 Destroys,
		"bash -c ls":                                Changes,
		"sh -c id":                                  Changes,
		"/opt/site/check.sh":                        Changes,
		"python3 -c x":                              Changes,
		"awk {print} x":                             Changes,
		"sed -i s/a/b/ x":                           Changes,
		"LD_PRELOAD=/x.so tail /y":                  Changes,
		"env LD_PRELOAD=/x.so tail /y":              Changes,
		"env -i tail /y":                            Changes,
		"sudo PATH=/x ls":                           Changes,
		"sudo -E ls":                                Changes,
		"find /x -delete":                           Destroys,
		"find /x -exec rm {} ;":                     Destroys,
		"find /x -fprintf /y z":                     Changes,
		"journalctl --vacuum-size=1":                Changes,
		"journalctl --rotate":                       Changes,
		"systemctl --host=x status y":               Changes,
		"systemctl daemon-reload":                   Changes,
		"systemctl set-property x y":                Changes,
		"etcdctl del --prefix /":                    Destroys,
		"etcdctl put a b":                           Changes,
		"etcdctl snapshot restore x":                Destroys,
		"dhconfig pq export --file /x":              Writes,
		"dhconfig pq import --file /x":              Changes,
		"dhconfig pq import --retainSerial=replace": Destroys,
		"backup_deephaven --directory /b --all":     Writes,
		"backup_deephaven --all --retain 3":         Destroys,
		"curl https://x/reload":                     Changes,
		"curl --head -o /etc/x https://x":           Changes,
		"tar xf /x.tar":                             Changes,
		"tar tf /x --to-command=sh":                 Changes,
		"date -s now":                               Changes,
		"hostname x":                                Changes,
		"sort -o /etc/x /y":                         Changes,
		"cp /a /b":                                  Changes,
		"tee /x":                                    Changes,
		"":                                          Changes,
		"sudo":                                      Changes,
		"env A=b":                                   Changes,
	} {
		if got := Of(strings.Fields(command)); got != want {
			t.Errorf("%s: %d, want %d", command, got, want)
		}
	}
	for statement, want := range map[string]Effect{
		"select * from tableacls limit 5": Reads, "show databases;": Reads, "drop database x": Destroys, "select 1; drop table y": Destroys,
		"select * from x into outfile '/y'": Changes, "update x set a=1": Changes, "select load_file('/etc/shadow')": Changes,
	} {
		if got := Of([]string{"sudo", "mysql", "-e", statement}); got != want {
			t.Errorf("mysql %s: %d, want %d", statement, got, want)
		}
	}
	if Of([]string{"mysql", "--pager=sh", "-e", "select 1"}) != Changes {
		t.Error("mysql with a pager reads")
	}
}

func TestRelative(t *testing.T) {
	for command, want := range map[string]bool{"./x": true, "sudo bin/x": true, "env A=b ../x": true, "/bin/x": false, "x": false, "sudo -u a monit": false} {
		if got := Relative(strings.Fields(command)); got != want {
			t.Errorf("%s: %v", command, got)
		}
	}
}
