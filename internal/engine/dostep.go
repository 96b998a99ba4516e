package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"dhbot/internal/probe"
	"dhbot/internal/remote"
	"dhbot/runbooks"
)

// Times of reads that are repeated.
const (
	askEvery   = 2 * time.Second
	lookWithin = 30 * time.Second // how long the target of an unknown run is looked at
)

// answer is the last answer to a read, and what it proves.
type answer struct {
	verdict probe.Verdict
	result  remote.Result
}

// exec sends a changing command, once.
func (w *worker) exec(hard context.Context, r Run, i int) Step {
	ps := r.Plan.Steps[i]
	result := w.c.Runner.Run(hard, command(ps))
	v := probe.EvaluateExec(ps, result)
	st := told(answer{v, result})
	switch v.State {
	case probe.Met:
		st.State = StepDone
	case probe.Noted:
		st.State = StepNoted
	case probe.Never:
		st.State = StepFailed
	default: // it may have acted
		st.State = StepUnknown
	}
	return st
}

// await repeats a step's read, at once and then every askEvery, until it is
// met, never will be, or within is over; false means that ctx ended first.
func (w *worker) await(ctx context.Context, r Run, i int, within time.Duration) (answer, bool) {
	ps := r.Plan.Steps[i]
	before, since := r.before(i)
	until := time.Now().Add(within) // the monotonic clock: a span, not a deadline
	var last answer
	for {
		last.result = w.c.Runner.Run(ctx, command(ps))
		last.verdict = probe.Evaluate(ps, before, last.result, since)
		if ctx.Err() != nil {
			return last, false
		}
		switch last.verdict.State {
		case probe.Met, probe.Noted, probe.Never:
			return last, true
		default: // not yet, or it could not be asked: ask again
		}
		if !time.Now().Add(askEvery).Before(until) {
			last.verdict = probe.GaveUp(ps, before, last.verdict)
			return last, true
		}
		if !sleep(ctx, askEvery) {
			return last, false
		}
	}
}

// waited is what a wait step came to. That nobody could see what became of a
// change leaves the run unknown; before a change it is only a failure.
func waited(r Run, i int, a answer) Step {
	st := told(a)
	switch a.verdict.State {
	case probe.Met:
		st.State = StepDone
	case probe.Noted:
		st.State = StepNoted
	case probe.Never, probe.NotYet:
		st.State = StepFailed
	default:
		st.State = StepFailed
		if r.proves(i) {
			st.State = StepUnknown
		}
	}
	return st
}

// look reads, without changing anything, how the target of an unknown run is
// doing now, and stores that with the run.
func (w *worker) look(ctx, hard context.Context, st Stored) {
	text := "nothing in its plan can tell how its target is now"
	if i := st.Run.proofOfUnknown(); i >= 0 {
		a, ok := w.await(ctx, st.Run, i, lookWithin)
		if !ok {
			return // the next life looks
		}
		text = a.verdict.Text
	}
	out, err := w.insist(hard, st, Probed{Text: text})
	if err != nil {
		w.c.Log.Warn("what an unknown run's target looks like was not stored", "run", st.Run.ID, "err", err)
	}
	w.see(out)
}

// proofOfUnknown is the index of the read that tells most about the step whose
// fate is unknown: its own, the first after it, or the last before it of the
// same target; -1 where there is none. A mere look into a log does not count.
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

// proves says that a step is a read about a change that was sent before.
func (r Run) proves(i int) bool {
	_, since := r.before(i)
	return r.Plan.Steps[i].Kind == runbooks.Wait && !since.IsZero()
}

// before is what is known of a step's target from earlier steps: the latest
// observation, and when the last changing command was sent to it.
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

// command is what is sent for a step.
func command(ps runbooks.Step) remote.Command {
	return remote.Command{
		Host: ps.Host, Address: ps.Address, Login: ps.Login, Sent: ps.Sent,
		Timeout: ps.Timeout.D(), Changes: ps.Changes(),
	}
}

// told puts an answer into the form that is stored.
func told(a answer) Step {
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

// fingerprint is the lower-case hex SHA-256 of what is kept of a command's
// standard output followed by its standard error, "" where it wrote nothing.
func fingerprint(r remote.Result) string {
	if r.Stdout.Total+r.Stderr.Total == 0 {
		return ""
	}
	h := sha256.New()
	h.Write(r.Stdout.Bytes())
	h.Write(r.Stderr.Bytes())
	return hex.EncodeToString(h.Sum(nil))
}
