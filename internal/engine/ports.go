package engine

import (
	"context"
	"errors"
	"fmt"

	"dhbot/internal/audit"
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

// Gate checks a run again, just before it starts and before each step that
// does not merely prove a change which was sent already: that its people are
// still who they were and may still do this, and that the plan made anew from
// catalog and fleet has the approved digest.
type Gate interface {
	// Recheck returns nil, or an error whose text says what differs, which
	// ends the run; ErrElsewhere only leaves it to another replica.
	Recheck(ctx context.Context, r Run) error
}

// ErrElsewhere is a Gate's word that this replica is not the one to judge, or
// to carry out, any run at the moment.
var ErrElsewhere = errors.New("left to another replica")

// Members knows the bot's replicas. A replica whose lease is gone can no
// longer commit anything, so what it left may be taken over.
type Members interface {
	// Alive returns the names of the replicas whose lease is alive.
	Alive(ctx context.Context) ([]string, error)
}
