package engine

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"dhbot/internal/observe/proof"
	"dhbot/internal/pause"
	"dhbot/internal/remote"
	"dhbot/runbooks"
)

// Times are the durations of repeated reads. 0 means the default.
type Times struct {
	AskEvery   time.Duration // interval, default 2 s
	LookAfter  time.Duration // when this replica checks another replica's unknown run, default 20 s
	LookWithin time.Duration // how long the target of an unknown run is checked, default 30 s
}

func (t Times) withDefaults() Times {
	return Times{cmp.Or(t.AskEvery, 2*time.Second), cmp.Or(t.LookAfter, 20*time.Second), cmp.Or(t.LookWithin, 30*time.Second)}
}

// answer is the last result of a read, and its verdict.
type answer struct {
	verdict proof.Verdict
	result  remote.Result
}

// runStep executes step i of a run. The argument ps is that step in the newly derived plan. It
// returns false if ctx ended before a read had a result.
func (w *worker) runStep(ctx, hard context.Context, r Run, ps runbooks.Step, i int) (Step, bool) {
	switch ps.Kind {
	case runbooks.Exec:
		return w.exec(hard, r, ps, i), true
	case runbooks.Wait:
		seen, ok := w.await(ctx, r, ps, i, ps.Within.D())
		st := waitResult(r, i, seen)
		if ok && r.verifiesChange(i) {
			st.Kept = w.after(ctx, r, ps, st)
		}
		return st, ok
	default:
		return Step{State: StepFailed, Text: "nothing was sent: a step of kind " + string(ps.Kind) + " cannot be carried out"}, true
	}
}

// exec sends a changing command once. Before that it notes in the Ledger that the command is
// sent.
func (w *worker) exec(hard context.Context, r Run, ps runbooks.Step, i int) Step {
	switch err := w.c.Ledger.Sending(r, i); {
	case errors.Is(err, ErrSentBefore):
		return Step{State: StepUnknown, Text: line("not sent: " + err.Error())}
	case err != nil:
		return Step{State: StepFailed, Text: line("nothing was sent: " + err.Error())}
	}
	result := w.c.Runner.Run(hard, CommandOf(ps))
	v := proof.EvaluateExec(ps, result)
	st := stepResult(answer{v, result})
	switch v.State {
	case proof.Met:
		st.State = StepDone
	case proof.Noted:
		st.State = StepNoted
	case proof.Never:
		st.State = StepFailed
	default: // it may have acted
		st.State = StepUnknown
	}
	return st
}

// await repeats the read of a step at once and then every Times.AskEvery. It stops when the
// condition holds, when it can no longer hold, or when the duration within is over. It returns
// false if ctx ended first.
func (w *worker) await(ctx context.Context, r Run, ps runbooks.Step, i int, within time.Duration) (answer, bool) {
	before, since := r.before(i)
	since = w.byHosts(ps, since)
	until := time.Now().Add(within) // the monotonic clock: a span, not a deadline
	var last answer
	for {
		last.result = w.c.Runner.Run(ctx, CommandOf(ps))
		last.verdict = proof.Evaluate(ps, before, last.result, since)
		if ps.Until == runbooks.AllUp && last.verdict.State == proof.Met {
			last.verdict = w.allUp(ctx, r.Plan.Cluster, ps.Host, last.verdict)
		}
		if ctx.Err() != nil {
			return last, false
		}
		switch last.verdict.State {
		case proof.Met, proof.Noted, proof.Never:
			return last, true
		default: // not yet, or no answer: read again
		}
		if !time.Now().Add(w.c.Times.AskEvery).Before(until) {
			last.verdict = proof.TimedOut(ps, before, last.verdict)
			return last, true
		}
		if !pause.For(ctx, w.c.Times.AskEvery) {
			return last, false
		}
	}
}

// byHosts converts a time of the bot's clock to the host's clock. It does so only for steps that
// compare the time with times that the host wrote.
func (w *worker) byHosts(ps runbooks.Step, at time.Time) time.Time {
	if ps.Until != runbooks.Ready || w.c.ClockAhead == nil {
		return at
	}
	return at.Add(-w.c.ClockAhead())
}

// allUp evaluates a host after its supervisor reported that all its processes are up.
func (w *worker) allUp(ctx context.Context, cluster, host string, said proof.Verdict) proof.Verdict {
	if w.c.Assessor == nil {
		return proof.Verdict{State: proof.Unknown, Text: said.Text + ", and the expected state is unknown"}
	}
	return w.c.Assessor.AllUp(ctx, cluster, host)
}

// waitResult returns the result of a wait step. If the condition could not be observed, a step
// before any change of its target fails. After a change the result is unknown, because the outcome
// of the change is unknown. The step is only noted if restsOnUnit is true after a change, or if the
// run was approved although the guard in the step could not decide.
func waitResult(r Run, i int, a answer) Step {
	st := stepResult(a)
	switch a.verdict.State {
	case proof.Met:
		st.State = StepDone
	case proof.Noted:
		st.State = StepNoted
	case proof.Never, proof.NotYet:
		st.State = StepFailed
	default:
		st.State = StepFailed
		switch {
		case r.verifiesChange(i) && r.restsOnUnit(i):
			st.State = StepNoted
			st.Text = line("the unit is up; etcd itself could not be queried: " + a.verdict.Text)
		case r.verifiesChange(i):
			st.State = StepUnknown
		case r.accepted(i):
			st.State = StepNoted
			st.Text = line("could not be checked, as at the request: " + a.verdict.Text)
		}
	}
	return st
}

// restsOnUnit reports whether step i queries etcd about a member, and no later step changes
// anything. The unit of the member is then already verified as up, and no other member depends on
// the answer.
func (r Run) restsOnUnit(i int) bool {
	until := r.Plan.Steps[i].Until
	if until != runbooks.EtcdServes && until != runbooks.EtcdCaughtUp {
		return false
	}
	for j := i + 1; j < len(r.Steps); j++ {
		if r.changes(j) {
			return false
		}
	}
	return true
}

// accepted reports whether the run was approved although the guard in step i could not decide
// when the run was requested.
func (r Run) accepted(i int) bool {
	return slices.ContainsFunc(r.Unclear, func(u Unclear) bool { return u.Step == i }) && r.Plan.Steps[i].Until.Acceptable()
}

// checkUnknown reads the state of an unknown run's target and stores it with the run. It changes
// nothing on the host.
func (w *worker) checkUnknown(ctx, hard context.Context, st Stored) {
	text := "no step of the plan shows the state of the target"
	i := st.Run.proofOfUnknown()
	switch plan, differs := w.derive(st.Run); {
	case i >= 0 && differs != nil:
		text = "the target was not checked: " + differs.Error()
	case i >= 0:
		a, ok := w.await(ctx, st.Run, plan.Steps[i], i, w.c.Times.LookWithin)
		if !ok {
			return // checked after the next start
		}
		text = a.verdict.Text
	}
	out, err := w.insist(hard, st, Probed{Text: text})
	if err != nil {
		w.c.Log.WarnContext(ctx, "the state of an unknown run's target was not stored", "run", st.Run.ID, "err", err)
	}
	w.see(out)
}

// proofOfUnknown is the index of the read that shows most about the step whose fate is unknown.
// This is the step itself if it is a read, else the first later read of the same target, else the
// last earlier read. Without such a read the index is -1. A read of a log alone does not count.
func (r Run) proofOfUnknown() int {
	lost := slices.IndexFunc(r.Steps, func(st Step) bool { return st.State == StepUnknown })
	if lost < 0 {
		return -1
	}
	reads := func(i int) bool {
		ps := r.Plan.Steps[i]
		return ps.Kind == runbooks.Wait && ps.Until != runbooks.Ready && r.sameTarget(i, lost)
	}
	for i := lost; i < len(r.Steps); i++ {
		if reads(i) {
			return i
		}
	}
	for i := lost - 1; i >= 0; i-- {
		if reads(i) {
			return i
		}
	}
	return -1
}

// verifiesChange reports whether step i is a read that verifies an earlier change of this run.
func (r Run) verifiesChange(i int) bool {
	_, since := r.before(i)
	return r.Plan.Steps[i].Kind == runbooks.Wait && !since.IsZero()
}

// before returns what the steps before step i say about its target. The result seen is the latest
// observation. The result since is when the last changing command was sent to the target.
func (r Run) before(i int) (seen []byte, since time.Time) {
	for j := range i {
		if !r.sameTarget(i, j) {
			continue
		}
		if s := r.Steps[j].Seen; s != nil {
			seen = s
		}
		if s := r.Steps[j].Started; s != nil && r.Plan.Steps[j].Changes() {
			since = *s
		}
	}
	return seen, since
}

// CommandOf returns the command that is sent for a step.
func CommandOf(st runbooks.Step) remote.Command {
	return remote.Command{
		Host:    st.Host,
		Address: st.Address,
		Login:   st.Login,
		Via:     st.Via,
		Sent:    st.Sent,
		Timeout: st.Timeout.D(),
		Changes: st.Changes(),
	}
}

// stepResult converts an answer into its stored form.
func stepResult(a answer) Step {
	st := Step{
		Text: line(a.verdict.Text), Outcome: a.result.Outcome.String(), Output: fingerprint(a.result),
		OldPID: a.verdict.OldPID, NewPID: a.verdict.NewPID, Seen: a.verdict.Seen,
	}
	if a.result.Outcome == remote.Answered {
		exit := a.result.Exit
		st.Exit = &exit
	}
	return st
}

// fingerprint is the SHA-256 of a command's kept output in lower-case hex, with standard output
// before standard error. It is "" if the command wrote nothing.
func fingerprint(r remote.Result) string {
	if r.Stdout.Total+r.Stderr.Total == 0 {
		return ""
	}
	h := sha256.New()
	h.Write(r.Stdout.Bytes())
	h.Write(r.Stderr.Bytes())
	return hex.EncodeToString(h.Sum(nil))
}
