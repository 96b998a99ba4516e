package handlers

import (
	"context"
	"fmt"
	"slices"
	"time"

	"dhbot/handlers/call"
	"dhbot/internal/card/runcard"
	"dhbot/internal/command"
	"dhbot/internal/engine"
	"dhbot/internal/incident"
	"dhbot/internal/observe"
	"dhbot/internal/status"
	"dhbot/runbooks"
)

const (
	// againWithin is the time after a success during which the same command needs a
	// confirmation.
	againWithin = 10 * time.Minute
	// leftWithin is the time limit for checking whether the targets are still as the
	// earlier run left them.
	leftWithin = 5 * time.Second
)

// shownAlready answers a command with an existing run if that run is open, or has just
// succeeded and its targets are unchanged.
func (s *Service) shownAlready(ctx context.Context, c *call.Call, plan runbooks.Plan) (bool, error) {
	open, err := s.Runs.Open(ctx)
	if err != nil {
		return false, err
	}
	for _, o := range open {
		if same(o.Run.Plan, plan) {
			c.Asked = o.Run.ID
			head := fmt.Sprintf("The same plan is already open: %s (%s). No second run was started.", o.Run.ID, o.Run.State.Words())
			return true, c.Reply.Ephemeral(ctx, runcard.WithNote(runcard.Run(o.Run), head))
		}
	}
	if c.Again {
		return false, nil
	}
	ended, err := s.Runs.Recent(ctx, 20)
	if err != nil {
		return false, err
	}
	for _, e := range ended {
		r := e.Run
		if r.State != engine.Done || !same(r.Plan, plan) || r.EndedAt == nil || s.Now().Sub(*r.EndedAt) >= againWithin {
			continue
		}
		if touchedSince(r, slices.Concat(open, ended)) || !s.asLeft(ctx, r) {
			return false, nil // a confirmation would delay a repair
		}
		c.AskedBack = true
		return true, c.Reply.Ephemeral(ctx, runcard.Again(r, againFields(c)))
	}
	return false, nil
}

// same reports whether two plans have the same digest.
func same(a, b runbooks.Plan) bool { return a.Digest == b.Digest && a.Digest != "" }

// touchedSince reports whether another run has acted, or may have acted, on a target of r
// since r ended.
func touchedSince(r engine.Run, others []engine.Stored) bool {
	return slices.ContainsFunc(others, func(o engine.Stored) bool {
		other := o.Run
		if other.ID == r.ID || other.StartedAt == nil || other.EndedAt != nil && !other.EndedAt.After(*r.EndedAt) {
			return false
		}
		return slices.ContainsFunc(other.Plan.Targets, func(t runbooks.Target) bool { return slices.Contains(r.Plan.Targets, t) })
	})
}

// asLeft reports whether the processes of run r are still as r left them. It returns
// false if a state is unknown.
func (s *Service) asLeft(ctx context.Context, r engine.Run) bool {
	targets := slices.DeleteFunc(slices.Clone(r.Plan.Targets), func(t runbooks.Target) bool { return t.Process == "" })
	if len(targets) == 0 {
		return true // the run acted on no process
	}
	scope := incident.Scope{Cluster: r.Plan.Cluster}
	b, err := s.Status.Assess(ctx, status.Query{Scope: scope, Targets: targets, Within: leftWithin})
	if err != nil {
		return false
	}
	pids := pidsAfter(r)
	return !slices.ContainsFunc(b.Rows, func(row status.Row) bool { return !isAsLeft(row, r.Plan.Action, pids[row.Target()]) })
}

// isAsLeft reports whether a process is as an action left it. The argument pid is the
// last pid that the run of the action observed.
func isAsLeft(row status.Row, action string, pid int) bool {
	o := row.Observation
	switch {
	case row.Pending:
		return false
	case action == "stop":
		return o.State == observe.Down || o.State == observe.NotMonitored && o.Alive != observe.AliveProved
	default:
		return row.Severity() == runbooks.None && o.State == observe.Up && (pid == 0 || o.PID == pid)
	}
}

// pidsAfter returns the last pids that a run observed.
func pidsAfter(r engine.Run) map[runbooks.Target]int {
	out := map[runbooks.Target]int{}
	for i, st := range r.Steps {
		if st.NewPID != 0 && i < len(r.Plan.Steps) {
			p := r.Plan.Steps[i]
			out[runbooks.Target{Process: p.Process, Host: p.Host}] = st.NewPID
		}
	}
	return out
}

// againFields returns the request that repeats a call on purpose.
func againFields(c *call.Call) command.Fields {
	f := c.Req.Fields()
	f.Again = true
	return f
}
