package hostsim_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"dhbot/internal/fleet"
	"dhbot/internal/sim/hostsim"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
	"dhbot/runbooks/planner"
)

// TestCatalogCommandsAreUnderstood sends every process command of the catalogs to the simulated
// hosts, with the same bytes that real hosts get. No answer may be "not a command of this host" or
// "is not simulated". Every changing command must succeed on a healthy host.
func TestCatalogCommandsAreUnderstood(t *testing.T) {
	builtin, err := catalogs.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, generation := range []string{hostsim.Current, hostsim.Legacy} {
		t.Run(generation, func(t *testing.T) {
			catalog, ok := builtin.Get(generation)
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
			planner := planner.Planner{Catalogs: builtin, Fleet: &fleet.Fleet{Clusters: []fleet.Cluster{cl}}}
			x := &exerciser{t: t, planner: planner, clients: clients, sent: map[string]bool{}}
			for _, p := range catalog.Processes() {
				if len(cl.HostsOf(p.ID)) == 0 {
					t.Errorf("%s: the layout runs it on no host", p.ID)
					continue
				}
				for _, h := range cl.HostsOf(p.ID) {
					for _, action := range p.Actions {
						x.do(runbooks.Inputs{Cluster: "prod", Action: action, Process: p.ID, Hosts: []string{h.Name}})
					}
					// Start the process again, because the action may have stopped it. A second
					// stopped etcd member would cost the quorum.
					if err := c.Fault(h.Name, p.ID, "start"); err != nil {
						t.Error(err)
					}
				}
			}
			for _, a := range catalog.Actions() {
				switch a.Scope {
				case catalogs.AboutCluster:
					x.do(runbooks.Inputs{Cluster: "prod", Action: a.Name})
				case catalogs.AboutHost:
					x.do(runbooks.Inputs{Cluster: "prod", Action: a.Name, Hosts: []string{cl.Hosts[0].Name}})
				}
			}
			if len(x.sent) < 150 {
				t.Errorf("only %d different commands were sent", len(x.sent))
			}
		})
	}
}

// samples are the parameters of the actions that need parameters. The imports read the file that
// the action pq-export wrote before.
var samples = map[string]map[string]string{
	"intraday-cleanup":  {"namespace": "Order", "table": "Event", "partition": "*", "date": time.Now().UTC().AddDate(0, 0, -2).Format(time.DateOnly)},
	"intraday-truncate": {"namespace": "Order", "table": "Event", "date": "2018-02-09"},
	"etcd-get":          {"prefix": "/main/config/schema/"},
	"pq-import":         {"file": "pq-20260209-140607-k3x7qa.xml"},
	"pq-import-replace": {"file": "pq-20260209-140607-k3x7qa.xml"},
	"backup-retain":     {"days": "30"},
	"restore-backup":    {"part": "routing"},
}

// exerciser runs plans step by step. It checks that the hosts know every command and make every
// change.
type exerciser struct {
	t       *testing.T
	planner planner.Planner
	clients map[string]*ssh.Client
	sent    map[string]bool
}

func (x *exerciser) do(in runbooks.Inputs) {
	x.t.Helper()
	if in.Action == "webapi-enable" {
		return // the Web API is enabled on every simulated host that has it, so the guard would refuse
	}
	in.Params, in.Listed = samples[in.Action], map[string][]string{}
	in.Minted = map[string]string{"file": catalogs.NewStamp(time.Now())}
	if in.Action == "pq-export" {
		in.Minted["file"] = "20260209-140607-k3x7qa"
	}
	for {
		plan, err := x.planner.Plan(in)
		if err != nil {
			x.t.Errorf("%s %s: %v", in.Action, in.Process, err)
			return
		}
		for _, s := range plan.Discover {
			in.Listed[s.List] = planner.ListLines(x.send(in, s))
		}
		if len(plan.Discover) > 0 {
			continue
		}
		for _, s := range plan.Steps {
			if s.Sent != "" && (s.Changes() || !x.sent[s.Host+s.Sent]) {
				x.send(in, s)
			}
		}
		return
	}
}

func (x *exerciser) send(in runbooks.Inputs, s runbooks.Step) string {
	x.t.Helper()
	x.sent[s.Host+s.Sent] = true
	exit, stdout, stderr := run(x.t, x.clients[s.Host], s.Sent)
	if strings.Contains(stderr, "hostsim:") || exit == 127 || s.Changes() && exit != 0 {
		x.t.Errorf("%s %s on %s: %s: exit %d %s", in.Action, in.Process, s.Host, s.Sent, exit, stderr)
	}
	return stdout
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

func run(t *testing.T, client *ssh.Client, line string) (exit int, stdout, stderr string) {
	t.Helper()
	s, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var out, errs bytes.Buffer
	s.Stdout, s.Stderr = &out, &errs
	var status *ssh.ExitError
	switch err := s.Run(line); {
	case errors.As(err, &status):
		exit = status.ExitStatus()
	case err != nil:
		t.Fatalf("%s: %v", line, err)
	}
	return exit, out.String(), errs.String()
}
