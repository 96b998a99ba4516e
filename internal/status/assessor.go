package status

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"dhbot/internal/engine"
	"dhbot/internal/fleet"
	"dhbot/internal/incident"
	"dhbot/internal/remote"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
	"dhbot/runbooks/planner"
)

// Store is what the state store knows that decides what a status means.
type Store interface {
	// OpenWork returns every run that has not ended and what was announced to
	// be worked on, as of one moment.
	OpenWork(ctx context.Context) ([]engine.Stored, []fleet.Maintenance, error)
	// Recent returns up to n runs that have ended, newest first.
	Recent(ctx context.Context, n int) ([]engine.Stored, error)
}

// Config is what an Assessor needs. Every field but Jump and Policy must be set.
type Config struct {
	Catalogs catalogs.Set
	Fleet    *fleet.Fleet
	Remote   remote.Runner
	Store    Store
	Now      func() time.Time
	// Jump is the host by which all others are reached, "" where they are
	// reached directly.
	Jump   string
	Policy Policy
}

// Policy is what a site may set. A zero field means its default.
type Policy struct {
	// ErrorRate is how many errors a minute in a log are too many, once they
	// have been for ErrorsFor.
	ErrorRate int
	ErrorsFor time.Duration
	// OwnStop is how long a process that a run stopped is no incident.
	OwnStop time.Duration
}

func (p Policy) withDefaults() Policy {
	return Policy{cmp.Or(p.ErrorRate, 10), cmp.Or(p.ErrorsFor, 5*time.Minute), cmp.Or(p.OwnStop, 30*time.Minute)}
}

// Assessor finds out how processes are. It remembers how far it has read each
// log and when each process was last seen to start, and nothing that it could
// not find out again.
type Assessor struct {
	Config
	planner *planner.Planner
	planned sync.Map // plannedRead → []runbooks.Step, never changed
	shared  *sharedReads
	logs    logBook
	history history
}

// New checks that nothing is missing.
func New(c Config) (*Assessor, error) {
	if c.Catalogs == nil || c.Fleet == nil || c.Remote == nil || c.Store == nil || c.Now == nil {
		return nil, errors.New("status: Catalogs, Fleet, Remote, Store and Now must all be set")
	}
	c.Policy = c.Policy.withDefaults()
	return &Assessor{
		Config:  c,
		planner: &planner.Planner{Catalogs: c.Catalogs, Fleet: c.Fleet, Now: c.Now},
		shared:  newSharedReads(c.Remote, c.Now),
	}, nil
}

const (
	// PerHost is how many commands are under way on one host at a time: below
	// sshd's usual MaxSessions of 10, and no burden on monit.
	PerHost = 6
	// BackgroundPerHost is the same for reads in the background.
	BackgroundPerHost = 2
	// FirstPartial is when what is known is shown, however many hosts are still
	// silent, and nextPartial how often after that.
	FirstPartial = 2 * time.Second
	nextPartial  = 2 * time.Second
)

// Query is what an assessment is about.
type Query struct {
	Scope incident.Scope
	// Targets are asked about instead of what the scope names, where there are
	// any; they are of the scope's cluster.
	Targets []runbooks.Target
	// Several is Board.Several of the answer.
	Several string
	// Needs is the process whose needs the answer is about, "" for none.
	Needs string
	// Summaries also asks each host's monit for its summary, as the page on
	// verifying an installation does: monit may know more than the config.
	Summaries bool
	// Background looks with fewer commands at a time.
	Background bool
	// Within is when what has not answered is left pending, 0 for no limit.
	Within time.Duration
	// NotUp says since when a target has been on its way up; nil where
	// it was not followed.
	NotUp func(runbooks.Target) time.Time
	// Partial is called with what is known so far while hosts are silent; its
	// error ends the look. Nil waits for everything.
	Partial func(Board) error
}

// scope is a query's cluster, and the processes that it is about.
type scope struct {
	cluster *fleet.Cluster
	catalog *catalogs.Catalog
	rows    []runbooks.Target // asked about
	needs   []runbooks.Target // what these need, not among them
}

// ErrNothingThere says that no process is configured in a scope.
var ErrNothingThere = errors.New("no process is configured there")

// Assess looks once. The error is the context's, Partial's, or says why the
// scope cannot be looked at; a store that does not answer only makes the board
// unrecorded, and then what runs do is not known.
func (a *Assessor) Assess(ctx context.Context, q Query) (Board, error) {
	s, err := a.resolve(q)
	if err != nil {
		return Board{}, err
	}
	b := Board{Cluster: q.Scope.Cluster, Several: q.Several, Needs: q.Needs, Rows: a.blank(s, s.rows), Upstream: a.blank(s, s.needs)}
	if q.Scope.Process == "" {
		b.Host = q.Scope.Host
	}
	l := &look{Assessor: a, scope: s, query: q, board: b}
	return l.run(ctx)
}

// Watchable says why a scope cannot be looked at, nil where it can.
func (a *Assessor) Watchable(sc incident.Scope) error {
	_, err := a.resolve(Query{Scope: sc})
	return err
}

// resolve finds what a query is about, hosts in config order.
func (a *Assessor) resolve(q Query) (*scope, error) {
	s := &scope{}
	var ok bool
	if s.cluster, ok = a.Fleet.Cluster(q.Scope.Cluster); !ok {
		return nil, fmt.Errorf("the config has no cluster %q any more", q.Scope.Cluster)
	}
	if s.catalog, ok = a.Catalogs.Get(s.cluster.Catalog); !ok {
		return nil, fmt.Errorf("there is no catalog %q", s.cluster.Catalog)
	}
	if q.Scope.Host != "" {
		if _, ok := s.cluster.Host(q.Scope.Host); !ok {
			return nil, fmt.Errorf("%s has no host %q any more", s.cluster.Name, q.Scope.Host)
		}
	}
	if q.Scope.Process != "" {
		if _, ok := s.catalog.Process(q.Scope.Process); !ok {
			return nil, fmt.Errorf("there is no process %q any more", q.Scope.Process)
		}
	}
	s.rows = q.Targets
	if s.rows == nil {
		s.rows = s.targets(q.Scope)
	}
	s.rows = slices.DeleteFunc(slices.Clone(s.rows), func(t runbooks.Target) bool { return !s.known(t) })
	if len(s.rows) == 0 {
		return nil, fmt.Errorf("%s: %w", q.Scope, ErrNothingThere)
	}
	s.needs = s.upstream()
	return s, nil
}

// targets are those that the scope names.
func (s *scope) targets(sc incident.Scope) []runbooks.Target {
	var out []runbooks.Target
	for _, h := range s.cluster.Hosts {
		if sc.Host != "" && h.Name != sc.Host {
			continue
		}
		for _, id := range h.Processes {
			if sc.Process == "" || id == sc.Process {
				out = append(out, runbooks.Target{Process: id, Host: h.Name})
			}
		}
	}
	return out
}

// known leaves out what the config's cross-check reports.
func (s *scope) known(t runbooks.Target) bool {
	_, process := s.catalog.Process(t.Process)
	h, host := s.cluster.Host(t.Host)
	return process && host && h.Runs(t.Process)
}

// upstream is what the rows need, directly or through others, and the other
// members of etcd, which serve together: what no row is about.
func (s *scope) upstream() []runbooks.Target {
	seen := map[runbooks.Target]bool{}
	for _, t := range s.rows {
		seen[t] = true
	}
	var out []runbooks.Target
	for _, t := range s.rows {
		ids := s.catalog.Needed(t.Process, s.cluster.ACLs)
		if t.Process == etcdID {
			ids = append(ids, etcdID)
		}
		for _, id := range ids {
			for _, h := range s.cluster.HostsOf(id) {
				if need := (runbooks.Target{Process: id, Host: h.Name}); !seen[need] {
					seen[need] = true
					out = append(out, need)
				}
			}
		}
	}
	return out
}

// blank are rows that nothing is known of yet.
func (a *Assessor) blank(s *scope, targets []runbooks.Target) []Row {
	rows := make([]Row, len(targets))
	for i, t := range targets {
		p, _ := s.catalog.Process(t.Process)
		rows[i] = Row{Process: *p, Host: t.Host, Pending: true}
	}
	return rows
}

// plannedRead is a catalog's own read: of a process on a host, or of a cluster.
type plannedRead struct {
	cluster               string
	action, process, host string
}

// plan returns the steps of a catalog's read. They are the same each time, as
// long as catalogs and fleet are, and so they are planned once.
func (a *Assessor) plan(r plannedRead) ([]runbooks.Step, error) {
	if steps, ok := a.planned.Load(r); ok {
		return steps.([]runbooks.Step), nil
	}
	in := runbooks.Inputs{Cluster: r.cluster, Action: r.action, Process: r.process}
	if r.host != "" {
		in.Hosts = []string{r.host}
	}
	plan, err := a.planner.Plan(in)
	if err != nil {
		return nil, err
	}
	a.planned.Store(r, plan.Steps)
	return plan.Steps, nil
}
