package engine

import (
	"context"
	"errors"
	"fmt"

	"dhbot/internal/audit"
	"dhbot/internal/observe/proof"
	"dhbot/runbooks"
)

// Errors of Runs. After ErrStoreDown, the commit may have succeeded or not.
var (
	ErrNotFound  = errors.New("no such run")
	ErrConflict  = errors.New("the run has changed meanwhile")
	ErrIDTaken   = errors.New("run id already used")
	ErrLeaseLost = errors.New("this replica's lease is gone")
	ErrSettled   = errors.New("this delivery was already handled")
	ErrStoreDown = errors.New("the state store does not answer")
	// ErrTampered means that the bot did not store the value that the store has. Such a value is
	// ignored.
	ErrTampered = errors.New("the stored value is not the one that the bot stored")
)

// LockedError names a held lock and the run that holds it.
type LockedError struct {
	Lock, Run string
}

func (e *LockedError) Error() string { return fmt.Sprintf("lock %s is held by %s", e.Lock, e.Run) }

// Change is one atomic change of a run. It has the new state of the run, and the records and
// locks that change with it.
type Change struct {
	Run     Run
	Rev     int64 // the revision that it changes; 0 creates the run
	Records []audit.Record
	Take    []string // locks to take, all or nothing
	Release bool     // release every lock of the run
	// Claim is the key of the delivery that this change settles, or "". A delivery is settled
	// only once, so a second change with the same claim fails with ErrSettled. A claim that is
	// not stored settles nothing.
	Claim string
}

// Stored is a run and the revision at which it was read.
type Stored struct {
	Run Run
	Rev int64
	// Before says why a run from a restored, copied or adopted store may only be closed, and
	// never continued. It is "" for any other run.
	Before string
}

// Lock is a held lock.
type Lock struct {
	Name, Run, Reason string
	Since             int64 // Unix milliseconds
}

// Runs stores runs, their records and their locks.
type Runs interface {
	// Commit makes one change in one transaction, if the run still has the revision Rev. It
	// returns the new revision. If it returns ErrConflict, ErrIDTaken, ErrLeaseLost, ErrSettled
	// or a *LockedError, nothing was changed. If it returns ErrStoreDown (wrapped), the change
	// may have been made, so the caller must read the run again. Commit refuses a change that
	// fails Change.Check, or that is too big for one transaction. A run may take locks again that
	// it already holds.
	Commit(ctx context.Context, c Change) (int64, error)
	// Get returns a run, or ErrNotFound.
	Get(ctx context.Context, id string) (Stored, error)
	// Open returns every run that has not ended, oldest first.
	Open(ctx context.Context) ([]Stored, error)
	// Recent returns up to n runs that have ended, newest first.
	Recent(ctx context.Context, n int) ([]Stored, error)
	// Watch first calls f with every open run, oldest first. Then it calls f with every later
	// version of a run, in order of revisions. After an outage it may skip versions that were
	// replaced meanwhile, but never the newest version. It returns when ctx ends or the watch
	// cannot continue.
	Watch(ctx context.Context, f func(Stored)) error
	// Locks returns the held locks, sorted by name.
	Locks(ctx context.Context) ([]Lock, error)
}

// Assessor evaluates the processes of a host as `status` does. A step that waits for all
// processes of a host uses it, because a supervisor reports only the processes that it knows.
type Assessor interface {
	// AllUp returns Met if no process of the host is an incident. It returns Noted if the worst
	// incident is Sev 3, and NotYet if an incident is Sev 2, Sev 1 or of unknown level. It returns
	// Unknown if the host cannot be evaluated.
	AllUp(ctx context.Context, cluster, host string) proof.Verdict
}

// Evidence collects data about a process that a change would destroy.
type Evidence interface {
	// Of returns lines for people about the process of a step: its state, its last log lines and,
	// if the site allows it, a thread dump. The argument pid is the last known pid of the
	// process. Of takes a few seconds at most. If a read fails, a line says so.
	Of(ctx context.Context, cluster string, st runbooks.Step, pid int) []string
}

// Gate checks a run again before it is executed. The engine does not trust the stored run: it
// sends only what the Gate derives, never bytes read back from the store.
type Gate interface {
	// Derive makes a run's plan again from its inputs, the catalog and the fleet. It uses nothing
	// else of r and queries no other system. The engine calls it before every step.
	Derive(r Run) (runbooks.Plan, error)
	// Recheck looks up the people of a run again, and checks that their accounts are unchanged
	// and that they still have the permissions. The engine calls it before a run starts and
	// before each step, except for reads that only verify a change that was sent. An error ends
	// the run, and its text names the difference. ErrElsewhere does not end the run, but leaves
	// it to another replica.
	Recheck(ctx context.Context, r Run) error
}

// ErrElsewhere means that this replica may not check or execute any run at the moment.
var ErrElsewhere = errors.New("left to another replica")

// Ledger remembers sent steps outside the store, so that the bot sends nothing again when the store
// is reset to an earlier time.
type Ledger interface {
	// Sending notes durably that step i of a run is about to be sent. After any error the step
	// must not be sent. The error ErrSentBefore means that the step was already sent.
	Sending(r Run, i int) error
	// Hold says why a run may not be continued at the moment. It returns "" if the run may be
	// continued.
	Hold(r Run) string
}

// ErrSentBefore means that a step was already sent, but the store has no record of it because it
// was reset to an earlier time.
var ErrSentBefore = errors.New("the step was already sent, but the store was reset to an earlier time and has no record of it")

// Members knows the replicas of the bot. A replica whose lease has ended cannot commit anything,
// so other replicas may take over its runs.
type Members interface {
	// Alive returns the names of the replicas whose lease is alive.
	Alive(ctx context.Context) ([]string, error)
}
