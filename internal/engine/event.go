package engine

import "time"

// Event is something that happens to a run. The set is closed; Next handles every event.
type Event interface{ event() }

type (
	// Voted is an approval. Digest is the digest of the plan that the approver saw.
	Voted struct {
		By     Actor
		Digest string
	}
	// WithdrawnVote withdraws an approval. It is refused after the run has started.
	WithdrawnVote struct{ By Actor }
	// DeniedBy ends a run that has not started. A denial needs a reason.
	DeniedBy struct {
		By     Actor
		Reason string
	}
	// CancelledBy ends a run that has not started, if By is the requester. After the start, the
	// requester or any approver can stop the run after its current step.
	CancelledBy struct {
		By     Actor
		Reason string
	}
	// LookingBy records that an approver is looking at the run.
	LookingBy struct{ By Actor }
	// Reminded records that reminder N was posted, the id of its message, and whom it mentions.
	Reminded struct {
		N       int
		Message string
		Called  []Callee
	}
	// EndReminded records that the approvers were mentioned because their approval ends soon.
	EndReminded struct {
		Message string
		Called  []Callee
	}
	// DeadlineCheck applies deadlines that have passed.
	DeadlineCheck struct{}
	// Begin starts the run; the same transaction takes all locks. Digest is the digest of the
	// plan that the Gate has just derived.
	Begin struct{ Worker, Digest string }
	// Blocked records that Begin found a lock that another run holds.
	Blocked struct{ Lock, Run string }
	// RecheckFailed is a refusal by the Gate.
	RecheckFailed struct{ Why string }
	// StepBegins is committed before the command is sent. For a manual step it means that the run
	// waits for a person. Digest is the digest of the plan that the Gate has just derived.
	StepBegins struct {
		Worker string
		Index  int
		Digest string
		Kept   []string // evidence of the target, collected before the step
	}
	// StepEnds is the result of a step.
	StepEnds struct {
		Worker string
		Index  int
		Step   Step
	}
	// StepCompleted is a person's statement that a manual step is done.
	StepCompleted struct {
		By    Actor
		Index int
		Note  string
	}
	// WorkerLost records that the worker died or left while it worked on the run.
	WorkerLost struct{ Worker string }
	// Probed records the state of a target as read from its host, for a run whose outcome is
	// unknown.
	Probed struct{ Text string }
	// BroughtBack closes a run that a restored or adopted store contained, with the reason and the
	// state of the run's targets.
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

// Policy is the part of the config that the engine uses.
type Policy struct {
	VoteTTL  time.Duration // request to last vote
	StartTTL time.Duration // approval to start
	Replica  string        // the replica that applies the event; part of the records
}
