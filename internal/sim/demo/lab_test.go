package demo_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dhbot/internal/fleet"
	"dhbot/internal/sim/demo"
	"dhbot/internal/sudoers"
	"dhbot/internal/test/labtest"
	"dhbot/runbooks/catalogs"
)

// labControl is the environment variable with the path of the lab's fault
// script. Tests that need it are skipped if it is unset.
const labControl = "DHBOT_LAB_CONTROL"

// lab returns the cluster of the lab's three hosts, including which services run on each host.
func lab(t *testing.T) demo.Real {
	t.Helper()
	hosts := labtest.Hosts(t)
	labtest.Quick(t, hosts)
	everywhere := []string{"log_aggregator_service", "tailer1", "db_tdcp", "etcd"}
	query := append([]string{"db_query_server"}, everywhere...)
	infra := append([]string{
		"configuration_server", "authentication_server", "db_acl_write_server", "iris_controller", "db_dis",
		"db_merge_server", "db_ltds", "status_dashboard", "web_api_service", "mariadb",
	}, everywhere...)
	cl := fleet.Cluster{Name: "prod", Catalog: "current", ACLs: fleet.ACLsInEtcd}
	for _, h := range []struct {
		name      string
		processes []string
	}{{"infra", infra}, {"query1", query}, {"query2", query}} {
		at, ok := hosts[h.name]
		if !ok {
			t.Fatalf("the lab has no host %s", h.name)
		}
		cl.Hosts = append(cl.Hosts, fleet.Host{Name: h.name, Address: at.Address, Login: account, Processes: h.processes})
	}
	least(t, &cl)
	return demo.Real{Cluster: cl, KeyFile: hosts["infra"].KeyFile, KnownHosts: hosts["infra"].KnownHosts}
}

// account is the bot's account on the lab's hosts. The account has only the rights that bot
// sudoers prints.
const account = "dhbotdemo"

func least(t *testing.T, cl *fleet.Cluster) {
	t.Helper()
	cs, err := catalogs.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	catalog, _ := cs.Get(cl.Catalog)
	files := map[string]string{}
	for i := range cl.Hosts {
		f, err := sudoers.For(catalog, cl, &cl.Hosts[i], sudoers.Options{User: account})
		if err != nil {
			t.Fatal(err)
		}
		files[cl.Hosts[i].Name] = f.String()
	}
	labtest.Least(t, account, files)
}

// control runs the lab's fault script.
func control(t *testing.T, args ...string) {
	t.Helper()
	script := os.Getenv(labControl)
	if script == "" {
		t.Skipf("%s is unset: the test cannot cause faults", labControl)
	}
	if out, err := exec.Command(script, args...).CombinedOutput(); err != nil {
		t.Fatalf("lab %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// play plays a story with a bot of its own.
func play(t *testing.T, real demo.Real, story string) {
	t.Helper()
	lines, err := demo.ParseScript(strings.NewReader(story))
	if err != nil {
		t.Fatal(err)
	}
	var out, log bytes.Buffer
	o := demo.Options{Generation: "current", Real: &real, Log: slog.New(slog.NewTextHandler(&log, nil))}
	err = demo.Run(t.Context(), o, func(ctx context.Context, d *demo.Demo) error {
		stage := d.Stage()
		stage.Out = &out
		return demo.Play(ctx, stage, lines)
	})
	t.Log("\n" + out.String())
	if err != nil {
		t.Errorf("%v\n%s", err, log.String())
	}
}

// TestLabHealthy checks that every process answers, and that a restarted
// process gets another pid.
func TestLabHealthy(t *testing.T) {
	real := lab(t)
	var story strings.Builder
	var asked []string
	for _, h := range real.Cluster.Hosts {
		for _, p := range h.Processes {
			// Other tests may have stopped MariaDB and db_ltds.
			fmt.Fprintf(&story, "operator: /dh status %s on %s\nexpect Sev 0\nexpect (%s) on %s\n", p, h.Name, p, h.Name)
			asked = append(asked, p)
		}
	}
	story.WriteString(`
operator: /dh status
expect 20s as expected
operator: /dh restart db_dis lab
expect Approval needed
approver: approve
expect 60s →
expect 120s Done .. restart db_dis
operator: /dh restart iris_controller lab
expect Approval needed
approver2: approve
expect 60s →
expect 120s Done .. restart iris_controller
verify audit
`)
	play(t, real, story.String())
	t.Logf("queried %d processes", len(asked))
}

// TestLabFaults checks that the bot is not deceived by any false success, and reports each kind
// of missing answer correctly.
func TestLabFaults(t *testing.T) {
	real := lab(t)
	for _, c := range []struct {
		name       string
		make, undo [][]string
		change     func(*demo.Real)
		parallel   bool // the story takes long, and can run in parallel with other such stories
		story      string
	}{
		{
			name: "unmonitored",
			make: [][]string{{"exec", "query2", "monit", "unmonitor", "tailer1"}},
			undo: [][]string{{"exec", "query2", "monit", "monitor", "tailer1"}},
			story: `
operator: /dh status tailer1 on query2
expect Not monitored
refute 1s Sev 0
operator: /dh restart tailer1 on query2
expect 30s not restarted
expect not monitored
`,
		},
		{
			name: "stop fails", parallel: true,
			make: [][]string{{"knob", "query2", "db_tdcp", "STOP_FAIL=1"}},
			undo: [][]string{{"clear", "query2", "db_tdcp"}},
			story: `
operator: /dh restart db_tdcp on query2
expect Approval needed
approver: approve
expect 90s not restarted
refute 1s ✅ Done
verify audit
`,
		},
		{
			name: "but not ready within", parallel: true,
			make: [][]string{{"knob", "infra", "db_ltds", "START_DELAY=90"}},
			undo: [][]string{{"clear", "infra", "db_ltds"}},
			story: `
operator: /dh restart db_ltds
expect 60s →
expect 120s but not ready within
`,
		},
		{
			name: "start fails", parallel: true,
			make: [][]string{{"knob", "query1", "tailer1", "FAIL_START=1"}},
			undo: [][]string{{"clear", "query1", "tailer1"}, {"exec", "query1", "monit", "start", "tailer1"}},
			story: `
operator: /dh restart tailer1 on query1
expect 120s Failed
refute 1s ✅ Done
`,
		},
		{
			name: "monit is stopped",
			make: [][]string{{"monit", "query2", "stop"}},
			undo: [][]string{{"monit", "query2", "start"}},
			story: `
operator: /dh status tailer1 on query2
expect unknown
refute 1s Sev 0
operator: /dh restart tailer1 on query2
expect 30s Failed
expect daemon
`,
		},
		{
			name: "frozen host",
			make: [][]string{{"freeze", "query1", "1"}},
			undo: [][]string{{"freeze", "query1", "0"}},
			story: `
operator: /dh status
expect 5s no answer yet
expect 5s as expected
expect 40s 5 unknown
expect could not connect
operator: /dh status tailer1 on query1
expect 40s unknown
refute 1s Sev 0
operator: /dh restart tailer1 on query1
expect 60s Failed
refute 1s ✅ Done
`,
		},
		{
			name: "changed host key", parallel: true,
			change: func(r *demo.Real) { r.KnownHosts = wrongKey(t, r) },
			story: `
operator: /dh status tailer1 on query1
expect host key
expect unknown
operator: /dh restart tailer1 on query1
expect 30s Failed
expect host key
operator: /dh status tailer1 on query2
expect Sev 0
`,
		},
		{
			name: "dependency down",
			make: [][]string{{"exec", "infra", "monit", "stop", "configuration_server"}, until("infra", "configuration_server", "Not monitored$")},
			undo: [][]string{{"exec", "infra", "monit", "start", "configuration_server"}, until("infra", "configuration_server", "OK$")},
			story: `
operator: /dh restart db_merge_server
expect 20s Nothing was run
expect configuration_server on infra is down and not monitored
operator: /dh deps db_merge_server
expect 20s configuration_server on infra is
operator: /dh runs
expect Runs · 0 open
`,
		},
		{
			name: "noisy login shell",
			make: [][]string{{"exec", "query2", "sh", "-c", "echo 'echo NOTICE: weekly maintenance' > ~" + account + "/.bashrc"}},
			undo: [][]string{{"exec", "query2", "rm", "/home/" + account + "/.bashrc"}},
			story: `
operator: /dh status tailer1 on query2
expect 20s Sev 0
operator: /dh restart tailer1 on query2
expect 60s Done
operator: /dh logs tailer1 on query2 lines=5
expect 20s RUNNING
refute 1s NOTICE
`,
		},
		{
			name: "sudo refuses", parallel: true,
			change: func(r *demo.Real) { setLogin(r, "dhask") },
			story: `
operator: /dh status tailer1 on query1
expect refused by sudo
expect unknown
operator: /dh restart tailer1 on query1
expect 30s Failed
expect refused by sudo
`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.parallel {
				t.Parallel()
			}
			real := real
			real.Cluster.Hosts = slices.Clone(real.Cluster.Hosts)
			if c.change != nil {
				c.change(&real)
			}
			for _, args := range c.make {
				control(t, args...)
			}
			defer func() {
				for _, args := range c.undo {
					control(t, args...)
				}
			}()
			play(t, real, c.story)
		})
	}
}

// until returns a command that runs on a host and waits until monit's status of a service
// matches.
func until(host, service, status string) []string {
	return []string{"exec", host, "sh", "-c", fmt.Sprintf("for i in $(seq 90); do monit -B status %s | grep -q 'status  .*%s' && exit 0; sleep 1; done; exit 1", service, status)}
}

func setLogin(r *demo.Real, login string) {
	for i := range r.Cluster.Hosts {
		r.Cluster.Hosts[i].Login = login
	}
}

// wrongKey returns a known_hosts file in which query1 has query2's keys.
func wrongKey(t *testing.T, r *demo.Real) string {
	t.Helper()
	b, err := os.ReadFile(r.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	name := func(address string) string {
		host, port, _ := strings.Cut(address, ":")
		if port == "22" {
			return host
		}
		return "[" + host + "]:" + port
	}
	one, two := name(r.Cluster.Hosts[1].Address), name(r.Cluster.Hosts[2].Address)
	var lines []string
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, one+" ") {
			continue
		}
		lines = append(lines, line)
		if strings.HasPrefix(line, two+" ") {
			lines = append(lines, one+strings.TrimPrefix(line, two))
		}
	}
	file := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestLabThreadDump checks that a restart keeps a thread dump of the real process. The host's own
// program takes the dump, with the rights that bot sudoers prints. If the process is not ready, a
// button shows the dump.
func TestLabThreadDump(t *testing.T) {
	real := lab(t)
	const program = "/usr/local/bin/dhbot-threads"
	real.Cluster.Hosts[0].ThreadDump = program
	least(t, &real.Cluster)
	t.Cleanup(func() {
		control(t, "exec", "infra", "rm", "-f", program)
		control(t, "clear", "infra", "db_ltds")
	})
	control(t, "exec", "infra", "sh", "-c", `cat > `+program+` <<'END'
#!/bin/sh
echo "Full thread dump of $1 for $(id -un)"
for t in /proc/"$1"/task/*; do echo "thread ${t##*/}: $(cat "$t/comm")"; done
END
chmod 755 `+program)
	control(t, "knob", "infra", "db_ltds", "START_DELAY=90")
	play(t, real, `
operator: /dh restart db_ltds
expect 60s →
expect 180s but not ready within
expect State at the time-out: pid
operator: click Thread dump
expect Full thread dump of .. for dbquery
expect thread .. : db_ltds
`)
}
