package poster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/engine"
)

const (
	trailEvery = time.Second // between two looks for new entries
	trailBatch = 20          // entries in one message at most
	// trailRoom bounds a message by what its entries weigh: a longer one would
	// be cut, and an entry that is cut off was never posted.
	trailRoom  = 9_000
	spanWeight = 80              // bytes around each of a line's pieces
	linePieces = 14              // of an entry, with its time
	trailLate  = 5 * time.Second // a lag worth saying
	// skipped reads after which the cursor is stored though nothing was
	// posted: a restart then reads at most so many again.
	trailSkip = 1_000
)

var errEnough = errors.New("enough for one message")

// trailLoop posts the trail in batches. The cursor moves after the post, so
// that an entry is posted at least once; entries are numbered, which makes a
// double recognisable.
func (p *Poster) trailLoop(ctx context.Context) {
	backoff := newBackoff()
	t := &trail{Poster: p}
	for ctx.Err() == nil {
		more, err := t.step(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			delay, _ := backoff.Next()
			p.Logger.Warn("the trail is not posted up to date; trying again", "in", delay.Round(time.Millisecond), "err", err)
			pause(ctx, delay)
		case !more:
			backoff = newBackoff()
			pause(ctx, trailEvery)
		default:
			backoff = newBackoff()
		}
	}
}

// trail is how far the trail has been posted.
type trail struct {
	*Poster
	known  bool
	seen   uint64 // entries up to here are posted, or need not be
	stored uint64 // the cursor that the store has
}

// step posts one message of entries, if there are any; more says that others
// wait.
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
	batch, last, err := t.batch(ctx)
	if err != nil {
		return false, err
	}
	if len(batch) > 0 {
		if _, err := t.Board.Post(ctx, engine.Place{Channel: t.AuditChannel}, t.card(batch, head.N-last)); err != nil {
			return false, fmt.Errorf("posting entries %d to %d: %w", batch[0].N, last, err)
		}
	}
	t.seen = last
	if len(batch) > 0 || t.seen-t.stored >= trailSkip {
		note, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteBudget)
		defer cancel()
		if err := t.Posts.SetTrailPosted(note, t.seen); err != nil {
			// Not posted again by this process; after a restart, twice.
			return false, err
		}
		t.stored = t.seen
	}
	return t.seen < head.N, nil
}

// batch is the next entries that are to be posted, and the number up to which
// the trail was looked at. Reads are recorded but not posted.
func (t *trail) batch(ctx context.Context) (batch []audit.Sealed, last uint64, err error) {
	last = t.seen
	room := trailRoom
	err = t.Log.Trail(ctx, t.seen+1, func(s audit.Sealed) error {
		if s.Record.Kind != audit.ReadDone {
			w := weight(s.Record)
			if len(batch) == trailBatch || len(batch) > 0 && w > room {
				return errEnough
			}
			room -= w
			batch = append(batch, s)
		}
		last = s.N
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return batch, last, err
}

// weight is how many bytes an entry takes in a message, rather too many.
func weight(r audit.Record) int {
	b, err := audit.Canonical(r)
	if err != nil {
		return trailRoom // a message of its own
	}
	return len(b) + linePieces*spanWeight
}

// card says, where the trail is behind, by how much.
func (t *trail) card(batch []audit.Sealed, waiting uint64) card.Card {
	c := t.TrailCard(batch)
	lag := t.Now().Sub(batch[0].Record.At)
	switch {
	case waiting > 0:
		return withFoot(c, card.T(fmt.Sprintf("%s after the fact · %d more entries are waiting", lag.Round(time.Second), waiting)))
	case lag >= trailLate:
		return withFoot(c, card.T(lag.Round(time.Second).String()+" after the fact"))
	default:
		return c
	}
}
