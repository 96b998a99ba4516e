package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dhbot/internal/audit"
)

// Next is what an event makes of a run: its new form, the records that tell
// of it, the locks that go with it. It is pure: it changes nothing that it is
// given, and now is its only clock. Rev and Claim of the Change are left to
// the caller. An event that the run does not take is a *RefusedError, and
// then nothing has changed.
//
// The transitions are these and no others; a test holds the table to what
// Next does:
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
// Begin of a running run takes over one that was handed over (its Worker is
// ""). CancelledBy of a running run stops it after the current step; between
// two steps it ends at once. What it ends as tells whether anything has
// changed: cancelled or refused if nothing has, partly otherwise.
//
// A step that failed ends the run as failed if what was changed is known not
// to have helped (its own proof failed) or nothing was changed, and as partly
// if an earlier change stands. A step whose fate is unknown, or that may have
// been sent by a worker that was lost, makes the run unknown: its locks stay
// with it until a person closes it. A worker lost between two steps or while
// only reading hands the run over: reads may be repeated, changes never.
func Next(r Run, e Event, now time.Time, p Policy) (Change, error) {
	t := transition{run: clone(r), now: stamp(now), policy: p}
	if err := t.take(e); err != nil {
		return Change{}, err
	}
	t.change.Run = t.run
	return t.change, nil
}

// transition is one call of Next under way.
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
		return refused(UnknownEvent, "%s: the event %T is not one that the engine knows.", t.run.ID, e)
	}
}

// end gives a run its last state and its locks back; what was not begun is
// "not done".
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

// record chains one more record of the run; edit fills in what is special
// about it.
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

// by fills in who.
func by(rec *audit.Record, a Actor) {
	rec.Person = a.Person
	rec.Account = a.Account.String()
	rec.Via = a.Via
}

// inSilence adds to a record's text that Slack could not be asked about the
// person.
func inSilence(text string, a Actor) string {
	if a.SilentSince == nil {
		return text
	}
	return strings.TrimPrefix(
		fmt.Sprintf("%s (Slack silent since %s, %s)", text, a.SilentSince.Format("2006-01-02 15:04 MST"), a.Origin), " ",
	)
}

// stamp is a moment in the form that is stored.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// clone copies what Next changes; the plan and the inputs it never does.
func clone(r Run) Run {
	r.Steps = slices.Clone(r.Steps)
	r.Votes = slices.Clone(r.Votes)
	r.Reminders = slices.Clone(r.Reminders)
	return r
}
