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

// Store is the part of the state store that an assessment reads.
type Store interface {
	// OpenWork returns every run that has not ended, and all announced maintenance. Both are from
	// the same revision of the store.
	OpenWork(ctx context.Context) ([]engine.Stored, []fleet.Maintenance, error)
	// Recent returns up to n ended runs, newest first.
	Recent(ctx context.Context, n int) ([]engine.Stored, error)
}

// Config has the dependencies of an Assessor. Every field except Jump and Policy must be set.
type Config struct {
	Catalogs catalogs.Set
	Fleet    *fleet.Fleet
	Remote   remote.Runner
	Store    Store
	Now      func() time.Time
	// Jump is the name of the default jump host, for messages; "" if there is none. A host may have
	// jump hosts of its own.
	Jump   string
	Policy Policy
}

// Policy has the limits that a config may set. A zero field means the default.
type Policy struct {
	// ErrorRate is a number of errors a minute in a log. If a log has at least this many errors
	// in each minute of a time as long as ErrorsFor, they are an incident.
	ErrorRate int
	ErrorsFor time.Duration
	// OwnStop is how long a process may be down after a run has stopped it, before it is an
	// incident.
	OwnStop time.Duration
}

func (p Policy) withDefaults() Policy {
	return Policy{cmp.Or(p.ErrorRate, 10), cmp.Or(p.ErrorsFor, 5*time.Minute), cmp.Or(p.OwnStop, 30*time.Minute)}
}

// Assessor determines the state of processes. It remembers how far it has read each log, and when
// each process was last observed to start. None of this is stored, because a new Assessor can read
// it from the hosts again.
type Assessor struct {
	Config
	planner *planner.Planner
	planned sync.Map // plannedRead → []runbooks.Step, never changed
	shared  *sharedReads
	logs    logBook
	history history
}

// New returns an Assessor, or an error if a required field of the config is missing.
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
	// PerHost is the largest number of concurrent commands on one host. It is below sshd's default
	// MaxSessions of 10, and a small load for monit.
	PerHost = 6
	// BackgroundPerHost replaces PerHost for checks in the background.
	BackgroundPerHost = 2
	// FirstPartial is the time until the first partial result is shown, if some hosts have not
	// answered. nextPartial is the time between further partial results.
	FirstPartial = 2 * time.Second
	nextPartial  = 2 * time.Second
)

// Query describes an assessment.
type Query struct {
	Scope incident.Scope
	// Targets, if not nil, are assessed instead of all targets in Scope. They must be in the
	// cluster of Scope.
	Targets []runbooks.Target
	// Several is Board.Several of the result.
	Several string
	// Needs is the process whose dependencies the query is about. It is "" for any other query.
	Needs string
	// Summaries means that each host's monit is also queried for its summary, because monit may
	// know more processes than the config. The page on verifying an installation requires it.
	Summaries bool
	// Background reduces the number of concurrent commands.
	Background bool
	// Within limits the wait for answers. Rows without an answer by then stay pending. 0 means no
	// limit.
	Within time.Duration
	// NotUp returns since when a target has been starting or stopping. It is nil if the caller does
	// not know.
	NotUp func(runbooks.Target) time.Time
	// Partial is called with partial results until all hosts have answered. If it returns an error,
	// the assessment ends. If Partial is nil, Assess only returns the final result.
	Partial func(Board) error
}

// scope is the cluster of a query, with the queried targets.
type scope struct {
	cluster *fleet.Cluster
	catalog *catalogs.Catalog
	rows    []runbooks.Target // the queried targets
	needs   []runbooks.Target // the dependencies of rows, without the rows themselves
}

// ErrNothingThere means that the config has no process in the queried scope.
var ErrNothingThere = errors.New("no process is configured there")

// Assess checks all targets of a query once. It returns the error of the context or of Partial, or
// the reason why the scope cannot be assessed. If the store does not answer, the error is nil and
// the board has Unrecorded set, because the effects of runs are then unknown.
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

// Watchable returns nil if a scope can be assessed, otherwise the reason as an error.
func (a *Assessor) Watchable(sc incident.Scope) error {
	_, err := a.resolve(Query{Scope: sc})
	return err
}

// resolve returns the cluster and the targets of a query, without targets that the config lacks. It
// keeps the order of q.Targets. If q.Targets is nil, the targets are in the order of the config.
func (a *Assessor) resolve(q Query) (*scope, error) {
	s := &scope{}
	var ok bool
	if s.cluster, ok = a.Fleet.Cluster(q.Scope.Cluster); !ok {
		return nil, fmt.Errorf("the config no longer has a cluster %q", q.Scope.Cluster)
	}
	if s.catalog, ok = a.Catalogs.Get(s.cluster.Catalog); !ok {
		return nil, fmt.Errorf("there is no catalog %q", s.cluster.Catalog)
	}
	if q.Scope.Host != "" {
		if _, ok := s.cluster.Host(q.Scope.Host); !ok {
			return nil, fmt.Errorf("%s no longer has a host %q", s.cluster.Name, q.Scope.Host)
		}
	}
	if q.Scope.Process != "" {
		if _, ok := s.catalog.Process(q.Scope.Process); !ok {
			return nil, fmt.Errorf("there is no longer a process %q", q.Scope.Process)
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

// targets lists the configured targets in an incident.Scope.
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

// known reports whether the config has a target, and the catalog has its process.
func (s *scope) known(t runbooks.Target) bool {
	_, process := s.catalog.Process(t.Process)
	h, host := s.cluster.Host(t.Host)
	return process && host && h.Runs(t.Process)
}

// upstream returns the direct and indirect dependencies of the rows, but not the rows themselves.
// The dependencies of a member of etcd include the other members, because the members serve
// together.
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

// blank returns rows without data.
func (a *Assessor) blank(s *scope, targets []runbooks.Target) []Row {
	rows := make([]Row, len(targets))
	for i, t := range targets {
		p, _ := s.catalog.Process(t.Process)
		rows[i] = Row{Process: *p, Host: t.Host, Pending: true}
	}
	return rows
}

// plannedRead identifies a read in the catalog. The read is about a process on a host, or about a
// whole cluster.
type plannedRead struct {
	cluster               string
	action, process, host string
}

// plan returns the steps of a read in the catalog. It plans each read only once, because the steps
// depend only on the catalogs and the fleet.
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
