package engine

import "time"

// Event is something that happens to a run. The set is closed: Next knows
// every one of them.
type Event interface{ event() }

type (
	// Voted approves; Digest is the plan that the voter saw.
	Voted struct {
		By     Actor
		Digest string
	}
	// WithdrawnVote takes a vote back, until the run starts.
	WithdrawnVote struct{ By Actor }
	// DeniedBy ends a run that has not started; it needs a reason.
	DeniedBy struct {
		By     Actor
		Reason string
	}
	// CancelledBy is the requester's own end of a run that has not started,
	// or anybody's who may vote or asked: a stop after the current step.
	CancelledBy struct {
		By     Actor
		Reason string
	}
	// LookingBy says that an approver looks at the run.
	LookingBy struct{ By Actor }
	// Reminded says that reminder N was given, in a message, and whom it called.
	Reminded struct {
		N       int
		Message string
		Called  []Callee
	}
	// EndReminded says that the approvers were called since their approval ends
	// soon.
	EndReminded struct {
		Message string
		Called  []Callee
	}
	// DeadlineCheck lets deadlines pass.
	DeadlineCheck struct{}
	// Begin asks to start with all locks taken by the same transaction.
	// Digest is that of the plan made anew.
	Begin struct{ Worker, Digest string }
	// Blocked says that Begin met a lock of another run.
	Blocked struct{ Lock, Run string }
	// RecheckFailed is the Gate's no.
	RecheckFailed struct{ Why string }
	// StepBegins is committed before anything is sent. Of a manual step it
	// means that a person is waited for. Digest is that of the plan made anew.
	StepBegins struct {
		Worker string
		Index  int
		Digest string
		Kept   []string // what was read of the target before
	}
	// StepEnds is what came of it.
	StepEnds struct {
		Worker string
		Index  int
		Step   Step
	}
	// StepCompleted is a person's word that a manual step is done.
	StepCompleted struct {
		By    Actor
		Index int
		Note  string
	}
	// WorkerLost says that the worker vanished, or left, with the run in its
	// hands.
	WorkerLost struct{ Worker string }
	// Probed is what a read found out about an unknown run, afterwards.
	Probed struct{ Text string }
	// BroughtBack closes a run that a restored or adopted store brought back:
	// why, and how its targets are now.
	BroughtBack struct{ Why, Found string }
	// ClosedBy closes an unknown run.
	ClosedBy struct {
		By     Actor
		Reason string
	}
)

func (Voted) event()         {}
func (WithdrawnVote) event() {}
func (DeniedBy) event()      {}
func (CancelledBy) event()   {}
func (LookingBy) event()     {}
func (EndReminded) event()   {}
func (Reminded) event()      {}
func (DeadlineCheck) event() {}
func (Begin) event()         {}
func (Blocked) event()       {}
func (RecheckFailed) event() {}
func (StepBegins) event()    {}
func (StepEnds) event()      {}
func (StepCompleted) event() {}
func (WorkerLost) event()    {}
func (Probed) event()        {}
func (BroughtBack) event()   {}
func (ClosedBy) event()      {}

// Policy is what of the config the engine goes by.
type Policy struct {
	VoteTTL  time.Duration // request to last vote
	StartTTL time.Duration // approval to start
	Replica  string        // who applies the event; it goes into the records
}
