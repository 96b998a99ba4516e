package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"dhbot/auth"
	"dhbot/internal/refusal"
	"dhbot/runbooks"
)

// The people and replicas of these tests. anna is the requester; ben and chris vote.
var (
	anna  = Actor{Person: "anna", Account: auth.Account{Team: "T0HOME", User: "U1"}, Via: "slash"}
	ben   = Actor{Person: "ben", Account: auth.Account{Team: "T0HOME", User: "U2"}, Via: "button"}
	chris = Actor{Person: "chris", Account: auth.Account{Team: "T0HOME", User: "U3"}, Via: "button"}
)

const (
	digest = "7f3a9c0000000000000000000000000000000000000000000000000000000000"
	runID  = "R-7F3K"
	w1, w2 = "replica-1", "replica-2"
)

var (
	noon   = time.Date(2026, 11, 21, 14, 6, 0, 0, time.UTC)
	policy = Policy{VoteTTL: 15 * time.Minute, StartTTL: 2 * time.Minute, Replica: w1}
	// patient is a policy that gives a run more time to start, because the clock in these tests
	// jumps by several minutes.
	patient = Policy{VoteTTL: policy.VoteTTL, StartTTL: policy.VoteTTL, Replica: w1}
)

// step returns one step of a test plan. Its target is db_dis on the host.
func step(kind runbooks.StepKind, host string) runbooks.Step {
	s := runbooks.Step{
		Kind: kind, Title: string(kind) + " on " + host, Process: "db_dis", Service: "db_dis",
		Manager: runbooks.Monit, Host: host, Address: host + ":22", Login: "dhops",
		Sent: string(kind) + " " + host, Timeout: runbooks.Duration(15 * time.Second),
	}
	switch kind {
	case runbooks.Wait:
		s.Until, s.Within = runbooks.Restarted, runbooks.Duration(time.Minute)
	case runbooks.Exec:
		s.Check = runbooks.ExitZero
	case runbooks.Manual:
		s.Check = runbooks.Ticked
	}
	return s
}

// asked returns a run as handlers submit it.
func asked(level runbooks.Severity, class runbooks.Class, steps ...runbooks.Step) Run {
	r := Run{
		ID: runID, Asked: anna, Reason: "disk was full, freed 40 GB",
		Plan: runbooks.Plan{
			Catalog: "current", Cluster: "prod", Action: "restart", Title: "restart db_dis",
			Class: class, Severity: level, Locks: []string{"prod/infra-1/monit", "prod/process/db_dis"},
			Steps: steps, Digest: digest,
		},
	}
	for _, s := range steps {
		t := runbooks.Target{Process: s.Process, Host: s.Host}
		if !slices.Contains(r.Plan.Targets, t) {
			r.Plan.Targets = append(r.Plan.Targets, t)
		}
	}
	return r
}

// world is a run together with the state that follows from the accepted events alone. The run
// must agree with that state.
type world struct {
	Run    Run
	Ending bool            // the approval ends soon; shorter deadlines have passed
	Late   bool            // every deadline has passed
	Votes  map[string]bool // people whose vote stands
	Locked bool
	Begun  []int // how often each changing step has begun
}

func begin(t testing.TB, r Run) world {
	t.Helper()
	c, err := first(r, noon, patient)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	return world{Run: c.Run, Votes: map[string]bool{}, Begun: make([]int, len(r.Plan.Steps))}
}

// key identifies a world by all its values except times, texts and hashes.
func (w world) key() string {
	r := w.Run
	steps := ""
	for _, s := range r.Steps {
		steps += string(s.State) + ","
	}
	votes := ""
	for _, v := range r.Votes {
		votes += v.Person + ","
	}
	looks := ""
	if r.State == Waiting {
		looks = fmt.Sprint(r.Reminded())
		if r.Looking != nil {
			looks += fmt.Sprint(r.Looking.Person, r.Looking.Round)
		}
	}
	return fmt.Sprint(r.State, steps, votes, looks, r.Abort != nil, r.Worker, r.Behind, r.ProbedAt != nil, r.EndReminder != nil, w.Ending, w.Late, w.Begun)
}

func (w world) now() time.Time {
	if w.Late {
		return noon.Add(24 * time.Hour)
	}
	if end, ok := w.Run.ValidUntil(); ok && w.Ending {
		return end.Add(-validityWarning / 2)
	}
	if w.Ending {
		return noon.Add(policy.VoteTTL + time.Minute)
	}
	return noon.Add(13 * time.Minute) // every reminder is due
}

// events lists every event that could be applied to a run with n steps, even if it makes no
// sense.
func events(n int) []Event {
	es := []Event{
		Voted{ben, digest}, Voted{chris, digest}, Voted{anna, digest}, Voted{ben, "another plan"}, Voted{Actor{}, digest},
		Voted{Actor{Person: "anna-too", Account: anna.Account}, digest},
		Voted{Actor{Person: "anna", Account: auth.Account{Team: "T0HOME", User: "U9"}}, digest},
		WithdrawnVote{ben}, WithdrawnVote{chris}, WithdrawnVote{anna}, WithdrawnVote{},
		DeniedBy{ben, "not now"}, DeniedBy{ben, " "}, DeniedBy{anna, "no"}, DeniedBy{Actor{}, "no"},
		CancelledBy{anna, ""}, CancelledBy{ben, "wrong host"}, CancelledBy{Actor{}, "x"},
		LookingBy{ben}, LookingBy{chris}, LookingBy{anna}, LookingBy{},
		Reminded{N: 0}, Reminded{N: 1, Message: "1.2", Called: []Callee{{Person: "ben", Account: ben.Account}}}, Reminded{N: 2}, Reminded{N: 3}, Reminded{N: 4},
		BroughtBack{"from before the restore", "pid 1"}, EndReminded{Called: []Callee{{Person: "ben"}}},
		DeadlineCheck{}, Begin{w1, digest}, Begin{w2, digest}, Begin{Digest: digest}, Begin{w1, "another plan"},
		Blocked{"prod/infra-1/monit", "R-2222"}, Blocked{"prod/infra-1/monit", "R-3333"}, RecheckFailed{"the plan differs"},
		WorkerLost{w1}, WorkerLost{w2}, WorkerLost{}, Probed{"pid 1 → 2"},
		ClosedBy{ben, "looked, it runs"}, ClosedBy{ben, ""}, ClosedBy{anna, "looked"}, ClosedBy{Actor{}, "x"},
		nil,
	}
	for i := -1; i <= n; i++ {
		for _, w := range []string{w1, w2} {
			es = append(es, StepBegins{w, i, digest, nil}, StepBegins{w, i, "another plan", nil})
			for _, s := range []StepState{StepDone, StepNoted, StepFailed, StepUnknown, StepPending, StepStarted, StepSkipped, ""} {
				es = append(es, StepEnds{w, i, Step{State: s, Text: "as seen"}})
			}
		}
		es = append(es, StepCompleted{ben, i, "done by hand"}, StepCompleted{Actor{}, i, ""})
	}
	return es
}

// take applies an event and checks the outcome against the rules. The result ok is false if the
// run refused the event.
func (w world) take(t testing.TB, e Event) (after world, ok bool) {
	t.Helper()
	c, err := Next(w.Run, e, w.now(), patient)
	if err != nil {
		var no *refusal.Error
		if !errors.As(err, &no) || no.Code == "" || no.Text == "" {
			t.Fatalf("%s, %T: not a refusal with a code and a text: %#v", w.Run.State, e, err)
		}
		if c.Run.ID != "" || c.Records != nil || c.Take != nil || c.Release {
			t.Fatalf("%s, %T: refused, but changed: %+v", w.Run.State, e, c)
		}
		return w, false
	}
	if err := c.Check(); err != nil || len(c.Records) == 0 || c.Run.Records != w.Run.Records+len(c.Records) {
		t.Fatalf("%s, %T: wrong records: %v, %+v", w.Run.State, e, err, c.Records)
	}
	after = w.watch(t, e, c)
	after.hold(t, e, w, c)
	return after, true
}

// watch returns the world after an accepted event.
func (w world) watch(t testing.TB, e Event, c Change) world {
	t.Helper()
	after := world{Run: c.Run, Ending: w.Ending, Late: w.Late, Locked: w.Locked, Votes: map[string]bool{}, Begun: slices.Clone(w.Begun)}
	for p := range w.Votes {
		after.Votes[p] = true
	}
	switch e := e.(type) {
	case Voted:
		if e.Digest != digest || e.By.Account == anna.Account {
			t.Fatalf("vote counted: %+v", e)
		}
		after.Votes[e.By.Person] = true
	case WithdrawnVote:
		delete(after.Votes, e.By.Person)
	case StepBegins:
		if w.Run.changes(e.Index) { // reads may be repeated without end
			after.Begun[e.Index]++
		}
	case StepEnds:
		if w.Run.Worker != e.Worker {
			t.Fatalf("%s reported the end of a step of %s", e.Worker, w.Run.Worker)
		}
	}
	if len(c.Take) > 0 {
		after.Locked = true
	}
	if c.Release {
		after.Locked = false
	}
	return after
}

// hold checks the rules that no transition may break.
func (w world) hold(t testing.TB, e Event, from world, c Change) {
	t.Helper()
	fail := func(what string) {
		t.Fatalf("%s --%T %+v--> %s: %s\n%s", from.Run.State, e, e, w.Run.State, what, encode(t, w.Run))
	}
	r := w.Run
	if from.Run.State.Ended() {
		fail("an ended run accepted an event")
	}
	if late(e, from) {
		fail("the event was accepted after its deadline")
	}
	if b, ok := e.(StepBegins); ok && from.Run.changes(b.Index) {
		if len(from.Votes) < floor(r) || from.Votes["anna"] || from.Votes["anna-too"] {
			fail(fmt.Sprintf("a change began with the votes of %v", from.Votes))
		}
		if w.Begun[b.Index] > 1 {
			fail("a change began twice")
		}
		if !from.Locked || from.Run.Abort != nil || from.Run.State != Running || from.Run.Worker != b.Worker {
			fail("a change began without its locks, after a stop, or by another worker")
		}
	}
	switch r.State {
	case Running, Paused, Unknown:
		if !w.Locked {
			fail("the run has no locks")
		}
	default:
		if w.Locked {
			fail("the run keeps its locks")
		}
	}
	if c.Release != r.State.Ended() || r.State.Ended() != (r.EndedAt != nil) {
		fail("state, end time and released locks disagree about the end")
	}
	if (r.State == Approved || r.State == Queued) && (r.StartBy == nil || r.ApprovedAt == nil || len(w.Votes) < floor(r)) {
		fail("approved without votes or deadline")
	}
	w.holdSteps(fail)
}

// late reports whether an event came outside the time in which it is allowed.
func late(e Event, from world) bool {
	switch e := e.(type) {
	case Voted, Blocked, Reminded:
		return from.Late || from.Ending
	case EndReminded:
		return from.Late || !from.Ending
	case StepBegins:
		return from.Late && from.Run.NeedsValidity(e.Index)
	case Begin:
		return (from.Late || from.Ending) && from.Run.State != Running
	default:
		return false
	}
}

// holdSteps checks that the final state of a run agrees with the results of its steps.
func (w world) holdSteps(fail func(string)) {
	r := w.Run
	var changed, open, unknown, failed bool
	for i, s := range r.Steps {
		changed = changed || r.changes(i) && r.completed(i)
		open = open || s.State == StepPending || s.State == StepStarted
		unknown = unknown || s.State == StepUnknown
		failed = failed || s.State == StepFailed
	}
	switch {
	case open == (r.State.Ended() || r.State == Unknown):
		fail("open steps and the state contradict each other")
	case unknown && r.State != Unknown && r.State != Closed, r.State == Unknown && !unknown:
		fail("an unknown step and the state contradict each other")
	case r.State == Done && (failed || slices.ContainsFunc(r.Steps, func(s Step) bool { return s.State == StepSkipped })):
		fail("done with a failed or skipped step")
	case changed && (r.State == Cancelled || r.State == Refused || r.State == Denied || r.State == Expired):
		fail("something has changed, but the final state denies it")
	case r.State == Partly && (!changed || r.Why == ""):
		fail("partly without a change or a reason")
	case r.State == Failed && !failed:
		fail("failed without a failed step")
	}
}

// floor is the smallest number of votes that a run may need, computed independently of the
// engine.
func floor(r Run) int {
	n := r.Need
	switch {
	case r.Plan.Class == runbooks.Destructive:
		n = max(n, 2)
	case r.Plan.Class == runbooks.Disruptive && r.Plan.Severity == runbooks.Critical:
		n = max(n, 1)
	}
	return n
}

func encode(t testing.TB, r Run) string {
	t.Helper()
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// checkEnding checks a run that the engine executed against the rules of world.
func checkEnding(t testing.TB, r Run) {
	t.Helper()
	world{Run: r}.holdSteps(func(what string) { t.Fatalf("%s: %s", what, encode(t, r)) })
}
