package slackio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"dhbot/handlers"
	"dhbot/internal/card"
	"dhbot/internal/poster"
)

// What people are told where a delivery is not taken on.
const (
	sayBusy     = "Busy: this was not accepted, and nothing was done. Please try again in a minute."
	sayStopping = "The bot is just stopping: this was not accepted, and nothing was done. Please try again in a minute."
	sayUnstored = "The state store does not answer, so this is not recorded: what only reads is answered all the same, everything else is refused."
)

// accept takes an envelope off the reading goroutine: it never blocks. Every
// delivery that is taken on holds one of a fixed number of slots until it is
// handled, so nothing grows without bound.
func (e *Edge) accept(l *life, ev socketmode.Event) {
	if ev.Request == nil {
		return
	}
	id := ev.Request.EnvelopeID
	d, ok := decode(ev, e.self(), e.now())
	if a, opened := homeOpened(ev); opened && e.onHome != nil {
		e.onHome(a)
	}
	if echo, own := echoOf(ev, e.self()); own && e.onEcho != nil {
		e.onEcho(echo)
	}
	if !ok {
		e.ackLater(l, ack{id: id})
		return
	}
	select {
	case e.slots <- struct{}{}:
	default:
		e.turnAway(l, id, d, sayBusy)
		return
	}
	if !e.door.enter() {
		<-e.slots
		e.turnAway(l, id, d, sayStopping)
		return
	}
	e.crew.Go(func() {
		defer e.door.leave()
		defer func() { <-e.slots }()
		e.take(l, id, d)
	})
}

// take claims a delivery, acks it, and hands it to the handler. A redelivery
// is acked and dropped.
func (e *Edge) take(l *life, id string, d *delivery) {
	if d.Via == handlers.Slash && e.onlyReads != nil && e.onlyReads(d.message(unclaimed, room{})) {
		e.ack(l.work, l, ack{id: id})
		e.door.acked()
		e.handle(l.work, d, unclaimed)
		return
	}
	first, claimErr := e.claim(l.work, d)
	if claimErr != nil {
		e.log.Error("a delivery could not be claimed; it is handled as unrecorded", "key", d.Key, "err", claimErr)
	}
	e.ack(l.work, l, ack{id: id, payload: ackPayload(d, claimErr != nil)})
	e.door.acked()
	if claimErr == nil && !first {
		e.log.Info("a redelivery was dropped", "key", d.Key)
		return
	}
	held := claimed
	if claimErr != nil {
		held = unstored
	}
	e.handle(l.work, d, held)
}

// claim makes a delivery durable within its budget.
func (e *Edge) claim(ctx context.Context, d *delivery) (first bool, err error) {
	payload, err := json.Marshal(d)
	if err != nil {
		return false, fmt.Errorf("encoding the delivery: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, claimBudget, errors.New("the state store did not answer within a second"))
	defer cancel()
	return e.claims.Claim(ctx, d.Key, payload)
}

// ackPayload is what goes with an ack: nothing, or that this is unrecorded,
// where Slack shows it to the person.
func ackPayload(d *delivery, unstored bool) any {
	if !unstored {
		return nil
	}
	return sayInAck(d, sayUnstored)
}

// sayInAck puts a text into an ack, where its kind can carry one.
func sayInAck(d *delivery, text string) any {
	switch {
	case d.Via == handlers.Slash:
		return map[string]any{"response_type": slack.ResponseTypeEphemeral, "text": text}
	case d.Via == handlers.Form && d.firstInput != "":
		return slack.NewErrorsViewSubmissionResponse(map[string]string{d.firstInput: text})
	default:
		return nil
	}
}

// ack sends an ack on the envelope's own connection, and where that has ended
// on the next that lives.
func (e *Edge) ack(ctx context.Context, l *life, a ack) {
	ctx, cancel := context.WithTimeout(ctx, e.ackTimeout)
	defer cancel()
	var err error
	select {
	case <-l.over:
		select {
		case e.late <- a:
		case <-ctx.Done():
			err = ctx.Err()
		}
	default:
		err = l.client.AckCtx(ctx, a.id, a.payload)
	}
	if err != nil {
		e.log.Error("a delivery was not acked in time; Slack may show a time-out though it is handled", "err", err)
	}
}

// ackLater queues an ack that nobody waits for. If even that queue is full
// Slack will deliver an event again, which does no harm.
func (e *Edge) ackLater(l *life, a ack) {
	select {
	case l.plain <- a:
	default:
		e.log.Warn("too many acks are waiting; one was dropped")
	}
}

// turnAway tells a person that a delivery is not accepted.
func (e *Edge) turnAway(l *life, id string, d *delivery, text string) {
	e.log.Warn("a delivery was turned away", "key", d.Key, "why", text)
	payload := sayInAck(d, text)
	e.ackLater(l, ack{id: id, payload: payload})
	if payload != nil {
		return
	}
	select {
	case e.notices <- notice{d, text}:
	default:
		e.log.Error("a person could not be told that the bot is busy: too many are waiting", "key", d.Key)
	}
}

// notice is a word to one person that no ack could carry.
type notice struct {
	d    *delivery
	text string
}

func (e *Edge) sendNotices(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case n := <-e.notices:
			c := card.Card{Push: n.text, Head: card.Line{card.T(n.text)}}
			if err := e.whisper(ctx, n.d, c); err != nil && ctx.Err() == nil {
				e.log.Error("a person could not be told that the bot is busy", "err", err)
			}
		}
	}
}

// handle waits for one of the workers' seats, calls the handler, and settles
// the claim of what was handled.
func (e *Edge) handle(ctx context.Context, d *delivery, held standing) {
	at := e.roomOf(ctx, d)
	e.seats <- struct{}{}
	leave := sync.OnceFunc(func() { <-e.seats })
	defer leave()
	budget, cancel := context.WithTimeoutCause(ctx, handlerBudget, errors.New("handling took longer than "+handlerBudget.String()))
	defer cancel()
	settled := e.handler(budget, d.message(held, at), &reply{edge: e, d: d, leave: leave})
	leave()
	// A claim that seemed to fail may have been made all the same; the person
	// was told that it does not count, and so it must not be taken up later.
	if !settled && held != unclaimed && ctx.Err() == nil {
		e.settle(ctx, d.Key)
	}
}

// settle marks a delivery as handled, for as long as that takes a store that
// does not answer. A delivery that never is gets handled once more after the
// next start, which repeats an answer and nothing else.
func (e *Edge) settle(ctx context.Context, key string) {
	backoff := newBackoff()
	for until := e.now().Add(settleBudget); ; {
		err := e.settleOnce(ctx, key)
		if err == nil || ctx.Err() != nil || e.now().After(until) {
			if err != nil {
				e.log.Error("a handled delivery is not settled; it will be handled again after the next start", "key", key, "err", err)
			}
			return
		}
		delay, _ := backoff.Next()
		_ = sleep(ctx, delay) // its end shows above
	}
}

func (e *Edge) settleOnce(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, claimBudget, errors.New("the state store did not answer within a second"))
	defer cancel()
	return e.claims.Settle(ctx, key)
}

// roomOf says whether outsiders see the channel of a delivery, and whether the
// bot is in it. If nobody knows, outsiders do; Slack hides private channels
// from a bot that is not in them.
func (e *Edge) roomOf(ctx context.Context, d *delivery) room {
	if d.Channel == "" {
		return room{shared: d.Shared, member: true}
	}
	shared, member, err := e.Channel(ctx, d.Channel, channelAge)
	if err == nil && !member { // it may have been invited just now
		shared, member, err = e.Channel(ctx, d.Channel, 0)
	}
	if err != nil {
		e.log.Warn("whether a channel is shared is unknown; it is taken to be", "channel", d.Channel, "err", err)
		return room{shared: true, member: !errors.Is(err, poster.ErrNoPlace)}
	}
	return room{shared: shared || d.Shared, member: member}
}

// Resume handles a delivery that was claimed under key but not handled, by a
// process that is gone: payload is what Claim was given. It returns when the
// handler has; the trigger of a form is void by then.
func (e *Edge) Resume(ctx context.Context, key string, payload []byte) error {
	d, err := restore(payload)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	if d.Key != key {
		return fmt.Errorf("%s: the stored delivery is of %s", key, d.Key)
	}
	select {
	case e.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-e.slots }()
	e.handle(ctx, d, claimed)
	return nil
}

// door counts the deliveries inside, and when it is closed lets no more in.
type door struct {
	mu     sync.Mutex
	closed bool
	unack  int // entered, not yet acked
	inside int
	change chan struct{} // closed and renewed at every leave
}

func (d *door) enter() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.inside++
	d.unack++
	return true
}

func (d *door) acked() { d.note(func() { d.unack-- }) }
func (d *door) leave() { d.note(func() { d.inside-- }) }
func (d *door) close() { d.note(func() { d.closed = true }) }

func (d *door) note(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f()
	close(d.change)
	d.change = make(chan struct{})
}

// wait returns when done says so of the numbers, or ctx ends.
func (d *door) wait(ctx context.Context, done func(unack, inside int) bool) {
	for {
		d.mu.Lock()
		ok, change := done(d.unack, d.inside), d.change
		d.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-change:
		case <-ctx.Done():
			return
		}
	}
}
