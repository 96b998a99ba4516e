package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dhbot/internal/fleet"
	"dhbot/internal/test/sshdtest"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
	"dhbot/runbooks/planner"
)

const (
	generation = "current"
	cluster    = "prod"
)

// host is one OpenSSH server on loopback with one supervised process.
type host struct {
	name, address string
	process       string
	sent          string // the command for its status
}

// estate has the hosts that both sides reach over SSH.
type estate struct {
	catalogs                   catalogs.Set
	hosts                      []host
	login, keyFile, knownHosts string
	watch                      string // the line "watch" of the cluster's config, "" for none
}

// shim replaces sudo on a host. It answers "… monit status NAME" at once with a real monit's answer
// about a running process. It starts no other process, because the benchmark measures only the way
// to the host.
const shim = "#!/bin/sh\nfor name; do :; done\n. %s/\"$name\"\n"

// These scripts replace commands on a host. list replaces ps: the queried process runs, and the
// host's clock matches the status. sizes replaces stat. empty replaces tail, so the log has no
// lines.
const (
	list = `#!/bin/sh
echo '    1   90000 Fri Nov 20 01:02:05 2026'
echo '  705      62 Sat Nov 21 02:01:03 2026'
echo '  900       0 Sat Nov 21 02:02:05 2026'
`
	sizes = "#!/bin/sh\nfor name; do :; done\necho \"1000 0 $name\"\n"
	empty = "#!/bin/sh\n"
)

// newEstate starts an SSH server for each process that monit supervises in the catalog "current".
func newEstate(tb testing.TB) *estate {
	tb.Helper()
	catalogs, err := catalogs.Builtin()
	if err != nil {
		tb.Fatal(err)
	}
	catalog, ok := catalogs.Get(generation)
	if !ok {
		tb.Fatalf("there is no catalog %s", generation)
	}
	e := &estate{catalogs: catalogs}
	dir := tb.TempDir()
	status := read(tb, "testdata/monit-status.txt")
	config := []string{"SetEnv SHLVL=2 PATH=" + dir + ":/usr/bin:/bin", "MaxSessions 1000"}
	var known strings.Builder
	for _, p := range catalog.Processes() {
		if p.Manager != runbooks.Monit {
			continue
		}
		said := strings.ReplaceAll(strings.ReplaceAll(status, "db_dis", p.Service), "'", `'\''`)
		write(tb, filepath.Join(dir, p.Service), "printf %s '"+said+"'\n", 0o644)
		s := sshdtest.Start(tb, config...)
		if e.keyFile == "" { // all hosts accept the same key
			e.keyFile, e.login = s.KeyFile, s.Login
			config = append(config, "AuthorizedKeysFile "+s.KeyFile+".pub")
		}
		known.WriteString(read(tb, s.KnownHosts))
		e.hosts = append(e.hosts, host{name: fmt.Sprintf("host-%d", len(e.hosts)+1), address: s.Address, process: p.ID})
	}
	write(tb, filepath.Join(dir, "sudo"), fmt.Sprintf(shim, dir), 0o755)
	write(tb, filepath.Join(dir, "ps"), list, 0o755)
	write(tb, filepath.Join(dir, "stat"), sizes, 0o755)
	write(tb, filepath.Join(dir, "tail"), empty, 0o755)
	e.knownHosts = write(tb, filepath.Join(dir, "known_hosts"), known.String(), 0o600)
	e.plan(tb)
	return e
}

// plan gets the commands from the planner, so that all sides send the same commands.
func (e *estate) plan(tb testing.TB) {
	tb.Helper()
	cl := fleet.Cluster{Name: cluster, Catalog: generation, ACLs: fleet.ACLsInEtcd}
	for _, h := range e.hosts {
		cl.Hosts = append(cl.Hosts, fleet.Host{Name: h.name, Address: h.address, Login: e.login, Processes: []string{h.process}})
	}
	planner := planner.Planner{Catalogs: e.catalogs, Fleet: &fleet.Fleet{Clusters: []fleet.Cluster{cl}}}
	for i := range e.hosts {
		plan, err := planner.Plan(runbooks.Inputs{Cluster: cluster, Action: "status", Process: e.hosts[i].process})
		if err != nil {
			tb.Fatal(err)
		}
		if len(plan.Steps) != 1 {
			tb.Fatalf("the status of %s takes %d steps, not one", e.hosts[i].process, len(plan.Steps))
		}
		e.hosts[i].sent = plan.Steps[0].Sent
	}
}

func read(tb testing.TB, path string) string {
	tb.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

func write(tb testing.TB, path, text string, mode os.FileMode) string {
	tb.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		tb.Fatal(err)
	}
	return path
}
