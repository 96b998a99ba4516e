package hostsim_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"dhbot/internal/fleet"
	"dhbot/internal/hostsim"
	"dhbot/runbooks"
)

// TestCatalogCommandsAreUnderstood sends every command that the catalogs have
// for a process to the simulated hosts, exactly as it is sent to real ones.
// None may meet "not a command of this host" or "is not simulated", and every
// command that changes something succeeds on a healthy host.
func TestCatalogCommandsAreUnderstood(t *testing.T) {
	catalogs, err := runbooks.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, generation := range []string{hostsim.Current, hostsim.Legacy} {
		t.Run(generation, func(t *testing.T) {
			catalog, ok := catalogs.Get(generation)
			if !ok {
				t.Fatal("no such catalog")
			}
			c, err := hostsim.Start(hostsim.Config{Generation: generation, Dir: t.TempDir(), Pace: 0.01})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Close() })
			cl := fleet.Cluster{Name: "prod", Catalog: generation, ACLs: fleet.ACLsInEtcd}
			clients := map[string]*ssh.Client{}
			for _, h := range hostsim.DefaultLayout(generation) {
				cl.Hosts = append(cl.Hosts, fleet.Host{Name: h.Name, Address: c.Address(h.Name), Login: c.Login(), Processes: h.Processes})
				clients[h.Name] = connect(t, c, h.Name)
			}
			planner := runbooks.Planner{Catalogs: catalogs, Fleet: &fleet.Fleet{Clusters: []fleet.Cluster{cl}}}
			sent := map[string]bool{}
			for _, p := range catalog.Processes() {
				if len(cl.HostsOf(p.ID)) == 0 {
					t.Errorf("%s: nowhere in the layout", p.ID)
					continue
				}
				for _, h := range cl.HostsOf(p.ID) {
					for _, action := range p.Actions {
						plan, err := planner.Plan(runbooks.Inputs{Cluster: "prod", Action: action, Process: p.ID, Hosts: []string{h.Name}})
						if err != nil {
							t.Errorf("%s %s: %v", action, p.ID, err)
						}
						for _, s := range plan.Steps {
							if s.Sent == "" || sent[s.Host+s.Sent] && !s.Changes() {
								continue
							}
							sent[s.Host+s.Sent] = true
							exit, stderr := run(t, clients[s.Host], s.Sent)
							if strings.Contains(stderr, "hostsim:") || exit == 127 || s.Changes() && exit != 0 {
								t.Errorf("%s %s on %s: %s: exit %d %s", action, p.ID, s.Host, s.Sent, exit, stderr)
							}
						}
					}
					// "stop" was one of them: a second etcd member stopped would cost the quorum.
					if err := c.Fault(h.Name, p.ID, "start"); err != nil {
						t.Error(err)
					}
				}
			}
			if len(sent) < 60 {
				t.Errorf("only %d different commands were sent", len(sent))
			}
		})
	}
}

func connect(t *testing.T, c *hostsim.Cluster, host string) *ssh.Client {
	t.Helper()
	raw, err := os.ReadFile(c.KeyFile())
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParsePrivateKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	check, err := knownhosts.New(c.KnownHosts())
	if err != nil {
		t.Fatal(err)
	}
	client, err := ssh.Dial("tcp", c.Address(host), &ssh.ClientConfig{
		User: c.Login(), Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: check,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func run(t *testing.T, client *ssh.Client, line string) (exit int, stderr string) {
	t.Helper()
	s, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var errs bytes.Buffer
	s.Stderr = &errs
	var status *ssh.ExitError
	switch err := s.Run(line); {
	case errors.As(err, &status):
		exit = status.ExitStatus()
	case err != nil:
		t.Fatalf("%s: %v", line, err)
	}
	return exit, errs.String()
}
