package poster

import (
	"context"
	"errors"
	"slices"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/engine"
)

// noteBudget bounds the noting of something that has been posted.
const noteBudget = 5 * time.Second

// track is a run whose message is behind. It has one goroutine, which ends
// when the message shows the newest revision seen.
type track struct {
	latest engine.Stored
	newer  chan struct{} // closed and renewed when latest changes
	again  bool          // look once more, though the revision is no other
}

// seeAgain has a run's message looked at though its revision may be shown: there
// is something else to show with it.
func (p *Poster) seeAgain(ctx context.Context, s engine.Stored) {
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

// see notes a run's form; only the newest counts.
func (p *Poster) see(ctx context.Context, s engine.Stored) {
	if s.Run.Place.Channel == "" {
		return // asked for in a terminal: there is no message
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

// follow brings one run's message up to date.
func (p *Poster) follow(ctx context.Context, id string, t *track) {
	backoff := newBackoff()
	var done int64 // the revision that the message shows, or that is given up
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
		case superseded(newer):
		case errors.Is(err, ErrNoPlace):
			// Listed again within a minute, should the bot be invited.
			p.Logger.Error("a run cannot be shown in its channel", "run", id, "channel", s.Run.Place.Channel, "err", err)
			done = s.Rev
		default:
			delay, _ := backoff.Next()
			p.Logger.Warn("a run's message is not up to date; trying again", "run", id, "in", delay.Round(time.Millisecond), "err", err)
			pause(ctx, delay)
		}
	}
}

// next is the newest form of a run that the message does not show; if there is
// none the track is over.
func (p *Poster) next(id string, t *track, done int64) (s engine.Stored, newer <-chan struct{}, more bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t.latest.Rev <= done && !t.again {
		delete(p.tracks, id)
		return engine.Stored{}, nil, false
	}
	t.again = false
	return t.latest, t.newer, true
}

func (p *Poster) drop(id string) {
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

// bring makes the run's message show s. An edit that still waits for its turn
// when a newer form is seen is given up for that one.
func (p *Poster) bring(ctx context.Context, s engine.Stored, newer <-chan struct{}) error {
	post, known, err := p.Posts.Post(ctx, s.Run.ID)
	if err != nil {
		return err
	}
	switch {
	case known && post.Rev >= s.Rev && post.TS != "" && !p.unlinked(ctx, s.Run.ID):
		return nil
	case known && post.TS != "":
		err = p.edit(ctx, post, s, newer)
		if !errors.Is(err, ErrGone) {
			return err
		}
		p.Logger.Warn("a run's message is gone; posting it anew", "run", s.Run.ID)
		return p.post(ctx, s, false)
	default:
		return p.post(ctx, s, known)
	}
}

func (p *Poster) edit(ctx context.Context, post Post, s engine.Stored, newer <-chan struct{}) error {
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
	err := p.Board.Edit(turn, post.Channel, post.TS, c, final(s.Run))
	if err == nil {
		err = p.closeReminders(turn, post.Channel, s.Run)
	}
	close(waited)
	<-watching
	if err != nil {
		return err
	}
	post.Rev = s.Rev
	if err := p.Posts.SetPost(ctx, s.Run.ID, post); err != nil || !linked {
		return err
	}
	return p.linked(ctx, s.Run.ID, th)
}

// post puts the run's message. That it is begun is stored first: should its
// end never be, whoever comes next knows that there may be two, and says so in
// the one that is kept up to date.
func (p *Poster) post(ctx context.Context, s engine.Stored, again bool) error {
	post := Post{Channel: s.Run.Place.Channel}
	if !again {
		if err := p.Posts.SetPost(ctx, s.Run.ID, post); err != nil {
			return err
		}
	}
	c, th, linked := p.withTrail(ctx, s.Run.ID, p.First(s.Run))
	if post.Again = again; again {
		c = saysAgain(c)
	}
	ts, err := p.Board.Post(ctx, s.Run.Place, c)
	if err != nil {
		return err
	}
	post.TS, post.Rev = ts, s.Rev
	// The message stands: that is noted even if ctx has just ended.
	note, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteBudget)
	defer cancel()
	if err := p.Posts.SetPost(note, s.Run.ID, post); err != nil || !linked {
		return err
	}
	return p.linked(note, s.Run.ID, th)
}

func saysAgain(c card.Card) card.Card {
	return withFoot(c, card.T("Posted again: an older copy of this may stand above. This one is kept up to date."))
}

// final says that a run's message matters more than the progress of others.
func final(r engine.Run) bool { return r.State.Ended() || r.State == engine.Unknown }

func withFoot(c card.Card, spans ...card.Span) card.Card {
	c.Foot = append(slices.Clone(c.Foot), card.Line(spans))
	return c
}
