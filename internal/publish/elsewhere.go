package publish

import (
	"context"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/engine"
)

// retryRefused is how long a run whose channels take no messages is left alone.
const retryRefused = time.Minute

// refusal is a run that no channel takes.
type refusal struct {
	at    time.Time
	ended bool // its end was sent to the requester
}

// elsewhere shows a run in the audit channel because its own takes no messages:
// archived, or only some may post there. The message there calls the approvers,
// and the requester gets a link to it.
func (p *Publisher) elsewhere(ctx context.Context, s engine.Stored, cause error) error {
	p.Logger.WarnContext(ctx, "a run cannot be shown in its channel; showing it in the audit channel",
		"run", s.Run.ID, "channel", s.Run.Place.Channel, "err", cause)
	if err := p.post(ctx, s, engine.Place{Channel: p.AuditChannel}, false, p.First(ctx, s.Run)); err != nil {
		return err
	}
	link, err := p.messageLink(ctx, s.Run.ID)
	if err != nil {
		p.Logger.WarnContext(ctx, "the link of a run's message is not known", "run", s.Run.ID, "err", err)
	}
	p.tell(ctx, s.Run, p.Elsewhere(s.Run, link))
	return nil
}

// placed says in a card why it does not stand where it was asked for.
func (p *Publisher) placed(c card.Card, r engine.Run, channel string) card.Card {
	if channel == r.Place.Channel {
		return c
	}
	return withFoot(c, card.T("Shown here because the channel it was asked for in takes no messages from me."))
}

// unseen tells the requester that no one can see a run, at its beginning and at
// its end, and withdraws one that waits for votes.
func (p *Publisher) unseen(ctx context.Context, r engine.Run) {
	p.mu.Lock()
	told, known := p.refused[r.ID]
	p.refused[r.ID] = refusal{at: p.Now(), ended: r.State.Ended()}
	p.mu.Unlock()
	if known && told.ended == r.State.Ended() {
		return
	}
	withdrawn := r.State == engine.Waiting
	if withdrawn {
		if err := p.Withdraw(ctx, r); err != nil {
			p.Logger.ErrorContext(ctx, "a request that nobody can see was not withdrawn", "run", r.ID, "err", err)
			withdrawn = false
		} else {
			p.mu.Lock()
			p.refused[r.ID] = refusal{at: p.Now(), ended: true} // this is its end
			p.mu.Unlock()
		}
	}
	p.tell(ctx, r, p.Unseen(r, withdrawn))
}

func (p *Publisher) tell(ctx context.Context, r engine.Run, c card.Card) {
	if err := p.Messenger.TellRequester(ctx, r, c); err != nil && ctx.Err() == nil {
		p.Logger.ErrorContext(ctx, "the requester was not told where their run is shown", "run", r.ID, "err", err)
	}
}

// refusedLately reports whether a run found no channel a moment ago.
func (p *Publisher) refusedLately(run string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	r, ok := p.refused[run]
	return ok && p.Now().Sub(r.at) < retryRefused
}
