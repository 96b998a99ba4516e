package labtest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// AsRoot runs a script on a host of the lab as root. It logs in with the account in the ssh_config
// file, and uses sudo.
func AsRoot(host, script string) ([]byte, error) {
	cmd := exec.Command("ssh", "-F", os.Getenv(Env), "-o", "BatchMode=yes", host, "sudo -n bash -s")
	cmd.Stdin = strings.NewReader(script)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return append(out, stderr.Bytes()...), fmt.Errorf("%s: %w", host, err)
	}
	return out, nil
}

// Least creates an account on every host in files, with only the rights in the host's sudoers file,
// which is the value in the map. The account accepts the same key as the account in the ssh_config
// file. It is removed when the test ends.
func Least(t testing.TB, account string, files map[string]string) {
	t.Helper()
	remove := fmt.Sprintf(`rm -f /etc/sudoers.d/%[1]s
for i in $(seq 100); do # a killed process takes its time
	pkill -KILL -u %[1]s; userdel -r %[1]s 2>/dev/null; id %[1]s >/dev/null 2>&1 || exit 0; sleep 0.1
done
ps -u %[1]s; exit 1
`, account)
	t.Cleanup(func() { each(t, files, func(string) string { return remove }) })
	each(t, files, func(host string) string {
		return fmt.Sprintf(`set -e
id %[1]s >/dev/null 2>&1 || useradd -m -s /bin/bash %[1]s
h=~%[1]s; mkdir -p $h/.ssh
cat $(getent passwd "$SUDO_USER" | cut -d: -f6)/.ssh/authorized_keys > $h/.ssh/authorized_keys
chown -R %[1]s: $h/.ssh; chmod 700 $h/.ssh; chmod 600 $h/.ssh/authorized_keys
cat > /run/%[1]s <<'END'
%[2]sEND
visudo -c -q -f /run/%[1]s
install -m 0440 /run/%[1]s /etc/sudoers.d/%[1]s; rm /run/%[1]s
`, account, files[host])
	})
	if t.Failed() {
		t.FailNow()
	}
}

// each runs a script on every host in parallel.
func each(t testing.TB, files map[string]string, script func(host string) string) {
	t.Helper()
	var wg sync.WaitGroup
	for host := range files {
		wg.Go(func() {
			if out, err := AsRoot(host, script(host)); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	wg.Wait()
}

// Quick lets the lab's processes start and stop without their delay of one second, until the test
// ends.
func Quick(t testing.TB, hosts map[string]Host) {
	t.Helper()
	const tell = "\nfor f in /run/deephaven/*.pid; do kill -HUP $(cat $f) 2>/dev/null; done; true"
	on := map[string]string{}
	for name := range hosts {
		on[name] = ""
	}
	t.Cleanup(func() { each(t, on, func(string) string { return "rm -f /etc/dhlab/svc/*" + tell }) })
	each(t, on, func(string) string {
		return `for f in /etc/sysconfig/illumon.d/monit/*; do
	n=${f##*/}; n=${n%.*}; printf 'START_DELAY=0\nSTOP_DELAY=0\n' > /etc/dhlab/svc/${n#[0-9][0-9]-}
done` + tell
	})
}
