package status

import (
	"context"
	"slices"
	"time"

	"dhbot/internal/engine"
	"dhbot/internal/fleet"
	"dhbot/runbooks"
)

const (
	// recentRuns is how many ended runs are searched for changes to a process, such as a stop.
	recentRuns = 30
	// heldAfter is how long after the end of a step its targets are not an incident.
	heldAfter = 2 * time.Minute
	// leadTime is how much earlier than the stored start of a step its effect may appear, because a
	// host's clock may be behind.
	leadTime = 5 * time.Second
)

// facts has the runs and maintenance from the store that decide what an observed state means.
type facts struct {
	open, ended []engine.Run
	maintenance []fleet.Maintenance // not yet over
	now         time.Time
	err         error // the store does not answer
}

func (l *look) factsOf(ctx context.Context) facts {
	f := facts{now: l.Now()}
	open, announced, err := l.Store.OpenWork(ctx)
	if err != nil {
		f.err = err
		return f
	}
	ended, err := l.Store.Recent(ctx, recentRuns)
	if err != nil {
		f.err = err
		return f
	}
	f.maintenance = slices.DeleteFunc(announced, func(m fleet.Maintenance) bool { return m.Over(f.now) })
	for _, st := range open {
		if st.Run.Plan.Cluster == l.scope.cluster.Name {
			f.open = append(f.open, st.Run)
		}
	}
	for _, st := range ended {
		if st.Run.Plan.Cluster == l.scope.cluster.Name {
			f.ended = append(f.ended, st.Run)
		}
	}
	return f
}

// mark sets the fields of a row that come from the store, such as its maintenance.
func (f facts) mark(cluster string, r *Row) {
	t := r.Target()
	r.InWork = ""
	r.Held = ""
	r.Stopped = nil
	r.Maintenance = nil
	for _, m := range f.maintenance {
		if m.Covers(cluster, t.Process, t.Host, f.now) {
			r.Maintenance = &m
		}
	}
	for _, run := range f.open {
		if slices.ContainsFunc(run.Plan.Targets, func(at runbooks.Target) bool { return covers(at, t) }) {
			r.InWork = run.ID
		}
	}
	var last change
	for _, run := range slices.Concat(f.open, f.ended) {
		for _, c := range changes(run) {
			if !covers(c.target, t) {
				continue
			}
			if f.now.Before(c.until.Add(heldAfter)) {
				r.Held = run.ID
			}
			if c.began.After(last.began) {
				last = c
			}
		}
	}
	if last.stops && last.done {
		r.Stopped = &Stop{Run: last.run.ID, By: last.run.Asked.Person, At: last.until}
	}
}

// touched reports whether a run was acting on a target at a time, or shortly before.
func (f facts) touched(t runbooks.Target, at time.Time) bool {
	for _, run := range slices.Concat(f.open, f.ended) {
		for _, c := range changes(run) {
			if covers(c.target, t) && at.After(c.began.Add(-leadTime)) && at.Before(c.until.Add(heldAfter)) {
				return true
			}
		}
	}
	return false
}

// underWay is a time in the far future. It stands for the end of a step in progress.
var underWay = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// change is one step of a run that changes a target, with the waits that verify it.
type change struct {
	run    engine.Run
	target runbooks.Target
	began  time.Time
	until  time.Time // the end of the last step, underWay if that step is in progress
	stops  bool      // the run leaves the target stopped
	done   bool      // the changing step was certainly executed
}

// changes returns the changes that a run has begun, in order. Steps that only wait or read are not
// changes.
func changes(run engine.Run) []change {
	var out []change
	for i, st := range run.Steps {
		if st.Started == nil || i >= len(run.Plan.Steps) {
			continue
		}
		ps := run.Plan.Steps[i]
		target := runbooks.Target{Process: ps.Process, Host: ps.Host}
		if ps.About != "" {
			target.Host = ps.About
		}
		until := underWay
		switch {
		case st.Ended != nil:
			until = *st.Ended
		case run.State != engine.Running:
			until = *st.Started // the fate of the step is unknown
		}
		switch {
		case ps.Kind == runbooks.Exec:
			completed := st.State == engine.StepDone || st.State == engine.StepNoted
			out = append(out, change{run: run, target: target, began: *st.Started, until: until, done: completed})
		case ps.Kind == runbooks.Wait && len(out) > 0 && out[len(out)-1].target == target:
			c := &out[len(out)-1]
			c.until = until
			c.stops = c.stops || ps.Until == runbooks.Stopped || ps.Until == runbooks.AllIdle || ps.Until == runbooks.Gone
		}
	}
	return out
}

// covers reports whether a step that acts on the target at affects the target t. A step without a
// process affects all processes of its host.
func covers(at, t runbooks.Target) bool {
	return at == t || at.Process == "" && at.Host == t.Host
}
