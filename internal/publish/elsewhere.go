package publish

import (
	"context"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/engine"
)

// retryRefused is the time before a run is posted again after its channels refused its messages.
const retryRefused = time.Minute

// undelivered is a run that no channel accepts.
type undelivered struct {
	at    time.Time
	ended bool // the end of the run was sent to the requester
}

// elsewhere posts a run in the audit channel because the run's own channel accepts no messages,
// for example because it is archived. The message in the audit channel mentions the approvers,
// and the requester gets a link to it.
func (p *Publisher) elsewhere(ctx context.Context, s engine.Stored, cause error) error {
	p.Logger.WarnContext(ctx, "a run cannot be posted in its channel; posting it in the audit channel",
		"run", s.Run.ID, "channel", s.Run.Place.Channel, "err", cause)
	if err := p.post(ctx, s, engine.Place{Channel: p.AuditChannel}, false, p.First(ctx, s.Run)); err != nil {
		return err
	}
	link, err := p.messageLink(ctx, s.Run.ID)
	if err != nil {
		p.Logger.WarnContext(ctx, "the link to a run's message is unknown", "run", s.Run.ID, "err", err)
	}
	p.tell(ctx, s.Run, p.Elsewhere(s.Run, link))
	return nil
}

// placed explains in a card why the card is not in the channel of the request.
func (p *Publisher) placed(c card.Card, r engine.Run, channel string) card.Card {
	if channel == r.Place.Channel {
		return c
	}
	return withFoot(c, card.T("Posted here because the bot can't post in the channel of the request."))
}

// unseen tells the requester that a run has no visible message, once at its beginning and once at
// its end. It withdraws a run that waits for approval.
func (p *Publisher) unseen(ctx context.Context, r engine.Run) {
	p.mu.Lock()
	told, known := p.refused[r.ID]
	p.refused[r.ID] = undelivered{at: p.Now(), ended: r.State.Ended()}
	p.mu.Unlock()
	if known && told.ended == r.State.Ended() {
		return
	}
	withdrawn := r.State == engine.Waiting
	if withdrawn {
		if err := p.Withdraw(ctx, r); err != nil {
			p.Logger.ErrorContext(ctx, "a request without a visible message was not withdrawn", "run", r.ID, "err", err)
			withdrawn = false
		} else {
			// The message that is sent below says that the run was withdrawn, so the end of the run
			// needs no second message.
			p.mu.Lock()
			p.refused[r.ID] = undelivered{at: p.Now(), ended: true}
			p.mu.Unlock()
		}
	}
	p.tell(ctx, r, p.Unseen(r, withdrawn))
}

func (p *Publisher) tell(ctx context.Context, r engine.Run, c card.Card) {
	if err := p.Messenger.TellRequester(ctx, r, c); err != nil && ctx.Err() == nil {
		p.Logger.ErrorContext(ctx, "the requester was not told where their run is posted", "run", r.ID, "err", err)
	}
}

// refusedLately reports whether all channels refused a run recently.
func (p *Publisher) refusedLately(run string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	r, ok := p.refused[run]
	return ok && p.Now().Sub(r.at) < retryRefused
}
