package bench

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"strings"
	"testing"
	"time"

	"dhbot/internal/test/sshdtest"
	"dhbot/internal/test/testenv"
)

// mostListened is the number of addresses on which one sshd can listen (MAX_LISTEN_SOCKS).
const mostListened = 16

// hostKeys has the keys that the hosts of a benchmark share.
type hostKeys struct{ dir, user, login, host string }

func newHostKeys(tb testing.TB) hostKeys {
	tb.Helper()
	me, err := user.Current()
	if err != nil {
		tb.Fatal(err)
	}
	if me.Uid == "0" { // sshd as root requires an empty directory for privilege separation
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			tb.Fatal(err)
		}
	}
	dir := tb.TempDir()
	return hostKeys{dir: dir, user: me.Username, login: sshdtest.Keygen(tb, dir+"/id"), host: sshdtest.Keygen(tb, dir+"/host")}
}

// listening is an sshd that listens on its own addresses.
type listening struct {
	ips   []string
	port  string
	known string // the known_hosts file for this sshd
}

// addresses returns n addresses of the loopback interface, beginning with the given number.
func addresses(from, n int) []string {
	out := make([]string, n)
	for i := range out {
		at := from + i
		out[i] = fmt.Sprintf("127.9.%d.%d", at/250, at%250+1)
	}
	return out
}

// listen starts an sshd that listens on the given addresses, at most mostListened, until the test
// ends. Its port is free on the first address.
func (k hostKeys) listen(tb testing.TB, ips []string, lines ...string) listening {
	tb.Helper()
	s := listening{ips: ips}
	l, err := net.Listen("tcp", net.JoinHostPort(ips[0], "0"))
	if err != nil {
		tb.Fatal(err)
	}
	if _, s.port, err = net.SplitHostPort(l.Addr().String()); err != nil {
		tb.Fatal(err)
	}
	l.Close()
	var known strings.Builder
	lines = append([]string{"Port " + s.port}, lines...)
	for _, ip := range ips {
		lines = append(lines, "ListenAddress "+ip)
		known.WriteString(sshdtest.KnownHostsLine(tb, net.JoinHostPort(ip, s.port), k.host+".pub"))
	}
	s.known = write(tb, k.dir+"/known_hosts."+ips[0], known.String(), 0o600)
	lines = append(lines, "HostKey "+k.host, "AuthorizedKeysFile "+k.login+".pub",
		"PidFile none", "StrictModes no", "UsePAM no", "PermitRootLogin prohibit-password", "LogLevel QUIET", "UseDNS no",
		"SetEnv SHLVL=2", "") // stops bash from reading the user's start-up file
	config := write(tb, k.dir+"/sshd_config."+ips[0], strings.Join(lines, "\n"), 0o600)
	cmd := exec.Command(testenv.Program(tb, "sshd"), "-D", "-f", config)
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // its exit status does not matter
	})
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("tcp", net.JoinHostPort(ips[len(ips)-1], s.port))
		if err == nil {
			c.Close()
			return s
		}
		if time.Since(began) > patience {
			tb.Fatal(err)
		}
	}
}
