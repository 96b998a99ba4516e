package app

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/trace"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/fleet"
	"dhbot/internal/incident"
	"dhbot/internal/metrics"
	"dhbot/internal/monitor"
	"dhbot/internal/remote"
	"dhbot/internal/sshroute"
	"dhbot/internal/status"
	"dhbot/internal/tracing"
	"dhbot/runbooks"
)

// observedStore measures the calls that people wait for, and counts the outcomes of runs.
type observedStore struct {
	Store
	metrics *metrics.Metrics
	now     func() time.Time
}

// observe records the duration of a call.
func (s observedStore) observe(operation string, began time.Time, err error) {
	s.metrics.StoreCalled(operation, time.Since(began), errors.Is(err, engine.ErrStoreDown))
}

// Commit implements engine.Runs.
func (s observedStore) Commit(ctx context.Context, c engine.Change) (int64, error) {
	began := time.Now()
	ctx, span := tracing.Begin(ctx, "record", tracing.RunKey.String(c.Run.ID))
	rev, err := s.Store.Commit(ctx, c)
	tracing.End(span, err)
	s.observe("commit", began, err)
	if err == nil {
		s.count(c)
	}
	return rev, err
}

// count counts the approvals and the ends of runs. To count each of them only once, it compares the
// time of the change's record with ApprovedAt and EndedAt of the run.
func (s observedStore) count(c engine.Change) {
	for _, rec := range c.Records {
		r := c.Run
		if r.ApprovedAt != nil && r.Need > 0 && rec.Kind == audit.Approved && rec.At.Equal(*r.ApprovedAt) {
			s.metrics.Approved(r.ApprovedAt.Sub(r.RequestedAt))
		}
	}
	if last := len(c.Records) - 1; last >= 0 && c.Run.State.Ended() && c.Run.EndedAt != nil && c.Records[last].At.Equal(*c.Run.EndedAt) {
		s.metrics.RunEnded(string(c.Run.State))
	}
}

// Get implements engine.Runs.
func (s observedStore) Get(ctx context.Context, id string) (engine.Stored, error) {
	began := time.Now()
	st, err := s.Store.Get(ctx, id)
	s.observe("get", began, err)
	return st, err
}

// Claim implements slackio.Claims.
func (s observedStore) Claim(ctx context.Context, key string, payload []byte) (bool, error) {
	began := time.Now()
	ctx, span := tracing.Begin(ctx, "claim")
	first, err := s.Store.Claim(ctx, key, payload)
	tracing.End(span, err)
	s.observe("claim", began, err)
	return first, err
}

// Append implements audit.Log.
func (s observedStore) Append(ctx context.Context, r audit.Record, claim string) error {
	began := time.Now()
	ctx, span := tracing.Begin(ctx, "record")
	err := s.Store.Append(ctx, r, claim)
	tracing.End(span, err)
	s.observe("record", began, err)
	return err
}

// Lead implements Store.
func (s observedStore) Lead(ctx context.Context, do func(ctx context.Context) error) error {
	return s.Store.Lead(ctx, func(ctx context.Context) error {
		s.metrics.Leads(true)
		defer s.metrics.Leads(false)
		return do(ctx)
	})
}

// observedRemote counts the commands sent to hosts.
type observedRemote struct {
	Remote
	metrics *metrics.Metrics
	hosts   map[sshroute.Place]metrics.Host
}

// Run implements remote.Runner.
func (r observedRemote) Run(ctx context.Context, c remote.Command) remote.Result {
	began := time.Now()
	h, known := r.hosts[sshroute.Place{Address: c.Address, Via: c.Via}]
	ctx, span := tracing.Begin(ctx, "ssh", tracing.HostKey.String(h.Name))
	result := r.Remote.Run(ctx, c)
	span.SetAttributes(tracing.OutcomeKey.String(result.Outcome.String()))
	span.End()
	if known {
		r.metrics.SSHCommanded(h, result.Outcome.String(), time.Since(began))
	}
	return result
}

// RunAll implements remote.Joiner. If several reads share one command line, the duration of a read
// includes the reads before it.
func (r observedRemote) RunAll(ctx context.Context, reads []remote.Command, done func(i int, result remote.Result)) {
	began := time.Now()
	spans := make([]trace.Span, len(reads))
	for i, c := range reads {
		h := r.hosts[sshroute.Place{Address: c.Address, Via: c.Via}]
		_, spans[i] = tracing.Begin(ctx, "ssh", tracing.HostKey.String(h.Name))
	}
	remote.RunAll(ctx, r.Remote, reads, func(i int, result remote.Result) {
		spans[i].SetAttributes(tracing.OutcomeKey.String(result.Outcome.String()))
		spans[i].End()
		if h, known := r.hosts[sshroute.Place{Address: reads[i].Address, Via: reads[i].Via}]; known {
			r.metrics.SSHCommanded(h, result.Outcome.String(), time.Since(began))
		}
		done(i, result)
	})
}

// hostsByPlace maps places to the names of hosts.
func hostsByPlace(f *fleet.Fleet) map[sshroute.Place]metrics.Host {
	out := map[sshroute.Place]metrics.Host{}
	for _, cl := range f.Clusters {
		for _, h := range cl.Hosts {
			out[sshroute.Place{Address: h.Address, Via: h.Via}] = metrics.Host{Cluster: cl.Name, Name: h.Name}
		}
	}
	return out
}

// observedLooker exports the results of the background monitoring.
type observedLooker struct {
	monitor.Looker
	metrics *metrics.Metrics
	now     func() time.Time
}

// Look implements monitor.Looker.
func (l observedLooker) Look(
	ctx context.Context, scope incident.Scope, notUp func(runbooks.Target) time.Time,
) (status.Board, []incident.Seen, error) {
	board, seen, err := l.Looker.Look(ctx, scope, notUp)
	if err == nil && scope == (incident.Scope{Cluster: scope.Cluster}) {
		var list []metrics.Assessment
		for _, r := range board.Rows {
			list = append(list, metrics.Assessment{Host: r.Host, Process: r.Process.ID, Severity: severityNumber(r.Finding.Severity)})
		}
		l.metrics.Assessed(scope.Cluster, list, l.now())
	}
	return board, seen, err
}

// severityNumber is the number of a severity in the incident key, -1 for unknown.
func severityNumber(s runbooks.Severity) int { return int(s) - int(runbooks.None) }
