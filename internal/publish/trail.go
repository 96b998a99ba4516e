package publish

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/pause"
)

const (
	trailEvery = time.Second // interval of checks for new entries
	trailBatch = 20          // entries in one message at most
	// trailWindow is the number of trail entries that are grouped by run and then posted. After
	// a crash, entries of the last window may be posted again.
	trailWindow = 60
	// trailRoom limits the size of a message. A longer message would be cut, and an entry that is
	// cut off would not be posted.
	trailRoom  = 9_000
	spanWeight = 80              // bytes that each part of a line adds to its text
	linePieces = 14              // parts of an entry, including its time
	trailLate  = 5 * time.Second // smallest delay that is shown
	// linkWait is how long a run's records wait until the run's message is posted, because they
	// link to that message.
	linkWait = 5 * time.Second
	// trailSkip is the number of skipped entries after which the cursor is stored, although
	// nothing was posted. So a restart reads at most this many entries again.
	trailSkip = 1_000
)

var errEnough = errors.New("enough for one window")

// trailLoop posts the trail. Records of a run go into the run's thread. The cursor moves after
// the posts, so an entry may be posted twice after a crash. The numbers of entries reveal
// duplicates.
func (p *Publisher) trailLoop(ctx context.Context) {
	backoff := newBackoff()
	t := &trail{Publisher: p, done: map[uint64]bool{}}
	for ctx.Err() == nil {
		more, err := t.step(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			delay, _ := backoff.Next()
			p.Logger.WarnContext(ctx, "the trail is not posted up to date; retrying", "in", delay.Round(time.Millisecond), "err", err)
			pause.For(ctx, delay)
		case !more:
			backoff = newBackoff()
			pause.For(ctx, trailEvery)
		default:
			backoff = newBackoff()
		}
	}
}

// trail is the progress of posting the trail.
type trail struct {
	*Publisher
	known  bool
	seen   uint64 // entries up to here are posted or skipped
	stored uint64 // the cursor that the store has
	// done has the numbers of posted entries that are larger than seen.
	done map[uint64]bool
}

// step posts the next window of entries, if there is one. The result more is true if further
// entries wait.
func (t *trail) step(ctx context.Context) (more bool, err error) {
	if !t.known {
		if t.stored, err = t.Posts.TrailPosted(ctx); err != nil {
			return false, err
		}
		t.seen, t.known = t.stored, true
	}
	head, ok, err := t.Log.Head(ctx)
	if err != nil || !ok || head.N <= t.seen {
		return false, err
	}
	window, last, err := t.window(ctx)
	if err != nil {
		return false, err
	}
	waiting, pending := uint64(len(window))+head.N-last, false
	for _, batch := range batches(window) {
		waiting -= uint64(len(batch))
		waits, err := t.post(ctx, batch, waiting)
		if err != nil {
			return false, fmt.Errorf("posting entries %d to %d: %w", batch[0].N, batch[len(batch)-1].N, err)
		}
		pending = pending || waits
	}
	if pending {
		return false, nil
	}
	t.seen = last
	clear(t.done)
	if len(window) > 0 || t.seen-t.stored >= trailSkip {
		note, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteBudget)
		defer cancel()
		if err := t.Posts.SetTrailPosted(note, t.seen); err != nil {
			// This process does not post the window again, but the next process will.
			return false, err
		}
		t.stored = t.seen
	}
	return t.seen < head.N, nil
}

// window returns the next entries to post, and the number of the last entry that was read. It
// skips entries about reads, because they are never posted.
func (t *trail) window(ctx context.Context) (window []audit.Sealed, last uint64, err error) {
	last = t.seen
	err = t.Log.Trail(ctx, t.seen+1, func(s audit.Sealed) error {
		if s.Record.Kind != audit.ReadDone {
			if len(window) == trailWindow {
				return errEnough
			}
			if !t.done[s.N] {
				window = append(window, s)
			}
		}
		last = s.N
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return window, last, err
}

// batches groups entries by run, in order of their first appearance, and splits groups that are
// too large for one message.
func batches(window []audit.Sealed) [][]audit.Sealed {
	var out [][]audit.Sealed
	open := map[string]int{} // run → its batch that has space left
	room := map[string]int{}
	for _, s := range window {
		run, w := s.Record.Run, weight(s.Record)
		i, ok := open[run]
		if !ok || len(out[i]) == trailBatch || w > room[run] {
			i = len(out)
			out = append(out, nil)
			open[run] = i
			room[run] = trailRoom
		}
		out[i] = append(out[i], s)
		room[run] -= w
	}
	return out
}

// post posts one batch into the channel or, if the batch belongs to a run, into the run's
// thread. The first batch of a run begins the thread, and links to the run's message. The result
// waits is true if that message is about to be posted. The batch should then be posted a moment
// later.
func (t *trail) post(ctx context.Context, batch []audit.Sealed, waiting uint64) (waits bool, err error) {
	at := engine.Place{Channel: t.AuditChannel}
	run := batch[0].Record.Run
	show, begins := t.TrailCard, false
	if run != "" {
		th, ok, err := t.thread(ctx, run)
		if err != nil {
			return false, err
		}
		if at.Thread, begins = th.TS, !ok; ok {
			show = t.TrailReply
		}
	}
	c := t.card(show(batch), batch, waiting)
	if begins {
		link, err := t.messageLink(ctx, run)
		switch {
		case err != nil:
			t.Logger.WarnContext(ctx, "a trail has no link to its run", "run", run, "err", err)
		case link == "" && t.Now().Sub(batch[0].Record.At) < linkWait && t.willBeShown(ctx, run):
			return true, nil
		case link != "":
			c = withFoot(c, card.L("The message of "+run, link))
		}
	}
	ts, err := t.Messenger.Post(ctx, at, c)
	if err != nil {
		return false, err
	}
	for _, s := range batch {
		t.done[s.N] = true
	}
	if begins {
		return false, t.beginThread(ctx, run, Thread{Channel: t.AuditChannel, TS: ts})
	}
	return false, nil
}

// weight is an upper bound of an entry's size in a message.
func weight(r audit.Record) int {
	b, err := audit.Canonical(r)
	if err != nil {
		return trailRoom // needs its own message
	}
	return len(b) + linePieces*spanWeight
}

// card returns c. If the trail is behind, the footer shows the delay.
func (t *trail) card(c card.Card, batch []audit.Sealed, waiting uint64) card.Card {
	lag := t.Now().Sub(batch[0].Record.At)
	switch {
	case waiting > 0:
		return withFoot(c, card.T(fmt.Sprintf("%s late · %d more entries are waiting", lag.Round(time.Second), waiting)))
	case lag >= trailLate:
		return withFoot(c, card.T(lag.Round(time.Second).String()+" late"))
	default:
		return c
	}
}
