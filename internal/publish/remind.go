package publish

import (
	"context"
	"errors"
	"slices"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/pause"
	"dhbot/internal/refusal"
)

// remindEvery is how often due reminders are checked.
const remindEvery = time.Second

// EndReminder is the number of the reminder shortly before the end of an approval. It mentions
// the approvers of the run, which is still running.
const EndReminder = -1

// Reminders configures the reminders that are sent while a run waits for votes, and before the
// end of an approval that the remaining steps need.
type Reminders struct {
	// ToCall returns the people that reminder n of a run mentions. If it returns none, the
	// reminder mentions no one.
	ToCall func(r engine.Run, n int) []engine.Callee
	// Card makes a reminder. When the run no longer waits, Over makes the card that replaces it.
	Card func(ctx context.Context, r engine.Run, n int, called []engine.Callee) card.Card
	Over func(r engine.Run, n int) card.Card
	// Note stores that a reminder was sent. It returns a *refusal.Error if the run no longer
	// accepts a reminder.
	Note func(ctx context.Context, run string, e engine.Event) error
}

// given is a posted reminder.
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

// dueReminder returns the number of the reminder that is due, or 0 if none is.
func dueReminder(r engine.Run, now time.Time) int {
	if r.EndReminderDue(now) {
		return EndReminder
	}
	return r.ReminderDue(now)
}

// reminding has the runs with possible reminders, and the reminders in progress. The
// Publisher's mu guards it.
type reminding struct {
	watched map[string]engine.Stored
	busy    map[string]bool
	// given has the reminders that were posted, but are not stored yet. They are stored later,
	// and not posted again.
	given map[string]given
	// over counts, by run, the reminders that this process has closed.
	over map[string]int
}

func newReminding() reminding {
	return reminding{
		watched: map[string]engine.Stored{}, busy: map[string]bool{}, given: map[string]given{}, over: map[string]int{},
	}
}

// see records a run's form.
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
			delete(r.given, id) // the run no longer waits for votes
		}
	default:
		delete(r.watched, id)
		delete(r.given, id)
	}
}

// remindLoop sends due reminders. Due times are computed from the stored run, and a reminder is
// stored after it was sent. After a crash between the two, the reminder is sent again with the
// same number.
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

// giveReminder posts one reminder in the thread of the run's message and stores it. After an
// error the next check retries.
func (p *Publisher) giveReminder(ctx context.Context, s engine.Stored, n int) {
	id := s.Run.ID
	post, known, err := p.Posts.Post(ctx, id)
	if err != nil || !known || post.TS == "" {
		return // the run has no message yet
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
				p.Logger.WarnContext(ctx, "a reminder could not be posted; retrying", "run", id, "err", err)
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
	var no *refusal.Error
	switch {
	case errors.As(err, &no):
		p.lateReminder(ctx, id, post.Channel, e)
	case err != nil:
		p.Logger.WarnContext(ctx, "a reminder is not stored yet; retrying", "run", id, "err", err)
	default:
		p.mu.Lock()
		delete(p.remind.given, id)
		p.mu.Unlock()
	}
}

// postReminder posts a reminder in the thread of the run's message, or in the thread that
// contains the message. If the channel refuses the reminder, the result has no message id.
func (p *Publisher) postReminder(ctx context.Context, r engine.Run, post Post, n int) (given, error) {
	e := given{n: n, called: p.Reminders.ToCall(r, n)}
	ts, err := p.Messenger.Post(ctx, beside(post, r), p.Reminders.Card(ctx, r, n, e.called))
	if errors.Is(err, ErrNoPlace) {
		return given{n: n}, nil
	}
	e.message = ts
	return e, err
}

// lateReminder closes a reminder that was posted while the run changed its state, because the
// stored run does not list this reminder.
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

// reminderOver reports whether a reminder is out of date.
func reminderOver(r engine.Run, n int) bool {
	if n == EndReminder {
		return r.State.Ended() || r.State == engine.Unknown
	}
	return r.State != engine.Waiting
}

// closeReminders edits a run's reminders to show the outcome. It is called before the run's
// message counts as up to date, so that a crash cannot skip it.
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
		delete(p.remind.over, r.ID) // no further reminders follow
	}
	return nil
}
