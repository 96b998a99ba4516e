package programs

import (
	"strings"
	"testing"
)

// disguised has commands that look as if they only read, or only write their own file, but have a
// greater effect. The reason is one of these: an option is abbreviated, joined to others or in
// another place; a value looks like the verb; a program of the same name is in another directory;
// the file is in a harmful place.
const disguised = `
tee /etc/cron.d/x
dd of=/dev/sda
dd if=/dev/zero of=/x
sed -i s/a/b/ /x
sed -n w/etc/x /y
sed -e 1e id /x
find /x -name y -delete
find /x -fls /etc/y
find /x -fprint0 /y
find / -exec id ;
find -files0-from /x -delete
find /x -okdir rm {} ;
xargs rm
xargs -a /x cat
awk BEGIN{system("id")}
gawk -i inplace {print} /x
perl -e unlink("/x")
python3 /x.py
ruby -e 1
env sh
env -S "rm -rf /"
env -i sh -c id
env PATH=/x cat /y
env BASH_ENV=/x bash
env GREP_OPTIONS=x grep y
env LESSOPEN=|id cat /x
sh -c id
bash -lc id
dash /x
busybox rm /x
git -c core.pager=id log
git -C /x status
git diff --ext-diff
vim -c :!id
less /x
more /x
man -P id x
curl -o /etc/x https://h
curl -I -o /etc/x https://h
curl -I -so /etc/x https://h
curl -Io/etc/x https://h
curl -I --outpu /etc/x https://h
curl -I -D /etc/x https://h
curl -I -c /etc/x https://h
curl -I --trace /etc/x https://h
curl -I --stderr /etc/x https://h
curl -I -sK /x https://h
curl -I -sXDELETE https://h
curl -I --next -d x https://h
curl -I https://h --next https://h/stop
curl -I file:///etc/shadow
curl -I -w %output{/etc/x} https://h
curl -I -Q DELE ftp://h
wget -O /x https://h
wget --spider --post-data=x https://h
date --s=now
date -us2026-01-01
date -us now
date 010203042026
hostname -F /x
hostname -vF/x
hostname --file=/x
sort -no /etc/x /y
sort -ro/etc/x /y
sort --outp=/etc/x /y
sort --compress-prog=id /x
sort -T /x /y
journalctl --rot
journalctl --vac-size=1
journalctl --image=/x
journalctl --root=/x
journalctl --cursor-f=/x
journalctl -D /x --sync
systemctl -p status stop dh-etcd
systemctl -t status stop dh-etcd --force
systemctl -Hroot@x status y
systemctl --hos=root@x status y
systemctl -Mx status y
systemctl --root=/x status y
systemctl -p show poweroff
systemctl isolate rescue
systemctl kill x
systemctl edit x
monit -g status stop
monit -vc /x status y
monit -c/x status y
monit -g status restart all
etcdctl --user get put a b
etcdctl --user get user add x
etcdctl get x --endpoints y --debug put
etcdctl --command-timeout get defrag
etcdctl member add x
etcdctl auth disable
etcdctl compaction 5
etcdctl lock x id
etcdctl watch x -- id
etcdctl elect x y
etcdctl snapshot save /etc/cron.d/x
etcdctl snapshot save x
etcdctl snapshot save /backup/../etc/x
timedatectl -p status set-time now
timedatectl --host=x status
timedatectl set-ntp false
rpm -q --eval %(id)
rpm -qa --pipe id
rpm -q --define "x %(id)" y
rpm -q --rcfile /x y
rpm -q -i --root=/x y
rpm -qi -e x
rpm -e x
ss -K dst x
ss -tK dst x
ss -tD /etc/x
lsof -D b/etc/x
tar tf evil:x
tar -tf x --to-command=id
tar --list --file=x
tar t
tar tIf id x
cp -n /x /etc/cron.d/y
cp -at /etc /x {minted.file}
cp /x /etc/cron.d/{minted.file}
cp --targ=/etc /x {minted.file}
cp -n /x y
cp -nf /x /y
cp -n /x /backup/../etc/cron.d/y
install -d /etc/systemd/system/x.service.d
install -m 4755 /bin/sh /backup/x
install -dt /etc /x
mkdir -p /root/.ssh
mkdir /etc/cron.d/x
dhconfig pq export --file /etc/cron.d/x
dhconfig pq export --file /usr/bin/x
dhconfig pq list --file /x
dhconfig pq delete
backup_deephaven --all
backup_deephaven --directory /etc --all
backup_deephaven --directory /backup --all --retai 1
backup_deephaven --directory /backup --purge
mysql -e "select 1 into @x"
mysql -e "select 1 \\! id"
mysql -e "show tables" -e "drop table x"
mysql -e "drop table x" -e "show tables"
mysql --exec "drop table x"
mysql -e "select sys_exec('id')"
mysql -e "explain analyze delete from x"
mysql -uroot -e "select 1"
/tmp/tail /x
/opt/site/cat /x
/home/a/bin/ls
/var/tmp/env ls
/tmp/timeout 5 ls
/tmp/sudo ls
/usr/bin/../../tmp/cat /x
sudo -u root -s ls
sudo --login ls
sudo -D /x ls
sudo -uroot sh
sudo TMPDIR=/x ls
timeout -s KILL 5 rm /x
timeout --foreground 5 rm /x
nice rm /x
nohup ls
setsid ls
stdbuf -o0 ls
strace ls
gdb -p 1
ln -s /x /y
mv /x /y
touch /x
chmod 777 /x
chown a /x
kill 1
pkill x
reboot
crontab -r
at now
mount /x
ip link set x down
iptables -F
sysctl -w x=1
tcpdump -z id -w /x
logger x
ssh x ls
scp /x y:
rsync -a /x /y
su -c id
openssl enc -out /x
`

func TestDisguised(t *testing.T) {
	n := 0
	for line := range strings.Lines(disguised) {
		argv := fields(strings.TrimSpace(line))
		if len(argv) == 0 {
			continue
		}
		n++
		if got := Of(argv); got < Restarts {
			t.Errorf("%q: %d", argv, got)
		}
		// The effect is the same under another account, with a time-out, or with a harmless
		// variable.
		for _, before := range []string{"sudo -n -u irisadmin", "timeout -k 5 10", "env LC_ALL=C"} {
			if got := Of(append(strings.Fields(before), argv...)); got < Restarts {
				t.Errorf("%s %q: %d", before, argv, got)
			}
		}
	}
	if n < 150 {
		t.Errorf("only %d commands", n)
	}
}

// fields cuts a line at blanks, but not between quotation marks.
func fields(line string) (out []string) {
	for i, part := range strings.Split(line, `"`) {
		if i%2 == 1 {
			out = append(out, part)
			continue
		}
		out = append(out, strings.Fields(part)...)
	}
	return out
}
