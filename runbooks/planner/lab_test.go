package planner_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"dhbot/internal/fleet"
	"dhbot/internal/observe"
	"dhbot/internal/observe/proof"
	"dhbot/internal/remote"
	"dhbot/internal/sudoers"
	"dhbot/internal/test/labtest"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
	"dhbot/runbooks/planner"
)

// lab executes plans on real hosts, which the ssh_config file DHBOT_LAB names. It runs the
// program ssh instead of the bot's SSH client, so that only catalog, planner and observe are
// tested.
type lab struct {
	t       *testing.T
	config  string
	sockets string // the directory with the sockets of persistent connections
	planner *planner.Planner
	done    map[string]bool // by actionKey: executed to the end
}

// account is the login that executes plans. It has only the rights that bot sudoers prints
// for its host.
const account = "dhbotplans"

func newLab(t *testing.T, catalog string, change func(*fleet.Cluster)) *lab {
	t.Helper()
	config := os.Getenv("DHBOT_LAB")
	if config == "" {
		t.Skip("DHBOT_LAB names no ssh_config file")
	}
	cs, err := catalogs.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	query := []string{"log_aggregator_service", "tailer1", "db_tdcp", "db_query_server", "etcd"}
	infra := []string{"configuration_server", "authentication_server", "db_acl_write_server", "iris_controller", "log_aggregator_service",
		"tailer1", "db_dis", "db_merge_server", "db_ltds", "etcd", "mariadb"}
	if catalog == "current" {
		infra = append(infra, "status_dashboard", "web_api_service") // the lab lacks their legacy log directory
	} else {
		infra = append(infra, "client_update_service")
	}
	host := func(name, address string, processes []string) fleet.Host {
		return fleet.Host{Name: name, Address: address, Login: account, Processes: processes}
	}
	sockets, err := os.MkdirTemp("", "lab") // short enough for a socket path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(sockets) })
	l := &lab{t: t, config: config, sockets: sockets, done: map[string]bool{}, planner: &planner.Planner{Catalogs: cs, Now: time.Now, Fleet: &fleet.Fleet{Clusters: []fleet.Cluster{{
		Name: "lab", Catalog: catalog, Hosts: []fleet.Host{
			host("infra", "127.0.1.1:2222", infra), host("query1", "127.0.1.2:2222", query), host("query2", "127.0.1.3:2222", query),
		},
	}}}}}
	if change != nil {
		change(&l.planner.Fleet.Clusters[0])
	}
	l.account()
	return l
}

// account creates the account, with the sudoers file of each host.
func (l *lab) account() {
	l.t.Helper()
	cl := &l.planner.Fleet.Clusters[0]
	catalog, _ := l.planner.Catalogs.Get(cl.Catalog)
	files := map[string]string{}
	for i := range cl.Hosts {
		f, err := sudoers.For(catalog, cl, &cl.Hosts[i], sudoers.Options{User: account})
		if err != nil {
			l.t.Fatal(err)
		}
		files[cl.Hosts[i].Name] = f.String()
	}
	labtest.Least(l.t, account, files)
}

// ssh runs one line on a host as the bot would send it.
func (l *lab) ssh(host, line string, timeout time.Duration) remote.Result {
	return l.as(account, host, line, timeout)
}

// as runs one shell line on a host, logged in as the given account.
func (l *lab) as(login, host, line string, timeout time.Duration) remote.Result {
	ctx, cancel := context.WithTimeout(context.Background(), timeout+20*time.Second)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "ssh", "-F", l.config, "-o", "BatchMode=yes",
		"-o", "ControlMaster=auto", "-o", "ControlPath="+filepath.Join(l.sockets, "%C"), "-o", "ControlPersist=20", "-l", login, host, line)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	r := remote.Result{Started: time.Now(), Outcome: remote.Answered}
	err := cmd.Run()
	r.Ended = time.Now()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() != 255:
		r.Exit = exit.ExitCode()
	case err != nil:
		l.t.Fatalf("ssh %s: %v: %s", host, err, stderr.String())
	}
	r.Stdout = remote.Output{Head: stdout.Bytes(), Total: int64(stdout.Len())}
	r.Stderr = remote.Output{Head: stderr.Bytes(), Total: int64(stderr.Len())}
	return remote.Classify(remote.Command{Host: host, Sent: line}, r)
}

// bind makes a plan with a digest. To do so, it executes the discovery reads that the plan
// needs.
func (l *lab) bind(in runbooks.Inputs) (runbooks.Inputs, runbooks.Plan, error) {
	c, _ := l.planner.Catalogs.Get(l.planner.Fleet.Clusters[0].Catalog)
	a, err := c.Action(in.Action, in.Process)
	if err != nil {
		return in, runbooks.Plan{}, err
	}
	in.Cluster, in.Minted, in.Params = "lab", a.Mint(time.Now()), a.Settle(in.Params, time.Now())
	in.Listed = map[string][]string{}
	for range 5 {
		plan, err := l.planner.Plan(in)
		if err != nil || len(plan.Discover) == 0 {
			return in, plan, err
		}
		for _, s := range plan.Discover {
			lines, err := observe.ReadList(s, l.ssh(s.Host, s.Sent, s.Timeout.D()))
			if err != nil {
				return in, plan, err
			}
			in.Listed[s.List] = lines
		}
	}
	return in, runbooks.Plan{}, fmt.Errorf("%s: discovery never ends", in.Action)
}

// outcome is the result of a plan: one verdict for each step, and the output shown.
type outcome struct {
	texts  []string
	output string
	failed string // the first failed step
}

// carryOut executes the steps in order, like the engine, up to the first failure. It skips
// manual steps.
func (l *lab) carryOut(plan runbooks.Plan) outcome {
	var out outcome
	seen, since := map[string][]byte{}, map[string]time.Time{}
	for _, s := range plan.Steps {
		if s.Kind == runbooks.Manual {
			continue
		}
		about := s.Host
		if s.About != "" {
			about = s.About
		}
		target := s.Process + "@" + about
		var v proof.Verdict
		if s.Kind == runbooks.Exec {
			since[target] = time.Now()
			v = proof.EvaluateExec(s, l.ssh(s.Host, s.Sent, s.Timeout.D()))
		} else {
			var r remote.Result
			v, r = l.await(s, seen[target], since[target])
			out.output += r.Stdout.String()
		}
		if v.Seen != nil {
			seen[target] = v.Seen
		}
		text := fmt.Sprintf("%s %s: %s → %s: %s", s.Kind, s.Host, s.Command, v.State, v.Text)
		out.texts = append(out.texts, text)
		l.t.Log(text)
		if v.State != proof.Met && v.State != proof.Noted {
			out.failed = text
			return out
		}
	}
	return out
}

func (l *lab) await(s runbooks.Step, before []byte, since time.Time) (proof.Verdict, remote.Result) {
	until := time.Now().Add(s.Within.D())
	for {
		r := l.ssh(s.Host, s.Sent, s.Timeout.D())
		v := proof.Evaluate(s, before, r, since)
		switch {
		case v.State == proof.Met || v.State == proof.Noted || v.State == proof.Never:
			return v, r
		case time.Now().Add(time.Second).After(until):
			return proof.TimedOut(s, before, v), r
		}
		time.Sleep(time.Second) // like the engine: the hosts use real time
	}
}

// do binds and executes a request. If any part fails, the test fails.
func (l *lab) do(in runbooks.Inputs) outcome {
	l.t.Helper()
	_, plan, err := l.bind(in)
	if err != nil {
		l.t.Errorf("%s %s: %v", in.Action, in.Process, err)
		return outcome{}
	}
	out := l.carryOut(plan)
	if out.failed != "" {
		l.t.Errorf("%s %s: %s", in.Action, in.Process, out.failed)
	}
	c, _ := l.planner.Catalogs.Get(plan.Catalog)
	if a, err := c.Action(in.Action, in.Process); err == nil && out.failed == "" {
		l.done[actionKey(c, a)] = true
	}
	return out
}

// TestLabReads sends every read of both catalogs to real hosts.
func TestLabReads(t *testing.T) {
	params := map[string][]map[string]string{
		"logs":     {{}, {"lines": "5"}, {"since": "30m"}, {"grep": "RUNNING"}, {"errors": "yes"}},
		"etcd-get": {{"prefix": "/main/config/schema/"}},
	}
	for _, catalog := range []string{"current", "legacy-20200121"} {
		t.Run(catalog, func(t *testing.T) {
			l := newLab(t, catalog, nil)
			c, _ := l.planner.Catalogs.Get(catalog)
			cluster := &l.planner.Fleet.Clusters[0]
			l.sh("infra", "sudo -n install -d -m 0700 "+queriesDir) // as the first export leaves it
			defer l.sh("infra", "sudo -n rm -rf "+queriesDir)
			for _, a := range c.Actions() {
				if a.Class.Changing() {
					continue
				}
				var hosts, processes []string
				switch a.Scope {
				case catalogs.AboutHost:
					hosts, processes = []string{"infra", "query1"}, []string{""}
				case catalogs.AboutCluster:
					processes = []string{""}
				default:
					for _, p := range c.Processes() {
						if own, err := c.Action(a.Name, p.ID); err == nil && own == a && len(cluster.HostsOf(p.ID)) > 0 {
							processes = append(processes, p.ID)
						}
					}
				}
				for i, p := range processes {
					sets := params[a.Name]
					if len(sets) == 0 || len(a.Params) == 0 || i > 0 && len(sets) > 1 {
						sets = []map[string]string{{}}
					}
					for _, set := range sets {
						if a.Scope == catalogs.AboutProcess && (p == "etcd" || p == "mariadb" || p == "client_update_service") && len(set) > 0 && set["lines"] == "" {
							continue
						}
						l.do(runbooks.Inputs{Action: a.Name, Process: p, Hosts: hosts, Params: set})
					}
				}
			}
		})
	}
}
