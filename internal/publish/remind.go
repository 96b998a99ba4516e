package publish

import (
	"context"
	"errors"
	"slices"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/pause"
)

// remindEvery is how often it is looked at which reminders are due.
const remindEvery = time.Second

// EndReminder is the number of the reminder before an approval's end: the
// approvers of a run under way are called once more.
const EndReminder = -1

// Reminders are how people are called again: while a run waits for votes, and
// before an approval ends that steps still need.
type Reminders struct {
	// ToCall returns whom reminder n of a run calls; no one where it is quiet.
	ToCall func(r engine.Run, n int) []engine.Callee
	// Card is the reminder, and Over what is left of it when the run waits no
	// more.
	Card func(ctx context.Context, r engine.Run, n int, called []engine.Callee) card.Card
	Over func(r engine.Run, n int) card.Card
	// Note stores that a reminder was given. A run that does not take it any
	// more answers with an *engine.RefusedError.
	Note func(ctx context.Context, run string, e engine.Event) error
}

// given is a reminder that stands in a channel.
type given struct {
	n       int
	message string
	called  []engine.Callee
}

func (g given) event() engine.Event {
	if g.n == EndReminder {
		return engine.EndReminded{Message: g.message, Called: g.called}
	}
	return engine.Reminded{N: g.n, Message: g.message, Called: g.called}
}

// dueReminder is the number of the reminder of a run that is due, 0 for none.
func dueReminder(r engine.Run, now time.Time) int {
	if r.EndReminderDue(now) {
		return EndReminder
	}
	return r.ReminderDue(now)
}

// reminding is which runs may be reminded of, and what of their reminders is under
// way. The Publisher's mu guards it.
type reminding struct {
	watched map[string]engine.Stored
	busy    map[string]bool
	// given are those whose note did not get into the store yet: only the note is
	// made again.
	given map[string]given
	// over is how many reminders of a run were closed by this process.
	over map[string]int
}

func newReminding() reminding {
	return reminding{
		watched: map[string]engine.Stored{}, busy: map[string]bool{}, given: map[string]given{}, over: map[string]int{},
	}
}

// see notes a run's form.
func (r *reminding) see(s engine.Stored) {
	id := s.Run.ID
	switch s.Run.State {
	case engine.Waiting, engine.Running, engine.Paused:
		if s.Rev >= r.watched[id].Rev {
			r.watched[id] = s
		}
		if s.Run.State == engine.Waiting {
			delete(r.over, id)
		} else if r.given[id].n != EndReminder {
			delete(r.given, id) // it waits for votes no more
		}
	default:
		delete(r.watched, id)
		delete(r.given, id)
	}
}

// remindLoop gives reminders when they are due. That one is due is reckoned
// from the stored run, and that it was given is stored after it was: after a
// crash in between it is given once more, under the same number.
func (p *Publisher) remindLoop(ctx context.Context) {
	if p.Reminders == nil {
		<-ctx.Done()
		return
	}
	for ; ctx.Err() == nil; pause.For(ctx, remindEvery) {
		now := p.Now()
		p.mu.Lock()
		for id, s := range p.remind.watched {
			if n := dueReminder(s.Run, now); n != 0 && !p.remind.busy[id] {
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
func (p *Publisher) giveReminder(ctx context.Context, s engine.Stored, n int) {
	id := s.Run.ID
	post, known, err := p.Posts.Post(ctx, id)
	if err != nil || !known || post.TS == "" {
		return // nothing to remind of is shown yet
	}
	if s, err = p.Runs.Get(ctx, id); err != nil {
		return
	}
	if dueReminder(s.Run, p.Now()) != n {
		p.see(ctx, s) // the watch was behind
		return
	}
	p.mu.Lock()
	e := p.remind.given[id]
	p.mu.Unlock()
	if e.n != n {
		if e, err = p.postReminder(ctx, s.Run, post, n); err != nil {
			if ctx.Err() == nil {
				p.Logger.WarnContext(ctx, "a reminder could not be posted; trying again", "run", id, "err", err)
			}
			return
		}
		p.mu.Lock()
		p.remind.given[id] = e
		p.mu.Unlock()
	}
	note, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteBudget)
	defer cancel()
	err = p.Reminders.Note(note, id, e.event())
	var no *engine.RefusedError
	switch {
	case errors.As(err, &no):
		p.lateReminder(ctx, id, post.Channel, e)
	case err != nil:
		p.Logger.WarnContext(ctx, "a reminder is not noted yet; trying again", "run", id, "err", err)
	default:
		p.mu.Lock()
		delete(p.remind.given, id)
		p.mu.Unlock()
	}
}

// postReminder puts a reminder into the thread of the run's message, or into
// the one that the message itself stands in. A channel that takes nothing makes
// it one without a message.
func (p *Publisher) postReminder(ctx context.Context, r engine.Run, post Post, n int) (given, error) {
	e := given{n: n, called: p.Reminders.ToCall(r, n)}
	ts, err := p.Messenger.Post(ctx, beside(post, r), p.Reminders.Card(ctx, r, n, e.called))
	if errors.Is(err, ErrNoPlace) {
		return given{n: n}, nil
	}
	e.message = ts
	return e, err
}

// lateReminder closes one that was posted while the run moved on: it is not among
// the run's own.
func (p *Publisher) lateReminder(ctx context.Context, id, channel string, e given) {
	st, err := p.Runs.Get(ctx, id)
	over := err == nil && reminderOver(st.Run, e.n)
	if over && e.message != "" {
		err = p.Messenger.Edit(ctx, channel, e.message, p.Reminders.Over(st.Run, e.n), false)
	}
	if err != nil && ctx.Err() == nil {
		p.Logger.WarnContext(ctx, "a late reminder was not closed", "run", id, "err", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.remind.given, id)
	if err == nil && over {
		delete(p.remind.watched, id)
	}
}

// reminderOver says that a reminder asks for nothing any more.
func reminderOver(r engine.Run, n int) bool {
	if n == EndReminder {
		return r.State.Ended() || r.State == engine.Unknown
	}
	return r.State != engine.Waiting
}

// closeReminders says in a run's reminders what became of what they asked for. It
// is done before the run's message counts as up to date, and so at least once.
func (p *Publisher) closeReminders(ctx context.Context, channel string, r engine.Run) error {
	if p.Reminders == nil {
		return nil
	}
	var over []given
	for _, m := range r.Reminders {
		over = append(over, given{n: m.N, message: m.Message})
	}
	if m := r.EndReminder; m != nil {
		over = append(over, given{n: EndReminder, message: m.Message})
	}
	over = slices.DeleteFunc(over, func(g given) bool { return !reminderOver(r, g.n) })
	p.mu.Lock()
	closed := p.remind.over[r.ID] >= len(over)
	p.mu.Unlock()
	if closed {
		return nil
	}
	for _, g := range over {
		if g.message == "" {
			continue
		}
		err := p.Messenger.Edit(ctx, channel, g.message, p.Reminders.Over(r, g.n), false)
		if err != nil && !errors.Is(err, ErrGone) {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.remind.over[r.ID] = len(over); r.State.Ended() {
		delete(p.remind.over, r.ID) // nothing comes after it
	}
	return nil
}
