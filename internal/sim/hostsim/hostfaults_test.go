package hostsim

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

func TestHostFaults(t *testing.T) {
	c := startCluster(t)
	const status = "sudo -n -u irisadmin monit status db_tdcp"
	ok := func(r reply) bool { return r.exit == 0 && strings.HasPrefix(r.out, "Monit 5.33.0") && r.err == "" }
	for _, tc := range []struct {
		fault string
		args  []string
		check func(t *testing.T, client *ssh.Client)
	}{
		{"sudo-refused", nil, func(t *testing.T, client *ssh.Client) {
			if r := sh(client, status); r != (reply{err: "sudo: a password is required\n", exit: 1}) {
				t.Errorf("%+v", r)
			}
		}},
		{"noisy", nil, func(t *testing.T, client *ssh.Client) {
			if r := sh(client, "systemctl is-active dh-etcd"); r.out != noiseLine+"active\n" {
				t.Errorf("%+v", r)
			}
		}},
		{"slow", []string{"100ms"}, func(t *testing.T, client *ssh.Client) {
			began := time.Now()
			if r := sh(client, status); !ok(r) || time.Since(began) < 100*time.Millisecond {
				t.Errorf("after %s: %+v", time.Since(began), r)
			}
		}},
		{"monit-stopped", nil, func(t *testing.T, client *ssh.Client) {
			if r := sh(client, status); r != (reply{err: "Monit: the monit daemon is not running\n", exit: 1}) {
				t.Errorf("%+v", r)
			}
			pid := view(c, "query-1", "db_tdcp").PID
			if r := sh(client, "sudo -n monit restart db_tdcp"); r.exit != 0 || view(c, "query-1", "db_tdcp").PID == pid {
				t.Errorf("a restart as root failed without the daemon: %+v", r)
			}
		}},
		{"monit-hung", nil, func(t *testing.T, client *ssh.Client) {
			if r := sh(client, status); r != (reply{err: "Error receiving data -- Resource temporarily unavailable\n", exit: 1}) {
				t.Errorf("%+v", r)
			}
		}},
		{"login", nil, func(t *testing.T, _ *ssh.Client) {
			if _, err := dial(c, "query-1"); err == nil || !strings.Contains(err.Error(), "unable to authenticate") {
				t.Errorf("%v", err)
			}
		}},
		{"hostkey", nil, func(t *testing.T, _ *ssh.Client) {
			var key *knownhosts.KeyError
			if _, err := dial(c, "query-1"); !errors.As(err, &key) || len(key.Want) != 1 {
				t.Errorf("%v", err)
			}
		}},
		{"down", nil, func(t *testing.T, client *ssh.Client) {
			if _, err := dial(c, "query-1"); err == nil || !strings.Contains(err.Error(), "connection refused") {
				t.Errorf("%v", err)
			}
			if r := sh(client, status); r.exit != -1 {
				t.Errorf("the old connection still works: %+v", r)
			}
		}},
		{"drop", nil, func(t *testing.T, client *ssh.Client) {
			if r := sh(client, status); !ok(r) {
				t.Errorf("a read: %+v", r)
			}
			pid := view(c, "query-1", "db_tdcp").PID
			if r := sh(client, "sudo -n monit restart db_tdcp"); r.exit != -1 {
				t.Errorf("a change: %+v", r)
			}
			eventually(t, "the change took effect", func() bool { p := view(c, "query-1", "db_tdcp"); return p.PID != pid && p.Status == "OK" })
		}},
	} {
		t.Run(tc.fault, func(t *testing.T) {
			client := mustDial(t, c, "query-1")
			fault(t, c, "query-1", "", tc.fault, tc.args...)
			tc.check(t, client)
			fault(t, c, "query-1", "-", "clear")
			client = mustDial(t, c, "query-1")
			if r := sh(client, status); !ok(r) {
				t.Errorf("after clear: %+v", r)
			}
		})
	}
}

// A frozen host accepts connections but answers nothing, not even on old connections. When the
// host thaws, it executes the commands that arrived meanwhile.
func TestFrozenHost(t *testing.T) {
	c := startCluster(t)
	client := mustDial(t, c, "infra-1")
	s, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	fault(t, c, "infra-1", "", "freeze")
	if _, err := dialWithin(c, "infra-1", time.Second); !isTimeout(err) {
		t.Errorf("handshake with a frozen host: %v", err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Run("sudo -n monit stop db_dis") }()
	select {
	case err := <-done:
		t.Errorf("a frozen host answered: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	if n := len(c.Executed()); n != 0 {
		t.Errorf("a frozen host executed %d commands", n)
	}
	fault(t, c, "infra-1", "", "clear")
	if err := <-done; err != nil {
		t.Errorf("after the thaw: %v", err)
	}
	eventually(t, "db_dis stopped", func() bool { return view(c, "infra-1", "db_dis").PID == 0 })
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}
