package monitor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"dhbot/auth"
	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/card/incidentcard"
	"dhbot/internal/engine"
	"dhbot/internal/incident"
	"dhbot/internal/pause"
	"dhbot/internal/publish"
	"dhbot/internal/refusal"
	"dhbot/internal/status"
)

// refresh is the longest time between two updates of a watch's message.
const refresh = 5 * time.Minute

// follower runs one watch.
type follower struct {
	*Monitor
	incident.StoredFollow
	wake chan struct{}

	mu    sync.Mutex
	newer *incident.StoredFollow // a form that another replica stored
	known int64                  // the last revision that the monitor has seen
	over  bool

	pending []audit.Record
	dirty   bool
	posted  status.Board
	shown   string
	told    time.Time // when the message was last updated
	said    string
}

// follows runs all watches until ctx ends.
func (l *Monitor) follows(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	running := map[string]*follower{}
	failing := false
	for ; ctx.Err() == nil; pause.Until(ctx, l.Times.Relist, l.wake) {
		list, err := incident.Follows(ctx, l.Keeper)
		if err != nil {
			if !failing && ctx.Err() == nil {
				l.Logger.WarnContext(ctx, "the watches could not be listed; retrying", "err", err)
			}
			failing = true
			continue
		}
		failing = false
		for name, f := range running {
			if f.ended() {
				delete(running, name)
			}
		}
		for _, stored := range list {
			f := running[stored.Name]
			if f == nil {
				f = &follower{Monitor: l, StoredFollow: stored, known: stored.Rev, wake: make(chan struct{}, 1)}
				running[stored.Name] = f
				wg.Go(func() { f.run(ctx) })
				continue
			}
			f.see(stored)
		}
	}
}

// see tells the follower about a stored form of its watch, unless the follower stored it itself.
func (f *follower) see(s incident.StoredFollow) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.Rev <= f.known {
		return
	}
	f.known, f.newer = s.Rev, &s
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

func (f *follower) ended() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.over
}

// adopt takes over what other replicas may change in the newest stored form: the time when the
// watch will end, and when and why it ended.
func (f *follower) adopt() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.newer == nil {
		return
	}
	if f.newer.Rev > f.Rev {
		f.Rev = f.newer.Rev
		f.Until = f.newer.Until
		f.Ended = f.newer.Ended
		f.Why = f.newer.Why
		f.told = time.Time{} // the message shows the end
	}
	f.newer = nil
}

// run checks and posts until the watch ends and its end is posted.
func (f *follower) run(ctx context.Context) {
	defer func() {
		f.mu.Lock()
		f.over = true
		f.mu.Unlock()
	}()
	for ctx.Err() == nil {
		done, err := f.round(ctx)
		if err != nil && ctx.Err() == nil && err.Error() != f.said {
			f.said = err.Error()
			f.Logger.WarnContext(ctx, "a watch has a problem", "watch", f.Name, "err", err)
		}
		if done {
			return
		}
		pause.Until(ctx, f.wait(), f.wake)
	}
}

func (f *follower) every() time.Duration {
	if f.Scope.Process != "" {
		return f.Times.EveryProcess
	}
	return f.Times.EveryMore
}

func (f *follower) wait() time.Duration {
	d := f.every()
	if f.Memory.Unknown() || f.dirty {
		d = min(d, f.Times.Soon)
	}
	if left := f.Until.Sub(f.Now()); f.Ended == nil && left > 0 {
		d = min(d, left)
	}
	return d
}

// round ends the watch if it is time to end it. Otherwise it checks the targets once. Then it
// updates the message.
func (f *follower) round(ctx context.Context) (done bool, err error) {
	f.adopt()
	if f.Ended == nil {
		if why, over := f.overBecause(ctx); over {
			f.pending, f.dirty = append(f.pending, f.End(f.Now(), "", why)), true
		}
	}
	if f.Ended == nil {
		if err := f.look(ctx); err != nil {
			return false, err
		}
	}
	if f.dirty {
		if err := f.keep(ctx); err != nil {
			return false, err
		}
	}
	return f.show(ctx)
}

// overBecause reports whether the watch must end now. The result why is the reason, or "" if the
// time of the watch is over.
func (f *follower) overBecause(ctx context.Context) (why string, over bool) {
	if !f.Now().Before(f.Until) {
		return "", true
	}
	if err := f.Looker.Watchable(f.Scope); err != nil {
		return err.Error(), true
	}
	err := f.Looker.MayFollow(ctx, f.Follow)
	var no *refusal.Error
	if errors.As(err, &no) && no.Code != auth.LookupFailed {
		return f.Person + " is no longer allowed to read " + f.Scope.Cluster, true
	}
	return "", false
}

// look checks the targets once, but only if the requester still has the role. It returns an error
// if the requester does not have the role, if the role cannot be looked up, or if the check fails.
func (f *follower) look(ctx context.Context) error {
	if err := f.Looker.MayFollow(ctx, f.Follow); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, lookBudget)
	defer cancel()
	board, seen, err := f.Looker.Look(ctx, f.Scope, f.Memory.NotUp)
	if err != nil {
		return fmt.Errorf("checking %s: %w", f.Scope, err)
	}
	f.posted = board
	f.dirty = f.See(seen, f.Now(), incident.FollowRules()) || f.dirty
	return nil
}

// keep stores the watch. If another replica has stored a newer form, keep returns an error and
// wakes the monitor, which reads that form.
func (f *follower) keep(ctx context.Context) error {
	data, err := incident.Encode(&f.Follow)
	if err != nil {
		return err
	}
	rev, err := f.Keeper.SetWatchState(ctx, f.Name, data, f.Rev, f.pending, "")
	if err != nil {
		f.dirty = true
		if errors.Is(err, engine.ErrConflict) {
			f.Wake()
		}
		return err
	}
	f.stored(rev)
	return nil
}

func (f *follower) stored(rev int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Rev = rev
	f.known = max(f.known, rev)
	f.pending = nil
	f.dirty = false
}

// show updates the message. The result done is true if the watch was deleted, because its end was
// posted, its message can no longer be updated, or it ended before anything was posted.
func (f *follower) show(ctx context.Context) (done bool, err error) {
	if f.Ended != nil && f.TS == "" && !f.Begun {
		return f.forget(ctx) // ended before it was posted
	}
	now := f.form()
	if f.Now().Sub(f.told) > refresh {
		f.shown = ""
	}
	before := f.shown
	note := func(c incident.Change, n int) card.Card { return incidentcard.Changed(c, n, f.Scope.Cluster) }
	err = f.updatePost(ctx, &f.Message, now, &f.shown, note, f.keep)
	if f.shown != before {
		f.told = f.Now()
	}
	switch {
	case permanent(err) && f.Ended == nil:
		why := "its message was deleted"
		if errors.Is(err, publish.ErrNoPlace) {
			why = "the channel accepts no messages"
		}
		f.pending, f.dirty = append(f.pending, f.End(f.Now(), "", why)), true
		if err := f.keep(ctx); err != nil {
			return false, err
		}
		return f.forget(ctx)
	case permanent(err):
		return f.forget(ctx)
	case err != nil:
		return false, err
	case f.Ended != nil:
		return f.forget(ctx)
	default:
		return false, nil
	}
}

func (f *follower) forget(ctx context.Context) (done bool, err error) {
	_, err = f.Keeper.SetWatchState(ctx, f.Name, nil, f.Rev, f.pending, "")
	if errors.Is(err, engine.ErrConflict) {
		f.Wake() // a person has started it again
	}
	return err == nil, err
}

// form is the current form of the message.
func (f *follower) form() form {
	if f.Ended != nil {
		return form{card: incidentcard.FollowEnded(f.Follow), sign: "ended", final: true}
	}
	var sign strings.Builder
	fmt.Fprintln(&sign, f.Until, len(f.Lately))
	for _, r := range f.posted.Rows {
		fmt.Fprintln(
			&sign, r.Process.ID, r.Host, r.Finding.Severity, r.Finding.Headline, r.InWork, r.Maintenance != nil, r.Causes, r.Observation.PID,
		)
	}
	for _, c := range f.Lately {
		fmt.Fprintln(&sign, c.Since)
	}
	return form{card: incidentcard.Following(f.Follow, f.posted, f.every()), sign: sign.String()}
}
