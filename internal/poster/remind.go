package poster

import (
	"cmp"
	"context"
	"errors"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/engine"
)

// remindEvery is how often it is looked at which reminders are due.
const remindEvery = time.Second

// Reminders are how people are called again while a run waits for votes.
type Reminders struct {
	// ToCall is whom reminder n of a run calls; nobody where one is quiet.
	ToCall func(r engine.Run, n int) []engine.Callee
	// Card is the reminder, and Over what is left of it when the run waits no
	// more.
	Card func(r engine.Run, n int, called []engine.Callee) card.Card
	Over func(r engine.Run, n int) card.Card
	// Note stores that a reminder was given. A run that does not take it any
	// more answers with an *engine.RefusedError.
	Note func(ctx context.Context, run string, e engine.Reminded) error
}

// reminding is which runs wait for votes, and what of their reminders is under
// way. The Poster's mu guards it.
type reminding struct {
	waiting map[string]engine.Stored
	busy    map[string]bool
	// given are reminders that stand in a channel and whose note did not get
	// into the store yet: only the note is made again.
	given map[string]engine.Reminded
	// over are runs whose reminders were closed by this process.
	over map[string]bool
}

func newReminding() reminding {
	return reminding{
		waiting: map[string]engine.Stored{}, busy: map[string]bool{}, given: map[string]engine.Reminded{}, over: map[string]bool{},
	}
}

// see notes a run's form.
func (r *reminding) see(s engine.Stored) {
	id := s.Run.ID
	switch {
	case s.Run.State == engine.Waiting:
		if s.Rev >= r.waiting[id].Rev {
			r.waiting[id] = s
		}
		delete(r.over, id)
	default:
		delete(r.waiting, id)
		delete(r.given, id)
	}
}

// remindLoop gives reminders when they are due. That one is due is reckoned
// from the stored run, and that it was given is stored after it was: after a
// crash in between it is given once more, under the same number.
func (p *Poster) remindLoop(ctx context.Context) {
	if p.Reminders == nil {
		<-ctx.Done()
		return
	}
	for ; ctx.Err() == nil; pause(ctx, remindEvery) {
		now := p.Now()
		p.mu.Lock()
		for id, s := range p.remind.waiting {
			if n := s.Run.ReminderDue(now); n > 0 && !p.remind.busy[id] {
				p.remind.busy[id] = true
				p.work.Go(func() {
					p.giveReminder(ctx, s, n)
					p.mu.Lock()
					defer p.mu.Unlock()
					delete(p.remind.busy, id)
				})
			}
		}
		p.mu.Unlock()
	}
}

// giveReminder posts one reminder beside the run's message and notes it. What
// fails is tried again at the next look.
func (p *Poster) giveReminder(ctx context.Context, s engine.Stored, n int) {
	id := s.Run.ID
	post, known, err := p.Posts.Post(ctx, id)
	if err != nil || !known || post.TS == "" {
		return // nothing to remind of is shown yet
	}
	if s, err = p.Runs.Get(ctx, id); err != nil {
		return
	}
	if s.Run.ReminderDue(p.Now()) != n {
		p.see(ctx, s) // the watch was behind
		return
	}
	p.mu.Lock()
	e, given := p.remind.given[id]
	p.mu.Unlock()
	if !given || e.N < n {
		if e, err = p.postReminder(ctx, s.Run, post, n); err != nil {
			if ctx.Err() == nil {
				p.Logger.Warn("a reminder could not be posted; trying again", "run", id, "err", err)
			}
			return
		}
		p.mu.Lock()
		p.remind.given[id] = e
		p.mu.Unlock()
	}
	note, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteBudget)
	defer cancel()
	err = p.Reminders.Note(note, id, e)
	var no *engine.RefusedError
	switch {
	case errors.As(err, &no):
		p.lateReminder(ctx, id, post.Channel, e)
	case err != nil:
		p.Logger.Warn("a reminder is not noted yet; trying again", "run", id, "err", err)
	default:
		p.mu.Lock()
		delete(p.remind.given, id)
		p.mu.Unlock()
	}
}

// postReminder puts a reminder into the thread of the run's message, or into
// the one that the message itself stands in. A channel that takes nothing makes
// it one without a message.
func (p *Poster) postReminder(ctx context.Context, r engine.Run, post Post, n int) (engine.Reminded, error) {
	e := engine.Reminded{N: n, Called: p.Reminders.ToCall(r, n)}
	at := engine.Place{Channel: post.Channel, Thread: cmp.Or(r.Place.Thread, post.TS)}
	ts, err := p.Board.Post(ctx, at, p.Reminders.Card(r, n, e.Called))
	if errors.Is(err, ErrNoPlace) {
		return engine.Reminded{N: n}, nil
	}
	e.Message = ts
	return e, err
}

// lateReminder closes one that was posted while the run came to be decided: it
// is not among the run's own.
func (p *Poster) lateReminder(ctx context.Context, id, channel string, e engine.Reminded) {
	st, err := p.Runs.Get(ctx, id)
	if err == nil && e.Message != "" && st.Run.State != engine.Waiting {
		err = p.Board.Edit(ctx, channel, e.Message, p.Reminders.Over(st.Run, e.N), false)
	}
	if err != nil && ctx.Err() == nil {
		p.Logger.Warn("a late reminder was not closed", "run", id, "err", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.remind.given, id)
	if err == nil && st.Run.State != engine.Waiting {
		delete(p.remind.waiting, id)
	}
}

// closeReminders says in a run's reminders that it waits no more. It is done
// before the run's message counts as up to date, and so at least once.
func (p *Poster) closeReminders(ctx context.Context, channel string, r engine.Run) error {
	p.mu.Lock()
	closed := p.remind.over[r.ID]
	p.mu.Unlock()
	if p.Reminders == nil || r.State == engine.Waiting || len(r.Reminders) == 0 || closed {
		return nil
	}
	for _, m := range r.Reminders {
		if m.Message == "" {
			continue
		}
		err := p.Board.Edit(ctx, channel, m.Message, p.Reminders.Over(r, m.N), false)
		if err != nil && !errors.Is(err, ErrGone) {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.remind.over[r.ID] = true; r.State.Ended() {
		delete(p.remind.over, r.ID) // nothing comes after it
	}
	return nil
}
