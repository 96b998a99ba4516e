package sshexec

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dhbot/internal/labtest"
	"dhbot/internal/remote"
)

// The lab's machines: real sudo, monit and systemd behind real sshd.

// lab returns its hosts, and a pool that reaches them all.
func lab(t *testing.T) (map[string]labtest.Host, *Pool) {
	t.Helper()
	hosts := labtest.Hosts(t)
	var c Config
	for _, h := range hosts {
		if !slices.Contains(c.KeyFiles, h.KeyFile) {
			c.KeyFiles = append(c.KeyFiles, h.KeyFile)
		}
		if c.KnownHosts != "" && c.KnownHosts != h.KnownHosts {
			t.Fatal("the lab has more than one known_hosts file")
		}
		c.KnownHosts = h.KnownHosts
	}
	return hosts, openConfig(t, c)
}

func onLab(name string, h labtest.Host, argv string) remote.Command {
	return remote.Command{Host: name, Address: h.Address, Login: h.Login, Timeout: 20 * time.Second,
		Sent: "env LC_ALL=C timeout -k 5 20 " + argv}
}

func TestLabSummaries(t *testing.T) {
	hosts, p := lab(t)
	var wg sync.WaitGroup
	for name, h := range hosts {
		wg.Go(func() {
			r := run(t, p, onLab(name, h, "sudo -n -u irisadmin monit summary"))
			want(t, r, remote.Answered)
			if !r.OK() || !strings.Contains(r.Stdout.String(), "\n "+name+" ") {
				t.Errorf("%s: exit %d, %s%s", name, r.Exit, r.Stdout, r.Stderr)
			}
			want(t, p.Dial(t.Context(), name, h.Address, h.Login), remote.Answered)
		})
	}
	wg.Wait()
}

func TestLabOutcomes(t *testing.T) {
	hosts, p := lab(t)
	for name, h := range hosts {
		for _, c := range []struct {
			argv string
			want remote.Outcome
			exit int
		}{
			{"sudo -n -u irisadmin monit status nosuch", remote.Answered, 1},
			{"systemctl is-active nosuchunit", remote.Answered, 3},
			{"sudo -n -u nosuchuser monit status", remote.SudoRefused, 1},
			{"sudo -n -u irisadmin /nonexistent/program", remote.SudoRefused, 1},
			{"sudo -n -u dbquery sudo -n true", remote.SudoRefused, 1},
			{"monit summary", remote.SupervisorSilent, 1},
			{"timeout 0.1 sleep 5", remote.TimedOut, 0},
		} {
			r := run(t, p, onLab(name, h, c.argv))
			want(t, r, c.want)
			if r.Exit != c.exit {
				t.Errorf("%s: %s: exit %d, want %d; %s", name, c.argv, r.Exit, c.exit, r.Stderr)
			}
		}
		wrong := onLab(name, h, "true")
		wrong.Login = "nobodyhere"
		want(t, run(t, p, wrong), remote.LoginRefused, "nobodyhere")
	}
}

// Logs are flooded through without filling memory, and the connection serves
// on.
func TestLabFlood(t *testing.T) {
	hosts, p := lab(t)
	for name, h := range hosts {
		r := run(t, p, onLab(name, h, "head -c 30000000 /dev/zero"))
		want(t, r, remote.Answered)
		if r.Stdout.Total != 30_000_000 || !r.Stdout.Truncated() {
			t.Errorf("%s: %d bytes", name, r.Stdout.Total)
		}
		want(t, run(t, p, onLab(name, h, "true")), remote.Answered)
	}
}
