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

// Store is the part of the state store that determines the meaning of a status.
type Store interface {
	// OpenWork returns every run that has not ended and all announced maintenance, at one revision.
	OpenWork(ctx context.Context) ([]engine.Stored, []fleet.Maintenance, error)
	// Recent returns up to n ended runs, newest first.
	Recent(ctx context.Context, n int) ([]engine.Stored, error)
}

// Config has the dependencies of an Assessor. Every field but Jump and Policy must be set.
type Config struct {
	Catalogs catalogs.Set
	Fleet    *fleet.Fleet
	Remote   remote.Runner
	Store    Store
	Now      func() time.Time
	// Jump is the jump host of all hosts, "" for direct connections.
	Jump   string
	Policy Policy
}

// Policy has the limits that a site may set. A zero field means the default.
type Policy struct {
	// ErrorRate is the number of errors a minute in a log that is too high if it lasts for
	// ErrorsFor.
	ErrorRate int
	ErrorsFor time.Duration
	// OwnStop is how long a process that a run has stopped does not count as an incident.
	OwnStop time.Duration
}

func (p Policy) withDefaults() Policy {
	return Policy{cmp.Or(p.ErrorRate, 10), cmp.Or(p.ErrorsFor, 5*time.Minute), cmp.Or(p.OwnStop, 30*time.Minute)}
}

// Assessor determines the state of processes. It remembers how far it has read each log and when
// each process was last observed to start. A new Assessor can read these data from the hosts again.
type Assessor struct {
	Config
	planner *planner.Planner
	planned sync.Map // plannedRead → []runbooks.Step, never changed
	shared  *sharedReads
	logs    logBook
	history history
}

// New returns an error if a required field is missing.
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
	// PerHost is the number of concurrent commands on one host: below sshd's default MaxSessions of
	// 10, and a small load for monit.
	PerHost = 6
	// BackgroundPerHost is PerHost for reads in the background.
	BackgroundPerHost = 2
	// FirstPartial is the time until a first partial result is shown if hosts have not answered.
	// nextPartial is the time between further partial results.
	FirstPartial = 2 * time.Second
	nextPartial  = 2 * time.Second
)

// Query describes an assessment.
type Query struct {
	Scope incident.Scope
	// Targets, if any, replace the targets of the scope. They must be in the scope's cluster.
	Targets []runbooks.Target
	// Several is Board.Several of the result.
	Several string
	// Needs is the process whose dependencies are queried, "" for none.
	Needs string
	// Summaries also queries each host's monit for its summary, as the page on verifying an
	// installation requires: monit may know more processes than the config.
	Summaries bool
	// Background reduces the number of concurrent commands.
	Background bool
	// Within limits the wait for answers. Rows without an answer are then left pending. 0 is no
	// limit.
	Within time.Duration
	// NotUp returns when a target began to start or to stop. NotUp is nil if the caller has no such
	// data.
	NotUp func(runbooks.Target) time.Time
	// Partial is called with partial results while hosts have not answered; its error ends the
	// assessment. If it is nil, Assess waits for all hosts.
	Partial func(Board) error
}

// scope is a query's cluster and its processes.
type scope struct {
	cluster *fleet.Cluster
	catalog *catalogs.Catalog
	rows    []runbooks.Target // the queried targets
	needs   []runbooks.Target // the dependencies of rows, without the rows themselves
}

// ErrNothingThere means that no process is configured in a scope.
var ErrNothingThere = errors.New("no process is configured there")

// Assess assesses once. The error is the error of the context or of Partial, or the reason why the
// scope cannot be assessed. If the store does not answer, the board is only marked as Unrecorded:
// the effect of runs is unknown in that case.
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

// Watchable returns why a scope cannot be assessed, nil if it can.
func (a *Assessor) Watchable(sc incident.Scope) error {
	_, err := a.resolve(Query{Scope: sc})
	return err
}

// resolve returns the targets of a query, hosts in config order.
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

// targets are the targets of the scope.
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

// known reports whether a target is valid; the check of the config reports invalid targets.
func (s *scope) known(t runbooks.Target) bool {
	_, process := s.catalog.Process(t.Process)
	h, host := s.cluster.Host(t.Host)
	return process && host && h.Runs(t.Process)
}

// upstream returns the direct and indirect dependencies of the rows, without the rows themselves.
// For a member of etcd these include the other members, because the members serve together.
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

// plannedRead is a read of the catalog: of a process on a host, or of a cluster.
type plannedRead struct {
	cluster               string
	action, process, host string
}

// plan returns the steps of a catalog's read. The steps depend only on the catalogs and the fleet,
// so each read is planned once.
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
