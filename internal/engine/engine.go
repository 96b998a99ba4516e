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
	"dhbot/internal/refusal"
	"dhbot/internal/remote"
	"dhbot/runbooks"
)

// Config has the parts of an Engine. Without Members, the engine never takes over runs of other
// replicas. Workers and DrainTimeout have defaults. All fields are required except those with a
// comment.
type Config struct {
	Runs   Runs
	Runner remote.Runner
	// Assessor may be nil if no plan waits for all processes of a host.
	Assessor Assessor
	// Evidence may be nil if no evidence is collected.
	Evidence     Evidence
	Gate         Gate
	Ledger       Ledger
	Members      Members
	Policy       Policy        // New sets its Replica
	Replica      string        // this bot process; unique among the live replicas
	Workers      int           // concurrent runs, default 8
	DrainTimeout time.Duration // how long to wait for commands in progress when stopping, default 30 s
	Times        Times         // of repeated reads
	Turned       func()        // called regularly while Run's loop makes progress; may be nil
	Now          func() time.Time
	// ClockAhead returns how far Now is ahead of the hosts' clocks; nil if unknown.
	ClockAhead func() time.Duration
	Log        *slog.Logger
}

// Defaults of Config. The limit of eight concurrent runs keeps acknowledgements fast: without a
// limit, their measured p99 was eighteen times longer.
const (
	defaultWorkers = 8
	defaultGrace   = 30 * time.Second
)

// GateFuncs implements Gate with two functions.
type GateFuncs struct {
	DeriveFunc  func(r Run) (runbooks.Plan, error)
	RecheckFunc func(ctx context.Context, r Run) error
}

// Derive calls DeriveFunc.
func (f GateFuncs) Derive(r Run) (runbooks.Plan, error) { return f.DeriveFunc(r) }

// Recheck calls RecheckFunc.
func (f GateFuncs) Recheck(ctx context.Context, r Run) error { return f.RecheckFunc(ctx, r) }

// Engine applies events to stored runs and executes the runs. All state is in Runs; the engine's
// memory can be lost at any time.
type Engine struct{ c Config }

// New returns an error if a required part is missing, because the engine would have to skip a check
// without it.
func New(c Config) (*Engine, error) {
	c.Workers = cmp.Or(c.Workers, defaultWorkers)
	c.DrainTimeout = cmp.Or(c.DrainTimeout, defaultGrace)
	c.Times = c.Times.withDefaults()
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
		return nil, errors.New("engine: both deadlines of the policy must be longer than 0")
	case c.Workers < 0 || c.DrainTimeout < 0 || c.Times.AskEvery < 0 || c.Times.LookAfter < 0 || c.Times.LookWithin < 0:
		return nil, errors.New("engine: Workers, DrainTimeout and Times cannot be negative")
	}
	return &Engine{c: c}, nil
}

// Submit stores a new run with its first record and settles the claim of its delivery, in one
// transaction. It takes id, inputs, plan, requester, reason, place and needed votes from r. The
// number of needed votes is raised to the floor of the plan's class and level. A run that needs
// no vote is approved at once. Errors: ErrIDTaken (mint another id), ErrSettled (the delivery was
// handled before), a *refusal.Error, or an error of the store.
func (e *Engine) Submit(ctx context.Context, r Run, claim string) (Stored, error) {
	c, err := first(r, e.c.Now(), e.c.Policy)
	if err != nil {
		return Stored{}, err
	}
	c.Claim = claim
	rev, err := e.c.Runs.Commit(ctx, c)
	if errors.Is(err, ErrStoreDown) {
		// The commit may have succeeded in spite of the error: compare the hash of the records.
		if st, got := e.c.Runs.Get(ctx, c.Run.ID); got == nil && st.Run.Records >= 1 && st.Run.Head == c.Run.Head {
			return st, nil
		}
	}
	if err != nil {
		return Stored{}, fmt.Errorf("store run %s: %w", c.Run.ID, err)
	}
	return Stored{Run: c.Run, Rev: rev}, nil
}

// Apply applies one event to a stored run and settles the claim of its delivery, in one
// transaction. On a conflict, Apply reads the run again and decides again. Errors: a
// *refusal.Error, ErrNotFound, ErrSettled (the delivery was handled before), a *LockedError (from
// Begin), or an error of the store. The returned run is the newest known version of the run, even
// with an error.
func (e *Engine) Apply(ctx context.Context, id string, ev Event, claim string) (Stored, error) {
	st, err := e.c.Runs.Get(ctx, id)
	if err != nil {
		return Stored{}, err
	}
	if _, closes := ev.(BroughtBack); st.Before != "" && !closes {
		return st, refusal.New(NotNow, "%s is %s. The bot closes this run and does not continue it; request it again if you still need it.", id, st.Before)
	}
	a := attempt{event: ev, claim: claim}
	return e.try(ctx, st, &a)
}

// attempt is one event that is being stored. It remembers each version of the run whose commit
// got no answer. If the store has such a version, its commit succeeded and there is no conflict.
type attempt struct {
	event Event
	claim string
	heads []string
}

const (
	maxConflicts = 32 // tries while other writers change the same run
	maxSilences  = 2  // tries while the store does not answer
)

// try decides and commits. After a conflict it starts again from the newest version of the run.
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
			// Another writer changed the run, or an earlier try of this change was stored.
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

// insist tries to store an event until this succeeds, the run refuses the event, or ctx ends. It
// repeats only the commit, never the action that the event reports.
func (e *Engine) insist(ctx context.Context, st Stored, ev Event) (Stored, error) {
	a := attempt{event: ev}
	for between := firstPause; ; between = min(2*between, maxPause) {
		out, err := e.try(ctx, st, &a)
		var no *refusal.Error
		if err == nil || errors.As(err, &no) || errors.Is(err, ErrNotFound) {
			return out, err
		}
		e.c.Log.WarnContext(ctx, "commit failed; retrying", "run", st.Run.ID, "event", fmt.Sprintf("%T", ev), "err", err)
		if !pause.For(ctx, between) {
			return out, err
		}
		if newest, err := e.c.Runs.Get(ctx, st.Run.ID); err == nil {
			st = newest
		}
	}
}
