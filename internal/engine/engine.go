package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"dhbot/internal/pause"
	"dhbot/internal/remote"
	"dhbot/runbooks"
)

// Config is what an Engine is made of. Members may be nil: then no replica but
// this replica is known to be gone. Workers and Grace have defaults; every
// other field must be set.
type Config struct {
	Runs   Runs
	Runner remote.Runner
	// Assessor may be nil where no plan waits for all of a host to be up.
	Assessor Assessor
	// Evidence may be nil where none is kept.
	Evidence     Evidence
	Gate         Gate
	Ledger       Ledger
	Members      Members
	Policy       Policy        // its Replica is set from below
	Replica      string        // this bot process; unique among the live replicas
	Workers      int           // runs under way at a time, default 8
	DrainTimeout time.Duration // how long a command under way is waited for when stopping, default 30 s
	Turned       func()        // called whenever the loop of Run turns; nil for none
	Now          func() time.Time
	// ClockAhead is how far Now is known to be ahead of the time that others have,
	// hosts among them; nil where that is not known.
	ClockAhead func() time.Duration
	Log        *slog.Logger
}

// Defaults of Config. Eight at a time is what keeps acks quick beside the
// work (measured: acks' p99 is eighteen times shorter than without a cap).
const (
	defaultWorkers = 8
	defaultGrace   = 30 * time.Second
)

// GateFuncs are two functions that are a Gate.
type GateFuncs struct {
	DeriveFunc  func(r Run) (runbooks.Plan, error)
	RecheckFunc func(ctx context.Context, r Run) error
}

// Derive calls DeriveFunc.
func (f GateFuncs) Derive(r Run) (runbooks.Plan, error) { return f.DeriveFunc(r) }

// Recheck calls RecheckFunc.
func (f GateFuncs) Recheck(ctx context.Context, r Run) error { return f.RecheckFunc(ctx, r) }

// Engine makes events happen to stored runs, and carries runs out. Its own
// memory holds nothing that matters: all is in Runs.
type Engine struct{ c Config }

// New checks that nothing is missing: without one of its parts an engine
// would have to skip a check.
func New(c Config) (*Engine, error) {
	c.Workers = cmp.Or(c.Workers, defaultWorkers)
	c.DrainTimeout = cmp.Or(c.DrainTimeout, defaultGrace)
	c.Policy.Replica = c.Replica
	if c.Turned == nil {
		c.Turned = func() {}
	}
	switch {
	case c.Runs == nil, c.Runner == nil, c.Gate == nil, c.Ledger == nil, c.Now == nil, c.Log == nil:
		return nil, errors.New("engine: Runs, Runner, Gate, Ledger, Now and Log must all be set")
	case c.Replica == "":
		return nil, errors.New("engine: the replica has no name")
	case c.Policy.VoteTTL <= 0 || c.Policy.StartTTL <= 0:
		return nil, errors.New("engine: both deadlines of the policy must be longer than nothing")
	case c.Workers < 0 || c.DrainTimeout < 0:
		return nil, errors.New("engine: Workers and Grace cannot be negative")
	}
	return &Engine{c: c}, nil
}

// Submit stores a new run with its first record and settles the claim of its
// delivery, in one transaction. Of r it takes id, inputs, plan, requester,
// reason, place and votes needed, which never go below the floor of the plan's
// class and level. A run that needs no vote is approved at once. Errors:
// ErrIDTaken (mint another id), ErrSettled (the delivery was handled before), a
// *RefusedError, or the store's.
func (e *Engine) Submit(ctx context.Context, r Run, claim string) (Stored, error) {
	c, err := first(r, e.c.Now(), e.c.Policy)
	if err != nil {
		return Stored{}, err
	}
	c.Claim = claim
	rev, err := e.c.Runs.Commit(ctx, c)
	if errors.Is(err, ErrStoreDown) {
		// It may have been made all the same: the hash of its records tells.
		if st, got := e.c.Runs.Get(ctx, c.Run.ID); got == nil && st.Run.Records >= 1 && st.Run.Head == c.Run.Head {
			return st, nil
		}
	}
	if err != nil {
		return Stored{}, fmt.Errorf("store run %s: %w", c.Run.ID, err)
	}
	return Stored{Run: c.Run, Rev: rev}, nil
}

// Apply makes one event happen to a stored run and settles the claim of its
// delivery, in one transaction. Whatever else happens to the run in the same
// instant, the event is decided on the run's newest form. Errors: a
// *RefusedError, ErrNotFound, ErrSettled (the delivery was handled before), a
// *LockedError (of Begin), or the store's. The run returned is the newest that is known, also beside an error.
func (e *Engine) Apply(ctx context.Context, id string, ev Event, claim string) (Stored, error) {
	st, err := e.c.Runs.Get(ctx, id)
	if err != nil {
		return Stored{}, err
	}
	if _, closes := ev.(BroughtBack); st.Before != "" && !closes {
		return st, refused(NotNow, "%s is %s. It is not carried on, only closed; ask again if it is still wanted.", id, st.Before)
	}
	a := attempt{event: ev, claim: claim}
	return e.try(ctx, st, &a)
}

// attempt is one event being stored. It remembers the forms that
// it tried to store without learning whether that worked, so that finding one
// of them there is success and not a conflict.
type attempt struct {
	event Event
	claim string
	heads []string
}

const (
	maxConflicts = 32 // tries against others who change the same run
	maxSilences  = 2  // tries while the store does not answer
)

// try decides and commits, again from the newest form as long as others get
// in between.
func (e *Engine) try(ctx context.Context, st Stored, a *attempt) (Stored, error) {
	silences := 0
	for range maxConflicts {
		if slices.Contains(a.heads, st.Run.Head) {
			return st, nil
		}
		c, err := Next(st.Run, a.event, e.c.Now(), e.c.Policy)
		if err != nil {
			return st, err
		}
		c.Rev, c.Claim = st.Rev, a.claim
		rev, err := e.c.Runs.Commit(ctx, c)
		switch {
		case err == nil:
			return Stored{Run: c.Run, Rev: rev}, nil
		case errors.Is(err, ErrStoreDown):
			a.heads = append(a.heads, c.Run.Head)
			if silences++; silences == maxSilences {
				return st, fmt.Errorf("run %s: %w", st.Run.ID, err)
			}
		case errors.Is(err, ErrConflict), errors.Is(err, ErrSettled) && len(a.heads) > 0:
			// Another writer's change, or an earlier try of this one.
		default:
			return st, fmt.Errorf("run %s: %w", st.Run.ID, err)
		}
		newest, err := e.c.Runs.Get(ctx, st.Run.ID)
		if err != nil {
			return st, fmt.Errorf("run %s: %w", st.Run.ID, err)
		}
		st = newest
	}
	return st, fmt.Errorf("run %s: %w, %d times in a row", st.Run.ID, ErrConflict, maxConflicts)
}

// Pauses between tries of insist.
const (
	firstPause = 50 * time.Millisecond
	maxPause   = 2 * time.Second
)

// insist tries until the event has happened, the run refuses it, or ctx ends.
// Only the commit is repeated, never what it tells of.
func (e *Engine) insist(ctx context.Context, st Stored, ev Event) (Stored, error) {
	a := attempt{event: ev}
	for between := firstPause; ; between = min(2*between, maxPause) {
		out, err := e.try(ctx, st, &a)
		var no *RefusedError
		if err == nil || errors.As(err, &no) || errors.Is(err, ErrNotFound) {
			return out, err
		}
		e.c.Log.WarnContext(ctx, "commit will be tried again", "run", st.Run.ID, "event", fmt.Sprintf("%T", ev), "err", err)
		if !pause.For(ctx, between) {
			return out, err
		}
		if newest, err := e.c.Runs.Get(ctx, st.Run.ID); err == nil {
			st = newest
		}
	}
}
