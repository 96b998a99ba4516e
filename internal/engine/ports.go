package engine

import (
	"context"
	"errors"
	"fmt"

	"dhbot/internal/audit"
	"dhbot/internal/observe"
	"dhbot/runbooks"
)

// Errors of Runs. Any other error means that the store did not answer, and
// then nothing is known to have been committed.
var (
	ErrNotFound  = errors.New("no such run")
	ErrConflict  = errors.New("the run has changed meanwhile")
	ErrIDTaken   = errors.New("run id already used")
	ErrLeaseLost = errors.New("this replica's lease is gone")
	ErrSettled   = errors.New("this delivery was already handled")
	ErrStoreDown = errors.New("the state store does not answer")
	// ErrTampered says that what is stored is not what the bot stored: it does
	// not count.
	ErrTampered = errors.New("what is stored is not what I stored")
)

// LockedError says which lock is held, and by which run.
type LockedError struct {
	Lock, Run string
}

func (e *LockedError) Error() string { return fmt.Sprintf("lock %s is held by %s", e.Lock, e.Run) }

// Change is one atomic step in the life of a run: the run's new form, the
// records that tell of it, and the locks that go with it.
type Change struct {
	Run     Run
	Rev     int64 // the revision it is based on; 0 creates the run
	Records []audit.Record
	Take    []string // locks to take, all or nothing
	Release bool     // give back every lock that the run holds
	// Claim is the key of the delivery that this change settles, or "". A
	// delivery settles once: a second change with the same claim fails with
	// ErrSettled. A claim that is not stored settles nothing.
	Claim string
}

// Stored is a run and the revision it was read at.
type Stored struct {
	Run Run
	Rev int64
	// Before says, of an open run that a restored, copied or adopted store brings
	// back, why it is never carried on; it is only closed. "" elsewhere.
	Before string
}

// Lock is a held lock.
type Lock struct {
	Name, Run, Reason string
	Since             int64 // Unix milliseconds
}

// Runs keeps runs, their records and their locks.
type Runs interface {
	// Commit makes one change in one transaction, compare-and-swap on Rev.
	// It returns the new revision, or ErrConflict, ErrIDTaken, ErrLeaseLost,
	// ErrSettled, a *LockedError, or ErrStoreDown (wrapped), and then changed
	// nothing, except that after ErrStoreDown the change may yet prove to have
	// been made: read before deciding. A change that fails its own Check, or
	// is too big for one transaction, is refused with an error of its own.
	// Locks that the run holds already may be taken again.
	Commit(ctx context.Context, c Change) (int64, error)
	// Get returns a run, or ErrNotFound.
	Get(ctx context.Context, id string) (Stored, error)
	// Open returns every run that has not ended, oldest first.
	Open(ctx context.Context) ([]Stored, error)
	// Recent returns up to n runs that have ended, newest first.
	Recent(ctx context.Context, n int) ([]Stored, error)
	// Watch calls f first with every open run as it stands, oldest first,
	// then with every run's new form, in the order of revisions, without a
	// gap between the two. After an outage forms that have been replaced may
	// be left out, the newest never. It returns when ctx ends or the watch
	// cannot go on.
	Watch(ctx context.Context, f func(Stored)) error
	// Locks returns the held locks, by name.
	Locks(ctx context.Context) ([]Lock, error)
}

// Assessor judges the processes of a host as `status` does. A wait for all of
// them to be up ends by it: what one supervisor says of what it knows is less.
type Assessor interface {
	// AllUp is Met where nothing on the host is an incident, Noted where
	// something is of level 3, and NotYet where something is down, unknown or
	// otherwise not as it should be.
	AllUp(ctx context.Context, cluster, host string) observe.Verdict
}

// Evidence reads of a process what a change of it may end.
type Evidence interface {
	// Of returns lines for people about the process of a step, which had, or has,
	// a pid: how it runs, its last log lines and, where the site allows it, a
	// thread dump. It takes a few seconds at most, and says what it could not read.
	Of(ctx context.Context, cluster string, st runbooks.Step, pid int) []string
}

// Gate checks a run again. The store is input, not authority: what is sent is
// what the Gate derives, and never bytes that were read back.
type Gate interface {
	// Derive makes a run's plan anew: from its inputs, catalog and fleet, and
	// nothing else of r. It is asked before every step, and asks nothing of
	// anybody itself.
	Derive(r Run) (runbooks.Plan, error)
	// Recheck is asked just before a run starts, and before each step that does
	// not merely prove a change which was sent already: whether its people are
	// still who they were and may still do this. It returns nil, or an error
	// whose text says what differs, which ends the run; ErrElsewhere only
	// leaves it to another replica.
	Recheck(ctx context.Context, r Run) error
}

// ErrElsewhere is a Gate's word that this replica is not the one to judge, or
// to carry out, any run at the moment.
var ErrElsewhere = errors.New("left to another replica")

// Ledger remembers outside the store which steps were sent, so that a store
// that is put back to an earlier time sends nothing again.
type Ledger interface {
	// Sending notes durably that step i of a run is about to be sent. After any
	// error it must not be; ErrSentBefore says that it was sent already.
	Sending(r Run, i int) error
	// Hold says why a run may not be carried on for the moment, "" if it may.
	Hold(r Run) string
}

// ErrSentBefore is a Ledger's word that a step was sent once already, in a time
// that the store does not know of.
var ErrSentBefore = errors.New("it was sent already, and the store does not know of it: the store was put back to an earlier time")

// Members knows the bot's replicas. A replica whose lease is gone can no
// longer commit anything, so what it left may be taken over.
type Members interface {
	// Alive returns the names of the replicas whose lease is alive.
	Alive(ctx context.Context) ([]string, error)
}
