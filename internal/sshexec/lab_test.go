package sshexec

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dhbot/internal/remote"
	"dhbot/internal/sshroute"
	"dhbot/internal/test/labtest"
	"dhbot/internal/test/sshdtest"
)

// These tests use the lab's machines: real sudo, monit and systemd behind real
// sshd.

// lab returns the hosts of the lab, and a pool that reaches them all.
func lab(t *testing.T) (map[string]labtest.Host, *Pool) {
	t.Helper()
	hosts := labtest.Hosts(t)
	var c Config
	for _, h := range hosts {
		if own := sshroute.Keys(h.KeyFile)[0]; !slices.Contains(c.Credentials, own) {
			c.Credentials = append(c.Credentials, own)
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
			want(t, p.Dial(t.Context(), onLab(name, h, "")), remote.Answered)
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

// TestLabFlood checks that a long output does not fill the memory, and that its connection stays
// usable.
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

// TestLabLogins checks logins that real sshd and PAM refuse, or that run no command. They are
// reported as a problem of the login, not of the supervisor.
func TestLabLogins(t *testing.T) {
	for _, c := range []struct {
		name, make, undo string
		words            []string
	}{
		{"nologin", "usermod -s /usr/sbin/nologin dhweak", "usermod -s /bin/bash dhweak", []string{"was not run", "nologin"}},
		{"expired account", "chage -E 1 dhweak", "chage -E -1 dhweak", []string{"expired"}},
		{"expired password", "chage -d 0 dhweak", "chage -d 20000 -M 99999 dhweak", []string{"expired"}},
		{"forced command", `sed -i 's/^/command="echo This service allows sftp connections only.; exit 1" /' /home/dhweak/.ssh/authorized_keys`,
			`sed -i 's/^command="[^"]*" //' /home/dhweak/.ssh/authorized_keys`, []string{"was not run", "copy files"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			hosts, p := lab(t)
			if out, err := labtest.AsRoot("query1", c.make); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			t.Cleanup(func() {
				if out, err := labtest.AsRoot("query1", c.undo); err != nil {
					t.Errorf("%v: %s", err, out)
				}
			})
			h := hosts["query1"]
			h.Login = "dhweak"
			r := run(t, p, onLab("query1", h, "sudo -n -u irisadmin monit status tailer1"))
			want(t, r, remote.LoginRefused, c.words...)
			t.Log(r.Detail)
		})
	}
}

// trusting makes all hosts of the lab accept an authority's user certificates until the test ends.
func trusting(t *testing.T, hosts map[string]labtest.Host, ca *sshdtest.Authority) {
	t.Helper()
	public, err := os.ReadFile(ca.Key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	const (
		file    = "/etc/ssh/dhbot-test-ca.pub"
		line    = "TrustedUserCAKeys " + file
		restart = "\nsystemctl restart dhlab-ssh"
	)
	for name, h := range hosts {
		t.Cleanup(func() {
			out, err := labtest.AsRoot(name, fmt.Sprintf("sed -i '\\#^%s$#d' /etc/ssh/sshd_config; rm -f %s", line, file)+restart)
			if err != nil {
				t.Errorf("%v: %s", err, out)
			}
			namesItself(t, h.Address)
		})
		out, err := labtest.AsRoot(name, fmt.Sprintf("set -e\necho '%s' >%s\necho '%s' >>/etc/ssh/sshd_config\nsshd -t",
			strings.TrimSpace(string(public)), file, line)+restart)
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		namesItself(t, h.Address)
	}
}

// namesItself waits until a restarted sshd answers with its version line.
func namesItself(t *testing.T, address string) {
	t.Helper()
	eventually(t, "sshd listens on "+address, func() bool {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return false
		}
		defer c.Close()
		banner, err := bufio.NewReader(c).ReadString('\n')
		return err == nil && strings.HasPrefix(banner, "SSH-")
	})
}

// TestLabCertificates logs in with a certificate of an agent, and with no other credential. The
// last host is reached through the other two. A problem with the certificate is reported.
func TestLabCertificates(t *testing.T) {
	hosts := labtest.Hosts(t)
	ca := sshdtest.NewAuthority(t)
	trusting(t, hosts, ca)
	target := hosts["query2"]
	var jumps []sshroute.Hop
	for _, name := range []string{"infra", "query1"} {
		jumps = append(jumps, sshroute.Hop{Login: hosts[name].Login, Address: hosts[name].Address})
	}
	for _, c := range []struct {
		name, principals, valid, login string
		want                           remote.Outcome
		words                          []string
	}{
		{"valid", target.Login, "+1h", target.Login, remote.Answered, nil},
		{"expired", target.Login, "20260101:20260201", target.Login, remote.LoginRefused,
			[]string{jumps[0].Address, "not offered: agent certificate", "it expired 2026-02-01"}},
		{"not yet valid", target.Login, "20990101:20990201", target.Login, remote.LoginRefused,
			[]string{jumps[0].Address, "not offered: agent certificate", "not valid before 2099-01-01"}},
		{"wrong principal", "alice", "+1h", target.Login, remote.LoginRefused,
			[]string{jumps[0].Address, "offered and refused: agent certificate", "names the principals alice and not " + target.Login}},
		{"wrong principal behind the jump hosts", target.Login, "+1h", "dhlist", remote.LoginRefused,
			[]string{target.Address, "offered and refused: agent certificate", "names the principals " + target.Login + " and not dhlist"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			key := sshdtest.Keygen(t, filepath.Join(t.TempDir(), "id"))
			ca.Sign(key, c.principals, "-V", c.valid)
			agent := sshdtest.StartAgent(t)
			agent.Add(key)
			p := openConfig(t, Config{Credentials: []sshroute.Credential{{Agent: agent.Socket}}, KnownHosts: target.KnownHosts})
			command := onLab("query2", target, "hostname")
			command.Login, command.Via = c.login, sshroute.Join(jumps)
			r := run(t, p, command)
			want(t, r, c.want, c.words...)
			if said := strings.TrimSpace(r.Stdout.String()); c.want == remote.Answered && said != "query2" {
				t.Errorf("%q answered", said)
			}
			t.Log(r.Detail)
		})
	}
}
