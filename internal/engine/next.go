package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/refusal"
)

// Next applies an event to a run. It returns the run's new form, its records and its locks.
// Next is pure: it changes none of its arguments, and its only clock is the argument now. The
// caller sets Rev and Claim of the Change. A *refusal.Error means that the run does not accept
// the event, and nothing has changed.
//
// These are all transitions; a test compares the table with Next:
//
//	Voted          waiting for votes     → waiting for votes, approved
//	WithdrawnVote  waiting for votes     → waiting for votes
//	WithdrawnVote  approved              → waiting for votes
//	WithdrawnVote  queued                → waiting for votes
//	DeniedBy       waiting for votes     → denied
//	DeniedBy       approved              → denied
//	DeniedBy       queued                → denied
//	CancelledBy    waiting for votes     → cancelled
//	CancelledBy    approved              → cancelled
//	CancelledBy    queued                → cancelled
//	CancelledBy    running               → running, cancelled, partly
//	CancelledBy    waiting for a person  → cancelled, partly
//	LookingBy      waiting for votes     → waiting for votes
//	Reminded       waiting for votes     → waiting for votes
//	EndReminded    running               → running
//	EndReminded    waiting for a person  → waiting for a person
//	DeadlineCheck  waiting for votes     → expired
//	DeadlineCheck  approved              → expired
//	DeadlineCheck  queued                → expired
//	Begin          approved              → running
//	Begin          queued                → running
//	Begin          running               → running
//	Blocked        approved              → queued
//	Blocked        queued                → queued
//	RecheckFailed  approved              → refused
//	RecheckFailed  queued                → refused
//	RecheckFailed  running               → refused, partly
//	StepBegins     running               → running, waiting for a person
//	StepEnds       running               → running, done, failed, partly, cancelled, unknown
//	StepCompleted  waiting for a person  → running, done
//	WorkerLost     running               → running, cancelled, partly, unknown
//	Probed         unknown               → unknown
//	ClosedBy       unknown               → closed
//	BroughtBack    waiting for votes     → closed
//	BroughtBack    approved              → closed
//	BroughtBack    queued                → closed
//	BroughtBack    running               → closed
//	BroughtBack    waiting for a person  → closed
//	BroughtBack    unknown               → closed
//
// Begin of a running run takes over a run that was handed over (its Worker is
// ""). CancelledBy stops a running run after the current step, and between two
// steps at once. The final state is cancelled or refused if nothing has changed,
// and partly otherwise.
//
// A failed step ends the run as failed if nothing was changed, or if the change
// is known not to have helped because its own check failed. It ends the run as
// partly if an earlier change stands. A step whose fate is unknown, or that a
// lost worker may have sent, makes the run unknown: it keeps its locks until a
// person closes it. A run whose worker was lost between two steps, or during a
// read, is handed over: reads may be repeated, changes never.
func Next(r Run, e Event, now time.Time, p Policy) (Change, error) {
	t := transition{run: clone(r), now: stamp(now), policy: p}
	if err := t.take(e); err != nil {
		return Change{}, err
	}
	t.change.Run = t.run
	return t.change, nil
}

// transition is the state of one call of Next.
type transition struct {
	run    Run
	now    time.Time
	policy Policy
	change Change
}

func (t *transition) take(e Event) error {
	switch e := e.(type) {
	case Voted:
		return t.voted(e)
	case WithdrawnVote:
		return t.withdrawn(e)
	case DeniedBy:
		return t.denied(e)
	case CancelledBy:
		return t.cancelled(e)
	case LookingBy:
		return t.looking(e)
	case Reminded:
		return t.reminded(e)
	case EndReminded:
		return t.endReminded(e)
	case DeadlineCheck:
		return t.deadline()
	case Begin:
		return t.begin(e)
	case Blocked:
		return t.blocked(e)
	case RecheckFailed:
		return t.recheckFailed(e)
	case StepBegins:
		return t.stepBegins(e)
	case StepEnds:
		return t.stepEnds(e)
	case StepCompleted:
		return t.stepCompleted(e)
	case WorkerLost:
		return t.workerLost(e)
	case Probed:
		return t.probed(e)
	case BroughtBack:
		return t.broughtBack(e)
	case ClosedBy:
		return t.closed(e)
	default:
		return refusal.New(UnknownEvent, "%s: the event %T is not one that the engine knows.", t.run.ID, e)
	}
}

// end sets a run's final state and releases its locks. Steps that did not begin are "not done".
func (t *transition) end(s State, why string, by *Actor) {
	t.run.State = s
	t.run.EndedAt = &t.now
	t.run.EndedBy = by
	t.run.Worker, t.run.Behind = "", ""
	if why != "" {
		t.run.Why = line(why)
	}
	t.skipRest()
	t.change.Release = true
}

func (t *transition) skipRest() {
	for i := range t.run.Steps {
		st := &t.run.Steps[i]
		if st.State == StepPending || st.State == StepStarted {
			st.State = StepSkipped
		}
	}
}

// record appends one record to the run's chain. The function edit sets the fields that only
// records of this kind have.
func (t *transition) record(kind audit.Kind, edit func(*audit.Record)) {
	rec := audit.Record{
		At: t.now, Run: t.run.ID, Kind: kind, Replica: t.policy.Replica,
		Cluster: t.run.Plan.Cluster, Action: t.run.Plan.Action, Target: targets(t.run.Plan.Targets),
		Severity: t.run.Plan.Severity.String(), Digest: t.run.Plan.Digest,
	}
	edit(&rec)
	rec.Text = line(rec.Text)
	rec = audit.Link(rec, t.run.Records+1, t.run.Head)
	t.run.Records, t.run.Head = rec.Seq, audit.Hash(rec)
	t.change.Records = append(t.change.Records, rec)
}

// by sets the fields of a record that name a person.
func by(rec *audit.Record, a Actor) {
	rec.Person = a.Person
	rec.Account = a.Account.String()
	rec.Via = a.Via
}

// inSilence adds to a text since when Slack has not answered about the person. Without a silence
// it returns the text unchanged.
func inSilence(text string, a Actor) string {
	if a.SilentSince == nil {
		return text
	}
	return strings.TrimPrefix(
		fmt.Sprintf("%s (Slack silent since %s, %s)", text, a.SilentSince.Format("2006-01-02 15:04 MST"), a.Origin), " ",
	)
}

// stamp returns a time as it is stored: in UTC, cut to milliseconds.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// clone copies the parts of a run that Next changes. Plan and inputs are shared, because Next
// never changes them.
func clone(r Run) Run {
	r.Steps = slices.Clone(r.Steps)
	r.Votes = slices.Clone(r.Votes)
	r.Reminders = slices.Clone(r.Reminders)
	return r
}
