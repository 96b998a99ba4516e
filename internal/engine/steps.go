package engine

import (
	"fmt"
	"strings"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/refusal"
	"dhbot/runbooks"
)

// Current is the index of the current step, or -1 if there is none.
func (r Run) Current() int {
	for i, st := range r.Steps {
		if st.State == StepPending || st.State == StepStarted {
			return i
		}
	}
	return -1
}

// started is the index of the step in progress, or -1 if there is none.
func (r Run) started() int {
	if i := r.Current(); i >= 0 && r.Steps[i].State == StepStarted {
		return i
	}
	return -1
}

// changes reports whether step i changes something, by the bot or by a person.
func (r Run) changes(i int) bool {
	return r.Plan.Steps[i].Changes() || r.Plan.Steps[i].Kind == runbooks.Manual
}

func (r Run) completed(i int) bool {
	return r.Steps[i].State == StepDone || r.Steps[i].State == StepNoted
}

// Interrupted reports whether the run was stopped while it waited for a person to do step i. The
// person may have begun the step.
func (r Run) Interrupted(i int) bool {
	return r.Plan.Steps[i].Kind == runbooks.Manual && r.Steps[i].State == StepSkipped && r.Steps[i].Started != nil
}

// stoppedAs is the final state of a run that stops between two steps. It is Partly if the run has
// changed something, and otherwise the given state.
func (r Run) stoppedAs(unchanged State) State {
	for i := range r.Steps {
		if r.changes(i) && r.completed(i) {
			return Partly
		}
	}
	return unchanged
}

// failedAs is the final state of a run whose step f failed. If step f checks a change, that
// change did not help and does not count. If another change was completed, the run is partly
// done. Otherwise it failed.
func (r Run) failedAs(f int) State {
	proof := r.Plan.Steps[f].Kind == runbooks.Wait
	for i := range f {
		if r.changes(i) && r.completed(i) && !(proof && r.sameTarget(i, f)) {
			return Partly
		}
	}
	return Failed
}

func (r Run) sameTarget(i, j int) bool {
	a, b := r.Plan.Steps[i], r.Plan.Steps[j]
	return aboutHost(a) == aboutHost(b) && a.Process == b.Process
}

// aboutHost is the host that a step concerns. The step itself may run on another host.
func aboutHost(s runbooks.Step) string {
	if s.About != "" {
		return s.About
	}
	return s.Host
}

// notDone names the targets of changes that did not happen, or did not complete.
func (r Run) notDone() string {
	var names []string
	seen := map[string]bool{}
	for i, st := range r.Steps {
		ps := r.Plan.Steps[i]
		name := runbooks.Target{Process: ps.Process, Host: ps.Host}.String()
		if ps.Kind == runbooks.Manual {
			name = ps.Title // its host may be any
		}
		if r.Interrupted(i) {
			name += " (a person may have begun this step)"
		}
		if st.State == StepSkipped && r.changes(i) && !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// startExpired reports whether the run may no longer start: its deadline StartBy has passed or is
// missing.
func (r Run) startExpired(now time.Time) bool { return r.StartBy == nil || !now.Before(*r.StartBy) }

func (t *transition) begin(e Begin) error {
	r := &t.run
	fresh := r.State == Approved || r.State == Queued
	switch {
	case !fresh && r.State != Running:
		return settled(*r)
	case !fresh && r.Worker != "":
		return refusal.New(OtherWorker, "%s is already running on %s.", r.ID, r.Worker)
	case e.Worker == "":
		return refusal.New(OtherWorker, "%s cannot be carried out without the name of a replica.", r.ID)
	case fresh && r.startExpired(t.now):
		return refusal.New(TooLate, "%s expired at %s; request it again if you still need it.", r.ID, clock(r.StartBy))
	case e.Digest != r.Plan.Digest:
		return refusal.New(OtherDigest, "%s: the plan has changed since the approval; it cannot start.", r.ID)
	case !r.approved():
		return refusal.New(NotApproved, "%s has %d of %d approvals and cannot start.", r.ID, r.Approvals(), r.Needed())
	}
	r.State = Running
	r.Worker = e.Worker
	r.Behind = ""
	text := "carried out by " + e.Worker
	if fresh {
		r.StartedAt = &t.now
		t.change.Take = r.Plan.Locks
	} else {
		text = fmt.Sprintf("carried on by %s at step %d", e.Worker, r.Current()+1)
	}
	t.record(audit.Started, func(rec *audit.Record) { rec.Text = text })
	return nil
}

func (t *transition) blocked(e Blocked) error {
	r := &t.run
	switch {
	case r.State != Approved && r.State != Queued:
		return settled(*r)
	case r.startExpired(t.now):
		return refusal.New(TooLate, "%s expired at %s.", r.ID, clock(r.StartBy))
	case r.State == Queued && r.Behind == e.Run:
		return refusal.New(NothingNew, "%s already waits for %s.", r.ID, e.Run)
	}
	r.State, r.Behind = Queued, e.Run
	t.record(audit.Queued, func(rec *audit.Record) { rec.Text = fmt.Sprintf("queued behind %s, which holds %s", e.Run, e.Lock) })
	return nil
}

func (t *transition) recheckFailed(e RecheckFailed) error {
	r := &t.run
	switch {
	case r.State != Approved && r.State != Queued && r.State != Running:
		return settled(*r)
	case r.started() >= 0:
		return refusal.New(WrongStep, "%s has a step in progress; the check happens between steps.", r.ID)
	}
	t.end(r.stoppedAs(Refused), e.Why, nil)
	t.withRest()
	t.record(audit.Refused, func(rec *audit.Record) { rec.Text, rec.Outcome = r.Why, string(r.State) })
	return nil
}

// withRest adds to the reason of a partly done run which changes did not happen.
func (t *transition) withRest() {
	if rest := t.run.notDone(); rest != "" && t.run.State == Partly {
		t.run.Why = line(sentence(t.run.Why) + "; not done: " + rest)
	}
}

func (t *transition) stepBegins(e StepBegins) error {
	r := &t.run
	if err := t.mine(e.Worker); err != nil {
		return err
	}
	switch {
	case e.Index < 0 || e.Index != r.Current() || r.Steps[e.Index].State != StepPending:
		return refusal.New(WrongStep, "%s: step %d cannot begin now.", r.ID, e.Index+1)
	case r.Abort != nil:
		return refusal.New(Stopping, "%s was stopped by %s.", r.ID, r.Abort.Person)
	case e.Digest != r.Plan.Digest:
		return refusal.New(OtherDigest, "%s: the plan has changed since the approval; step %d does not begin.", r.ID, e.Index+1)
	case r.invalid(e.Index, t.now):
		return refusal.New(TooLate, "%s: %s.", r.ID, r.WhyInvalid(e.Index))
	case !r.approved():
		return refusal.New(NotApproved, "%s has %d of %d approvals; step %d does not begin.", r.ID, r.Approvals(), r.Needed(), e.Index+1)
	}
	ps, st := r.Plan.Steps[e.Index], &r.Steps[e.Index]
	st.State, st.Started = StepStarted, &t.now
	st.Kept = e.Kept
	text := ps.Title
	if ps.Kind == runbooks.Manual {
		r.State, r.Worker = Paused, ""
		text = sentence("waits for a person; " + ps.Title)
	}
	t.record(audit.StepStarted, func(rec *audit.Record) {
		rec.Step = e.Index + 1
		rec.Host = ps.Host
		rec.Command = ps.Sent
		rec.Text = text
	})
	return nil
}

// mine refuses an event from a worker that is not executing the run.
func (t *transition) mine(worker string) error {
	r := &t.run
	switch {
	case r.State != Running:
		return settled(*r)
	case worker == "" || r.Worker != worker:
		return refusal.New(OtherWorker, "%s is not running on %q.", r.ID, worker)
	default:
		return nil
	}
}

func (t *transition) stepEnds(e StepEnds) error {
	r := &t.run
	if err := t.mine(e.Worker); err != nil {
		return err
	}
	if e.Index < 0 || e.Index != r.started() {
		return refusal.New(WrongStep, "%s: step %d is not in progress.", r.ID, e.Index+1)
	}
	ended := e.Step
	ended.Started = r.Steps[e.Index].Started
	ended.Ended = &t.now
	ended.Kept = append(r.Steps[e.Index].Kept, e.Step.Kept...)
	ended.Text = line(e.Step.Text)
	r.Steps[e.Index] = ended
	t.record(audit.StepEnded, func(rec *audit.Record) {
		rec.Step, rec.Host = e.Index+1, r.Plan.Steps[e.Index].Host
		rec.Outcome = ended.Outcome
		rec.Exit = ended.Exit
		rec.Output = ended.Output
		rec.Text = ended.Text
	})
	switch ended.State {
	case StepDone, StepNoted:
		t.goOn()
		return nil
	case StepFailed:
		t.end(r.failedAs(e.Index), ended.Text, r.Abort)
		t.withRest()
		t.recordEnd()
		return nil
	case StepUnknown:
		t.unknown(ended.Text)
		return nil
	default:
		return refusal.New(WrongStep, "%s: a step cannot end as %q.", r.ID, ended.State)
	}
}

// goOn applies what follows when a step is complete.
func (t *transition) goOn() {
	r := &t.run
	switch {
	case r.Current() < 0:
		r.Abort, r.Why = nil, "" // there was nothing left to stop
		t.end(Done, "", nil)
		t.recordEnd()
	case r.Abort != nil:
		t.stop()
	}
}

// stop ends a run that was asked to stop after its current step.
func (t *transition) stop() {
	t.end(t.run.stoppedAs(Cancelled), t.run.Why, t.run.Abort)
	t.withRest()
	t.recordEnd()
}

func (t *transition) recordEnd() {
	t.record(audit.Ended, func(rec *audit.Record) {
		rec.Outcome, rec.Text = string(t.run.State), t.run.Why
	})
}

// unknown makes the state of a run unknown. The run keeps its locks until a person closes it.
func (t *transition) unknown(why string) {
	t.skipRest()
	t.run.State = Unknown
	t.run.Worker = ""
	t.run.Why = line(why)
	t.record(audit.Unknown, func(rec *audit.Record) { rec.Outcome, rec.Text = string(Unknown), why })
}

func (t *transition) stepCompleted(e StepCompleted) error {
	r := &t.run
	switch {
	case r.State != Paused:
		return settled(*r)
	case e.By.Person == "":
		return refusal.New(NeedsPerson, "%s: it is not known who completed the step, so it was not completed.", r.ID)
	case e.Index < 0 || e.Index != r.started() || r.Plan.Steps[e.Index].Kind != runbooks.Manual:
		return refusal.New(WrongStep, "%s does not wait for step %d.", r.ID, e.Index+1)
	}
	st := &r.Steps[e.Index]
	st.State = StepDone
	st.Ended = &t.now
	st.By = e.By.Person
	st.Text = line(e.Note)
	t.record(audit.Ticked, func(rec *audit.Record) {
		by(rec, e.By)
		rec.Step = e.Index + 1
		rec.Host = r.Plan.Steps[e.Index].Host
		rec.Text = e.Note
	})
	r.State = Running // handed over to any free worker
	t.goOn()
	return nil
}

func (t *transition) workerLost(e WorkerLost) error {
	r := &t.run
	if err := t.mine(e.Worker); err != nil {
		return err
	}
	i := r.started()
	if i >= 0 && r.changes(i) {
		r.Steps[i].State, r.Steps[i].Ended = StepUnknown, &t.now
		r.Steps[i].Text = fmt.Sprintf("unknown: %s was lost after it may have sent this command, and the end of the command was not observed", e.Worker)
		t.unknown(r.Steps[i].Text)
		return nil
	}
	if i >= 0 {
		r.Steps[i] = Step{State: StepPending}
	}
	r.Worker = ""
	t.record(audit.Note, func(rec *audit.Record) {
		rec.Text = fmt.Sprintf("%s handed it over with no change in progress; it can continue", e.Worker)
	})
	if r.Abort != nil {
		t.stop()
	}
	return nil
}

func (t *transition) probed(e Probed) error {
	r := &t.run
	switch {
	case r.State != Unknown:
		return settled(*r)
	case r.ProbedAt != nil:
		return refusal.New(NothingNew, "%s was already checked.", r.ID)
	}
	r.ProbedAt = &t.now
	r.Why = line(fmt.Sprintf("%s. Checked at %s: %s", sentence(r.Why), clock(&t.now), e.Text))
	t.record(audit.Note, func(rec *audit.Record) { rec.Text = e.Text })
	return nil
}
