package bench

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"dhbot/internal/fleet"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
	"dhbot/runbooks/planner"
)

// newFleet starts n hosts, each of which runs all the given processes.
func newFleet(tb testing.TB, n int, processes ...string) *estate {
	tb.Helper()
	catalogs, err := catalogs.Builtin()
	if err != nil {
		tb.Fatal(err)
	}
	keys := newHostKeys(tb)
	dir := tb.TempDir()
	var all strings.Builder // monit's answer without the name of a process
	for _, p := range processes {
		said := strings.ReplaceAll(read(tb, "testdata/monit-status.txt"), "db_dis", p)
		printing := "printf %s '" + strings.ReplaceAll(said, "'", `'\''`) + "'\n"
		write(tb, filepath.Join(dir, p), printing, 0o644)
		all.WriteString(printing)
	}
	write(tb, filepath.Join(dir, "status"), all.String(), 0o644)
	write(tb, filepath.Join(dir, "sudo"), fmt.Sprintf(shim, dir), 0o755)
	write(tb, filepath.Join(dir, "ps"), list, 0o755)
	write(tb, filepath.Join(dir, "stat"), sizes, 0o755)
	write(tb, filepath.Join(dir, "tail"), empty, 0o755)
	e := &estate{catalogs: catalogs, login: keys.user, keyFile: keys.login}
	var known strings.Builder
	for from := 0; from < n; from += mostListened {
		s := keys.listen(tb, addresses(from, min(mostListened, n-from)),
			"SetEnv SHLVL=2 PATH="+dir+":/usr/bin:/bin", "MaxSessions 100", "MaxStartups 1000")
		known.WriteString(read(tb, s.known))
		for _, ip := range s.ips {
			name := fmt.Sprintf("host-%d", len(e.hosts)+1)
			e.hosts = append(e.hosts, host{name: name, address: ip + ":" + s.port, process: strings.Join(processes, ", ")})
		}
	}
	e.knownHosts = write(tb, filepath.Join(dir, "known_hosts"), known.String(), 0o600)
	e.planFleet(tb, processes[0])
	return e
}

// planFleet gets the status command for each host from the planner.
func (e *estate) planFleet(tb testing.TB, process string) {
	tb.Helper()
	h := e.hosts[0]
	cl := fleet.Cluster{Name: cluster, Catalog: generation, ACLs: fleet.ACLsInEtcd}
	cl.Hosts = []fleet.Host{{Name: h.name, Address: h.address, Login: e.login, Processes: []string{process}}}
	planner := planner.Planner{Catalogs: e.catalogs, Fleet: &fleet.Fleet{Clusters: []fleet.Cluster{cl}}}
	plan, err := planner.Plan(runbooks.Inputs{Cluster: cluster, Action: "status", Process: process})
	if err != nil {
		tb.Fatal(err)
	}
	for i := range e.hosts {
		e.hosts[i].sent = plan.Steps[0].Sent
	}
}
