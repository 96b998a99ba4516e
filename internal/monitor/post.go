package monitor

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/incident"
	"dhbot/internal/publish"
)

// form is the current form of a message. Two forms with the same sign have the same content.
type form struct {
	card  card.Card
	sign  string
	final bool
	// muted means that nothing is posted in the thread. The message itself is still updated.
	muted bool
}

// updatePost updates a message and its thread. shown is the sign of the form that the message
// shows, or "" if that is unknown. updatePost calls keep to store what was posted.
func (l *Monitor) updatePost(
	ctx context.Context, m *incident.Message, now form, shown *string,
	note func(c incident.Change, n int) card.Card, keep func(context.Context) error,
) error {
	ctx, cancel := context.WithTimeoutCause(ctx, tellBudget, errors.New("the rate limits allowed no post in time"))
	defer cancel()
	if m.TS == "" {
		if err := l.post(ctx, m, now, keep); err != nil {
			return err
		}
		*shown = now.sign
	}
	for c, n, more := m.NextNote(); more; c, n, more = m.NextNote() {
		at := engine.Place{Channel: m.Channel, Thread: cmp.Or(m.Thread, m.TS)}
		if !now.muted {
			if _, err := l.Messenger.Post(ctx, at, note(c, n)); err != nil {
				return err
			}
		}
		m.NoteTold()
		if err := l.noted(ctx, keep); err != nil {
			return err
		}
	}
	if *shown == now.sign {
		return nil
	}
	err := l.Messenger.Edit(ctx, m.Channel, m.TS, now.card, now.final)
	if err == nil {
		*shown = now.sign
	}
	return err
}

// post posts the message. It stores beforehand that it begins to post. If a crash follows before
// the result is stored, the next leader knows that there may be two messages, and says so.
func (l *Monitor) post(ctx context.Context, m *incident.Message, now form, keep func(context.Context) error) error {
	c := now.card
	if m.Begun {
		c.Foot = append(slices.Clone(c.Foot), card.Line{card.T("Posted again: there may be an older copy above. This one is kept up to date.")})
	} else {
		m.Begun = true
		if err := keep(ctx); err != nil {
			return err
		}
	}
	ts, err := l.Messenger.Post(ctx, engine.Place{Channel: m.Channel, Thread: m.Thread}, c)
	if err != nil {
		return err
	}
	m.TS = ts
	return l.noted(ctx, keep)
}

// noted stores that something was posted, even if ctx has just ended.
func (l *Monitor) noted(ctx context.Context, keep func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteBudget)
	defer cancel()
	return keep(ctx)
}

// permanent reports whether a retry cannot help.
func permanent(err error) bool {
	return errors.Is(err, publish.ErrGone) || errors.Is(err, publish.ErrNoPlace)
}
