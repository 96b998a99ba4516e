package status_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dhbot/internal/card/statuscard"
	"dhbot/internal/engine"
	"dhbot/internal/fleet"
	"dhbot/internal/incident"
	"dhbot/internal/observe"
	"dhbot/internal/observe/proof"
	"dhbot/internal/sshexec"
	"dhbot/internal/sshroute"
	"dhbot/internal/status"
	"dhbot/internal/sudoers"
	"dhbot/internal/test/cardtest"
	"dhbot/internal/test/labtest"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// labAll is the environment variable with which the tests break every process, and use every state.
const labAll = "DHBOT_LAB_ALL"

// labAccount is the bot's account on the lab's hosts. It has only the rights in the printed sudoers
// file.
const labAccount = "dhbotstatus"

// labSite is the lab, configured as a cluster of one generation of Deephaven, with its own
// monitoring.
type labSite struct {
	name    string
	config  status.Config
	asked   *status.Assessor
	watched *incident.Cluster
	opened  map[runbooks.Target]int  // number of incidents of each target
	held    map[runbooks.Target]bool // shown with another target
}

// labTable has the sites, and the targets that a test breaks.
type labTable struct {
	*testing.T
	sites   []*labSite
	targets []runbooks.Target
}

// labState is a state into which a test puts processes, and the result that it expects.
type labState struct {
	labtest.State
	looks  int // number of checks within which an incident opens
	want   []runbooks.Severity
	own    bool // the process's own outage level is also accepted
	logged bool // visible only in its log
	long   bool // takes minutes: only with DHBOT_LAB_ALL
}

func labStates() []labState {
	unknown := []runbooks.Severity{runbooks.Unknown}
	wanted := map[string]labState{
		labtest.StoppedByHand: {looks: 2, own: true},
		labtest.Killed:        {looks: 12, want: unknown, own: true},
		labtest.CrashLoop:     {looks: 3, own: true},
		labtest.NotKnown:      {looks: 2, want: []runbooks.Severity{runbooks.Moderate}, own: true},
		labtest.StaleMonit:    {looks: 12, want: unknown, own: true},
		// monit waits 15 s for each process, one after the other.
		labtest.HangingStop: {looks: 100, want: append(unknown, runbooks.Moderate), own: true, long: true},
		labtest.Errors:      {looks: 40, want: []runbooks.Severity{runbooks.Low}, logged: true, long: true},
	}
	var out []labState
	for _, st := range labtest.States() {
		w := wanted[st.Name]
		w.State = st
		out = append(out, w)
	}
	return out
}

// TestLabTruth puts processes of the lab into each state and queries every surface, in both
// generations. All surfaces must agree, and none may show a broken process as green. Only broken
// processes may be Sev 1. For each, one incident must open in time and be resolved once.
//
// If DHBOT_LAB_ALL is set, the test breaks every process, all at once.
func TestLabTruth(t *testing.T) {
	l := newLabTable(t)
	for _, st := range labStates() {
		t.Run(st.Name, func(t *testing.T) {
			if st.long && os.Getenv(labAll) == "" {
				t.Skipf("%s is unset", labAll)
			}
			sub := &labTable{T: t, sites: l.sites}
			for _, target := range l.targets {
				if target.Process != st.Neighbour {
					sub.targets = append(sub.targets, target)
				}
			}
			sub.play(st)
		})
	}
}

// TestLabDependency stops processes on which others depend. The other processes still run but
// cannot work, and must have no incident of their own.
func TestLabDependency(t *testing.T) {
	l := newLabTable(t)
	l.targets = []runbooks.Target{{Process: "authentication_server", Host: "infra"}}
	l.awaitWell()
	t.Cleanup(func() { l.on(l.targets, labtest.Again) })
	l.on(l.targets, "monit stop $p; ")
	for range 4 {
		for _, s := range l.sites {
			s.look(l)
		}
	}
	for _, s := range l.sites {
		catalog, _ := s.config.Catalogs.Get(s.name)
		dependants := 0
		for target, r := range s.rows(l, nil)["status"] {
			if !slices.Contains(catalog.Needed(target.Process, s.config.Fleet.Clusters[0].ACLs), "authentication_server") {
				continue
			}
			dependants++
			if r.Severity() != runbooks.Low || !strings.HasPrefix(r.Finding.Headline, "Running, cannot work: authentication_server on infra") {
				t.Errorf("%s: %s is %v, %q", s.name, target, r.Severity(), r.Finding.Headline)
			}
		}
		if dependants == 0 {
			t.Errorf("%s: nothing depends on it", s.name)
		}
		if want := map[runbooks.Target]int{l.targets[0]: 1}; !maps.Equal(s.opened, want) {
			t.Errorf("%s: incidents of %v", s.name, s.opened)
		}
	}
	l.on(l.targets, labtest.Again)
	l.awaitWell()
}

// TestLabDatabases stops MariaDB and a member of etcd. Each must be reported with the last lines of
// its log. The processes that depend on MariaDB must be unable to work. Nothing depends on MariaDB
// if the ACLs are in etcd.
func TestLabDatabases(t *testing.T) {
	l := newLabTable(t)
	l.awaitWell()
	on := func(verb string) {
		for host, unit := range map[string]string{"infra": "mariadb", "query1": "dh-etcd"} {
			if out, err := labtest.AsRoot(host, "systemctl "+verb+" "+unit); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		}
	}
	t.Cleanup(func() { on("start") })
	for _, s := range l.sites {
		s.opened = map[runbooks.Target]int{}
	}
	on("stop")
	for range 4 {
		for _, s := range l.sites {
			s.look(l)
		}
	}
	mariadb, member := runbooks.Target{Process: "mariadb", Host: "infra"}, runbooks.Target{Process: "etcd", Host: "query1"}
	for _, s := range l.sites {
		needed := s.config.Fleet.Clusters[0].ACLs == fleet.ACLsInMySQL
		opened := map[runbooks.Target]int{member: 1}
		if needed {
			opened[mariadb] = 1
		}
		if !maps.Equal(s.opened, opened) {
			t.Errorf("%s: incidents of %v, want %v", s.name, s.opened, opened)
		}
		rows := s.rows(l, nil)["status"]
		if r := rows[member]; r.Finding.Code != observe.FoundMemberDown {
			t.Errorf("%s: etcd is %s", s.name, r.Finding.Code)
		}
		if r := rows[mariadb]; r.Finding.Code != observe.FoundDown || (r.Severity() == runbooks.Critical) != needed {
			t.Errorf("%s: MariaDB is %v, %s", s.name, r.Severity(), r.Finding.Code)
		}
		if code := rows[runbooks.Target{Process: "authentication_server", Host: "infra"}].Finding.Code; (code == observe.FoundCannotWork) != needed {
			t.Errorf("%s: the authentication server is %s", s.name, code)
		}
		for _, target := range []runbooks.Target{mariadb, member} {
			r := rows[target]
			if r.Log == nil || r.Log.Log.Last.IsZero() || time.Since(r.Log.Log.Last) > time.Hour {
				t.Errorf("%s: the log of %s was not read: %q, %+v", s.name, target, r.LogWhy, r.Log)
			}
			t.Logf("%s: %s: %s", s.name, target, r.Finding.Text)
		}
	}
	on("start")
	l.awaitWell()
}

// TestLabAuthLog counts the lines that one check by the monitoring adds to each host's log of sudo.
// There may be at most one line for monit, one for each unit of systemd, and two more on the host
// that is queried about etcd.
func TestLabAuthLog(t *testing.T) {
	l := newLabTable(t)
	s := l.sites[0]
	s.look(l) // opens the connections
	for _, h := range s.config.Fleet.Clusters[0].Hosts {
		count := func() int {
			out, err := labtest.AsRoot(h.Name, "journalctl -q -t sudo | grep -c ' "+labAccount+" : .*COMMAND='; true")
			if err != nil {
				t.Fatal(err)
			}
			n, err := strconv.Atoi(strings.TrimSpace(string(out)))
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		before := count()
		const rounds = 3
		for range rounds {
			s.look(l)
		}
		each := (count() - before + rounds - 1) / rounds
		t.Logf("%s: %d lines of sudo a round", h.Name, each)
		most := 1 // the query to monit
		for _, p := range h.Processes {
			if p == "etcd" || p == "mariadb" {
				most++
			}
		}
		if slices.Contains(h.Processes, "configuration_server") {
			most += 2 // status and health of etcd's members
		}
		if each > most {
			t.Errorf("%s: %d lines of sudo a round, more than %d", h.Name, each, most)
		}
	}
}

func newLabTable(t *testing.T) *labTable {
	hosts := labtest.Hosts(t)
	labtest.Quick(t, hosts)
	l := &labTable{T: t, targets: []runbooks.Target{{Process: "db_dis", Host: "infra"}, {Process: "db_query_server", Host: "query1"}}}
	catalogs, err := catalogs.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	pool, err := sshexec.New(sshexec.Config{Credentials: sshroute.Keys(hosts["infra"].KeyFile), KnownHosts: hosts["infra"].KnownHosts})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	files := map[string]string{}
	for _, generation := range []string{"current", "legacy-20200121"} {
		cl := labCluster(generation, hosts)
		catalog, _ := catalogs.Get(generation)
		for i := range cl.Hosts {
			f, err := sudoers.For(catalog, &cl, &cl.Hosts[i], sudoers.Options{User: labAccount})
			if err != nil {
				t.Fatal(err)
			}
			files[cl.Hosts[i].Name] += f.String()
		}
		s := &labSite{name: generation, watched: &incident.Cluster{V: 1, Cluster: "lab"}, opened: map[runbooks.Target]int{}, held: map[runbooks.Target]bool{}}
		s.config = status.Config{
			Catalogs: catalogs, Fleet: &fleet.Fleet{Clusters: []fleet.Cluster{cl}}, Remote: pool, Store: noRuns{}, Now: time.Now,
			Policy: status.Policy{ErrorsFor: time.Minute},
		}
		s.asked = s.fresh(l)
		l.sites = append(l.sites, s)
	}
	labtest.Least(t, labAccount, files)
	if os.Getenv(labAll) != "" {
		l.targets = l.every()
	}
	l.on(l.targets, labtest.Again)
	return l
}

func labCluster(generation string, hosts map[string]labtest.Host) fleet.Cluster {
	query := []string{"log_aggregator_service", "tailer1", "db_tdcp", "db_query_server", "etcd"}
	infra := []string{
		"configuration_server", "authentication_server", "db_acl_write_server", "iris_controller", "log_aggregator_service",
		"tailer1", "db_dis", "db_merge_server", "db_ltds", "db_tdcp", "web_api_service", "etcd", "mariadb",
	}
	acls := fleet.ACLsInEtcd
	switch generation { // each generation has a process that the other generation lacks
	case "current":
		infra = append(infra, "status_dashboard")
	default:
		infra = append(infra, "client_update_service")
		acls = fleet.ACLsInMySQL
	}
	cl := fleet.Cluster{Name: "lab", Catalog: generation, ACLs: acls}
	for name, processes := range map[string][]string{"infra": infra, "query1": query, "query2": query} {
		cl.Hosts = append(cl.Hosts, fleet.Host{Name: name, Address: hosts[name].Address, Login: labAccount, Processes: processes})
	}
	slices.SortFunc(cl.Hosts, func(a, b fleet.Host) int { return strings.Compare(a.Name, b.Name) })
	return cl
}

// every lists all targets that monit supervises, of both generations.
func (l *labTable) every() []runbooks.Target {
	var out []runbooks.Target
	for _, s := range l.sites {
		for _, h := range s.config.Fleet.Clusters[0].Hosts {
			for _, p := range h.Processes {
				t := runbooks.Target{Process: p, Host: h.Name}
				if p != "etcd" && p != "mariadb" && !slices.Contains(out, t) {
					out = append(out, t)
				}
			}
		}
	}
	return out
}

// broken returns the broken targets that the site has and on which it can detect the state.
func (s *labSite) broken(l *labTable, st labState) []runbooks.Target {
	return slices.DeleteFunc(slices.Clone(l.targets), func(t runbooks.Target) bool {
		h, _ := s.config.Fleet.Clusters[0].Host(t.Host)
		return !h.Runs(t.Process) || st.logged && s.elsewhere(t.Process)
	})
}

// elsewhere reports whether the lab's substitute for a process does not log where the site's
// generation of the process is documented to log.
func (s *labSite) elsewhere(process string) bool {
	return s.name == "legacy-20200121" && (process == "web_api_service" || process == "client_update_service")
}

// noRuns is a store that has no runs and no maintenance.
type noRuns struct{}

func (noRuns) OpenWork(context.Context) ([]engine.Stored, []fleet.Maintenance, error) {
	return nil, nil, nil
}
func (noRuns) Recent(context.Context, int) ([]engine.Stored, error) { return nil, nil }

func (l *labTable) play(st labState) {
	for _, s := range l.sites { // forgets the observations of an earlier state
		s.asked = s.fresh(l)
		s.watched = &incident.Cluster{V: 1, Cluster: "lab"}
	}
	l.awaitWell()
	for _, s := range l.sites {
		s.opened = map[runbooks.Target]int{}
		s.held = map[runbooks.Target]bool{}
	}
	mended := false
	mend := func() {
		if !mended {
			l.on(l.targets, st.Mend)
			l.beside(st, labtest.Again)
		}
		mended = true
	}
	l.Cleanup(mend)
	l.beside(st, labtest.HangInStart)
	l.on(l.targets, st.Break)
	const least = 3 // from this check on no broken process may be green
	green := map[string]string{}
	for n, told := 1, false; n <= least || n <= st.looks && !told; n++ {
		told = true
		for _, s := range l.sites {
			b := s.look(l)
			broken := s.broken(l, st)
			for _, r := range b.Rows {
				if n >= least && r.Severity() == runbooks.None && slices.Contains(broken, r.Target()) {
					green[s.name+": "+r.Target().String()] = fmt.Sprintf("look %d: %s", n, r.Finding.Text)
				}
			}
			unreported := s.unreported(broken)
			told = told && len(unreported) == 0
			if n == st.looks && len(unreported) > 0 {
				l.Errorf("%s: no incident within %d checks for %v", s.name, n, unreported)
			}
		}
	}
	for what, text := range green {
		l.Errorf("false green: %s, %s", what, text)
	}
	for _, s := range l.sites {
		s.agree(l, st)
	}
	mend()
	l.awaitWell()
	for _, s := range l.sites {
		for target, n := range s.opened {
			if n != 1 || !l.brokenBy(st, target) {
				l.Errorf("%s: %d incidents of %s", s.name, n, target)
			}
		}
	}
}

// unreported lists the targets that have no incident of their own and are not shown in the incident of
// another target.
func (s *labSite) unreported(targets []runbooks.Target) []runbooks.Target {
	return slices.DeleteFunc(slices.Clone(targets), func(t runbooks.Target) bool { return s.opened[t] > 0 || s.held[t] })
}

// on runs a script for each target, on the target's host. The hosts run it concurrently.
func (l *labTable) on(targets []runbooks.Target, script string) {
	l.Helper()
	byHost := map[string][]string{}
	for _, t := range targets {
		byHost[t.Host] = append(byHost[t.Host], t.Process)
	}
	labtest.On(l, byHost, script)
}

// beside runs a script for the state's Neighbour, a second process that is broken on each host of
// the targets.
func (l *labTable) beside(st labState, script string) {
	l.Helper()
	if st.Neighbour == "" {
		return
	}
	seen := map[runbooks.Target]bool{}
	for _, t := range l.targets {
		seen[runbooks.Target{Process: st.Neighbour, Host: t.Host}] = true
	}
	l.on(slices.Collect(maps.Keys(seen)), script)
}

// brokenBy reports whether a target is broken in a state, either itself or as the state's neighbour
// process.
func (l *labTable) brokenBy(st labState, t runbooks.Target) bool {
	return slices.ContainsFunc(l.targets, func(b runbooks.Target) bool {
		return b == t || st.Neighbour == t.Process && b.Host == t.Host
	})
}

// awaitWell repeats checks until every process is as expected and no incident is open. It fails the test
// after a few minutes.
func (l *labTable) awaitWell() {
	l.Helper()
	var bad []string
	told := ""
	for end := time.Now().Add(4 * time.Minute); time.Now().Before(end); {
		bad = nil
		for _, s := range l.sites {
			for _, r := range s.look(l).Rows {
				if r.Severity() != runbooks.None {
					bad = append(bad, fmt.Sprintf("%s: %s is %v, %q", s.name, r.Target(), r.Severity(), r.Finding.Headline))
				}
			}
			if n := len(s.watched.Incidents); n > 0 {
				bad = append(bad, fmt.Sprintf("%s: %d incidents are still open", s.name, n))
			}
		}
		if len(bad) == 0 {
			return
		}
		if now := numbers.ReplaceAllString(strings.Join(bad, "\n"), ""); now != told {
			told = now
			l.Logf("not yet as expected:\n%s", strings.Join(bad, "\n"))
		}
	}
	l.Fatalf("the lab is not as expected:\n%s", strings.Join(bad, "\n"))
}

// fresh returns a new Assessor without earlier observations, as after a restart of the bot.
func (s *labSite) fresh(l *labTable) *status.Assessor {
	a, err := status.New(s.config)
	if err != nil {
		l.Fatal(err)
	}
	return a
}

// between is the time between two checks by the monitoring that confirm a change.
const between = 3 * time.Second

// look makes one check as the monitoring does, and returns the board.
func (s *labSite) look(l *labTable) status.Board {
	l.Helper()
	select {
	case <-time.After(between / time.Duration(len(l.sites))):
	case <-l.Context().Done():
	}
	b, seen, err := s.asked.Look(l.Context(), incident.Scope{Cluster: "lab"}, s.watched.Memory.NotUp)
	if err != nil {
		l.Fatal(err)
	}
	for _, one := range seen {
		if len(one.Behind) > 0 {
			s.held[one.Target] = true
		}
	}
	rules := incident.DefaultRules(2 * between)
	before := len(s.watched.Incidents)
	s.watched.See(seen, time.Now(), rules, "C0LAB")
	for _, i := range s.watched.Incidents[before:] {
		for _, it := range i.Items {
			s.opened[it.Target]++
			l.Logf("%s: incident of %s: %v, %s", s.name, it.Target, it.To, it.Headline)
		}
	}
	s.watched.Incidents = slices.DeleteFunc(s.watched.Incidents, func(i *incident.Incident) bool { return i.Ended != nil })
	return b
}

// rows queries every surface.
func (s *labSite) rows(l *labTable, targets []runbooks.Target) map[string]map[runbooks.Target]status.Row {
	l.Helper()
	out := map[string]map[runbooks.Target]status.Row{}
	add := func(surface string, b status.Board) {
		shown := statuscard.Status(b)
		if surface == "verify" {
			shown = statuscard.Verified(b)
		}
		for _, what := range cardtest.Hides(shown, b) {
			l.Errorf("%s: the card of %s: %s", s.name, surface, what)
		}
		if out[surface] == nil {
			out[surface] = map[runbooks.Target]status.Row{}
		}
		for _, r := range b.Rows {
			out[surface][r.Target()] = r
		}
	}
	ask := func(surface string, a *status.Assessor, q status.Query) {
		b, err := a.Assess(l.Context(), q)
		if err != nil {
			l.Fatal(err)
		}
		add(surface, b)
	}
	for _, t := range targets {
		if out["status X"] != nil && out["status X"][t].Process.ID != "" {
			continue // already queried together with the same process on another host
		}
		ask("status X", s.asked, status.Query{Scope: incident.Scope{Cluster: "lab", Process: t.Process}})
	}
	for _, h := range s.config.Fleet.Clusters[0].Hosts {
		ask("status HOST", s.asked, status.Query{Scope: incident.Scope{Cluster: "lab", Host: h.Name}})
	}
	ask("status", s.asked, status.Query{Scope: incident.Scope{Cluster: "lab"}})
	add("monitor", s.look(l))
	ask("verify", s.asked, status.Query{Scope: incident.Scope{Cluster: "lab"}, Summaries: true})
	ask("after a restart", s.fresh(l), status.Query{Scope: incident.Scope{Cluster: "lab"}})
	return out
}

// numbers matches the numbers and durations in a result, which differ even if the state is the
// same.
var numbers = regexp.MustCompile(`[0-9]+(\.[0-9]+)?(ms|s|m)?`)

// agree compares what the surfaces show about all broken targets. Targets with differences are
// queried again, because processes may change between two queries. A real difference between
// surfaces persists.
func (s *labSite) agree(l *labTable, st labState) {
	l.Helper()
	left := s.broken(l, st)
	var wrong map[runbooks.Target][]string
	for range 20 {
		wrong = s.disagreements(l, st, left)
		left = slices.Collect(maps.Keys(wrong))
		if len(left) == 0 {
			return
		}
	}
	for _, list := range wrong {
		l.Errorf("%s:\n%s", s.name, strings.Join(list, "\n"))
	}
}

// disagreements lists wrong or different results of the surfaces, by target.
func (s *labSite) disagreements(l *labTable, st labState, targets []runbooks.Target) map[runbooks.Target][]string {
	l.Helper()
	rows := s.rows(l, targets)
	first := rows["status"]
	wrong := map[runbooks.Target][]string{}
	for surface, list := range rows {
		for t, r := range list {
			say := func(format string, args ...any) {
				wrong[t] = append(wrong[t], fmt.Sprintf(surface+": "+t.String()+" "+format, args...))
			}
			switch level := r.Severity(); {
			case !l.brokenBy(st, t) && level == runbooks.Critical:
				say("is a false Sev 1: %s", r.Finding.Headline)
			case !slices.Contains(targets, t):
			case level == runbooks.None:
				say("is a false green: %s", r.Finding.Text)
			case surface == "after a restart":
			case level != first[t].Severity() || r.Finding.Code != first[t].Finding.Code:
				say("is %v, %s, but %v, %s in the status of the cluster", level, r.Finding.Code, first[t].Severity(), first[t].Finding.Code)
			case !slices.Contains(st.want, level) && !(st.own && level == r.Process.Level):
				say("is %v, %q", level, r.Finding.Headline)
			}
		}
	}
	for _, t := range targets {
		if v := s.asked.AllUp(l.Context(), "lab", t.Host); v.State == proof.Met {
			wrong[t] = append(wrong[t], fmt.Sprintf("the check that ends a sequence is met on %s: %s", t.Host, v.Text))
		}
	}
	return wrong
}
