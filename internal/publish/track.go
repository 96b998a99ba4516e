package publish

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/pause"
)

// noteBudget limits storing that something was posted.
const noteBudget = 5 * time.Second

// track is a run whose message is behind. Its goroutine ends when the message shows the newest
// known revision.
type track struct {
	latest engine.Stored
	newer  chan struct{} // closed and replaced when latest changes
	again  bool          // check once more, even with the same revision
}

// seeAgain makes the publisher check a run's message again, even if the message shows the
// current revision, because something else has changed.
func (p *Publisher) seeAgain(ctx context.Context, s engine.Stored) {
	p.mu.Lock()
	t := p.tracks[s.Run.ID]
	if t != nil {
		t.again = true
	}
	p.mu.Unlock()
	if t == nil {
		p.see(ctx, s)
	}
}

// see records the form of a run if it is newer than the recorded form.
func (p *Publisher) see(ctx context.Context, s engine.Stored) {
	if s.Run.Place.Channel == "" {
		return // requested in a terminal: there is no message
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remind.see(s)
	t := p.tracks[s.Run.ID]
	switch {
	case t == nil:
		t = &track{latest: s, newer: make(chan struct{})}
		p.tracks[s.Run.ID] = t
		p.work.Go(func() { p.follow(ctx, s.Run.ID, t) })
	case s.Rev > t.latest.Rev:
		t.latest = s
		close(t.newer)
		t.newer = make(chan struct{})
	}
}

// follow updates one run's message.
func (p *Publisher) follow(ctx context.Context, id string, t *track) {
	backoff := newBackoff()
	var done int64 // the revision that the message shows, or that was abandoned
	for {
		s, newer, more := p.next(id, t, done)
		if !more {
			return
		}
		err := p.bring(ctx, s, newer)
		switch {
		case err == nil:
			done = s.Rev
			backoff = newBackoff()
		case ctx.Err() != nil:
			p.drop(id)
			return
		case superseded(newer), errors.Is(err, errOvertaken):
			done = s.Rev // the newer form is handled separately, or by the leader
		case errors.Is(err, ErrNoPlace):
			// listLoop tries again after retryRefused, in case the bot has been invited to
			// the channel.
			p.Logger.ErrorContext(ctx, "a run cannot be posted in any channel", "run", id, "channel", s.Run.Place.Channel, "err", err)
			p.unseen(ctx, s.Run)
			done = s.Rev
		default:
			delay, _ := backoff.Next()
			p.Logger.WarnContext(ctx, "a run's message is not up to date; retrying",
				"run", id, "in", delay.Round(time.Millisecond), "err", err)
			pause.For(ctx, delay)
		}
	}
}

// next returns the newest form of a run if the message does not show it yet, or if seeAgain
// requested another check. Otherwise it ends the track and returns false.
func (p *Publisher) next(id string, t *track, done int64) (s engine.Stored, newer <-chan struct{}, more bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t.latest.Rev <= done && !t.again {
		delete(p.tracks, id)
		return engine.Stored{}, nil, false
	}
	t.again = false
	return t.latest, t.newer, true
}

func (p *Publisher) drop(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.tracks, id)
}

func superseded(newer <-chan struct{}) bool {
	select {
	case <-newer:
		return true
	default:
		return false
	}
}

// bring updates the run's message to s. It abandons a waiting edit when a newer form arrives.
func (p *Publisher) bring(ctx context.Context, s engine.Stored, newer <-chan struct{}) error {
	post, known, err := p.Posts.Post(ctx, s.Run.ID)
	if err != nil {
		return err
	}
	switch {
	case known && post.Rev >= s.Rev && post.TS != "" && !p.unlinked(ctx, s.Run.ID):
		return nil
	case known && post.TS != "":
		err = p.edit(ctx, post, s, newer)
		if errors.Is(err, ErrGone) {
			p.Logger.WarnContext(ctx, "a run's message is gone; posting it again", "run", s.Run.ID)
			err = p.post(ctx, s, s.Run.Place, false, p.Card(s.Run)) // the first message has mentioned people
		}
	default:
		err = p.post(ctx, s, s.Run.Place, known, p.First(ctx, s.Run))
	}
	if err == nil {
		p.tellRequester(ctx, s.Run.ID)
	}
	if errors.Is(err, ErrNoPlace) && post.Channel != p.AuditChannel {
		return p.elsewhere(ctx, s, err)
	}
	return err
}

func (p *Publisher) edit(ctx context.Context, post Post, s engine.Stored, newer <-chan struct{}) error {
	turn, cancel := context.WithCancel(ctx)
	defer cancel()
	waited := make(chan struct{})
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		select {
		case <-newer:
			cancel()
		case <-waited:
		}
	}()
	c, th, linked := p.withTrail(ctx, s.Run.ID, p.Card(s.Run))
	if post.Again {
		c = saysAgain(c)
	}
	err := p.Messenger.Edit(turn, post.Channel, post.TS, p.placed(c, s.Run, post.Channel), final(s.Run))
	if err == nil {
		err = p.closeReminders(turn, post.Channel, s.Run)
	}
	if err == nil {
		err = p.tellRestored(turn, &post, s.Run)
	}
	close(waited)
	<-watching
	if p.overtaken(ctx, s) {
		return cmp.Or(err, errOvertaken)
	}
	if err != nil {
		return err
	}
	post.Rev = s.Rev
	if err := p.setPost(ctx, s.Run.ID, post); err != nil || !linked {
		return err
	}
	return p.linked(ctx, s.Run.ID, th)
}

// post posts the run's message, c. It stores beforehand that it begins to post. If an error or a
// crash follows before the result is stored, the next attempt, by this leader or the next, knows
// that there may be two messages. It sets again, and the new message says so.
func (p *Publisher) post(ctx context.Context, s engine.Stored, at engine.Place, again bool, c card.Card) error {
	post := Post{Channel: at.Channel}
	if !again {
		if err := p.setPost(ctx, s.Run.ID, post); err != nil {
			return err
		}
	}
	c, th, linked := p.withTrail(ctx, s.Run.ID, c)
	if post.Again = again; again {
		c = saysAgain(c)
	}
	ts, err := p.Messenger.Post(ctx, at, p.placed(c, s.Run, at.Channel))
	if err != nil {
		return err
	}
	post.TS = ts
	if post.Rev = s.Rev; s.Run.BroughtBack() {
		post.Rev-- // the message counts as behind until the requester was mentioned
	}
	// Store that the message was posted, even if ctx has just ended.
	note, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteBudget)
	defer cancel()
	if err := p.setPost(note, s.Run.ID, post); err != nil {
		return err
	}
	if s.Run.BroughtBack() {
		if err := p.tellRestored(ctx, &post, s.Run); err != nil {
			return err
		}
		post.Rev = s.Rev
		if err := p.setPost(note, s.Run.ID, post); err != nil {
			return err
		}
	}
	if !linked {
		return nil
	}
	return p.linked(note, s.Run.ID, th)
}

func saysAgain(c card.Card) card.Card {
	return withFoot(c, card.T("Posted again: there may be an older copy above. This one is kept up to date."))
}

// final reports whether a run's message has priority over messages about the progress of other
// runs.
func final(r engine.Run) bool { return r.State.Ended() || r.State == engine.Unknown }

func withFoot(c card.Card, spans ...card.Span) card.Card {
	c.Foot = append(slices.Clone(c.Foot), card.Line(spans))
	return c
}
