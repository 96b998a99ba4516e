package slackio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"dhbot/handlers/call"
	"dhbot/internal/card"
	"dhbot/internal/logging"
	"dhbot/internal/pause"
	"dhbot/internal/publish"
	"dhbot/internal/tracing"
)

// Answers to a delivery that is not accepted.
const (
	sayBusy     = "Busy: this was not accepted, and nothing was done. Please try again in a minute."
	sayStopping = "The bot is stopping: this was not accepted, and nothing was done. Please try again in a minute."
	sayTooLong  = "This is longer than the longest command (32 KiB): nothing was done. Commands are one line; `help` lists them."
	sayUnstored = "The state store does not answer, so your request is not recorded: reads are still answered, everything else is refused."
)

// maxCommand is the largest command, in bytes: a stored delivery must fit into a transaction of the
// store.
const maxCommand = 32 << 10

// accept takes an envelope from the reading goroutine and never blocks. Every accepted delivery
// holds one of a fixed number of slots until it is handled, so memory is bounded.
func (e *Edge) accept(l *connection, ev socketmode.Event) {
	if ev.Request == nil {
		return
	}
	id := ev.Request.EnvelopeID
	d, ok := decode(ev, e.self(), slackClock{e.now(), e.watch.Ahead()})
	if a, opened := homeOpened(ev); opened && e.onHome != nil {
		e.onHome(a)
	}
	if echo, own := roundTripOf(ev, e.self()); own && e.onRoundTrip != nil {
		e.onRoundTrip(echo)
	}
	if !ok {
		e.ackLater(l, ack{id: id})
		return
	}
	if why := e.noAnswer(); why != "" {
		e.reject(l, id, d, why)
		return
	}
	if len(d.Text) > maxCommand {
		e.reject(l, id, d, sayTooLong)
		return
	}
	if !e.known(d.Account) && !e.strangers.allow(d.Account.User) {
		e.ackLater(l, ack{id: id}) // only the first refused read is announced
		return
	}
	read := e.isRead(d)
	if read && !e.admitRead(l, id, d) {
		return
	}
	if !e.admit(l, id, d) {
		if read {
			e.reads.leave(d.Account.User)
		}
		return
	}
	d.received = e.now()
	e.workers.Go(func() {
		defer e.drain.leave()
		defer func() { <-e.workerSem }()
		if read {
			defer e.endRead(d)
		}
		ctx, span := tracing.BeginCommand(l.work, d.Key)
		defer span.End()
		e.take(ctx, l, id, d, read && d.Via == call.Slash)
	})
}

// admitRead counts a read against its person's limit. It answers the first refused read.
// Further refused reads get no answer.
func (e *Edge) admitRead(l *connection, id string, d *delivery) bool {
	ok, n := e.reads.enter(d.Account.User)
	if ok {
		return true
	}
	if n == 1 {
		e.reject(l, id, d, sayTooManyReads)
	} else {
		e.ackLater(l, ack{id: id})
	}
	return false
}

// admit reserves a slot for a delivery, or rejects it.
func (e *Edge) admit(l *connection, id string, d *delivery) bool {
	select {
	case e.workerSem <- struct{}{}:
	default:
		e.reject(l, id, d, sayBusy)
		return false
	}
	if !e.drain.enter() {
		<-e.workerSem
		e.reject(l, id, d, sayStopping)
		return false
	}
	return true
}

// take claims a delivery unless free is set, acknowledges it, and calls the handler. It acknowledges
// and drops a redelivery.
func (e *Edge) take(ctx context.Context, l *connection, id string, d *delivery, free bool) {
	if free {
		e.ack(ctx, l, ack{id: id, received: d.received})
		e.drain.acked()
		e.handle(ctx, d, unclaimed)
		return
	}
	first, claimErr := e.claim(ctx, d)
	if claimErr != nil {
		e.log.ErrorContext(ctx, "a delivery could not be claimed; it is handled without a record, so only a read is answered", "err", claimErr)
	}
	e.ack(ctx, l, ack{id: id, payload: ackPayload(d, claimErr != nil), received: d.received})
	e.drain.acked()
	if claimErr == nil && !first {
		e.log.InfoContext(ctx, "a redelivery was dropped")
		return
	}
	held := claimed
	if claimErr != nil {
		held = unstored
	}
	e.handle(ctx, d, held)
}

// claim stores a delivery within its time limit.
func (e *Edge) claim(ctx context.Context, d *delivery) (first bool, err error) {
	payload, err := json.Marshal(d)
	if err != nil {
		return false, fmt.Errorf("encoding the delivery: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, claimBudget, errors.New("the state store did not answer within a second"))
	defer cancel()
	return e.claims.Claim(ctx, d.Key, payload)
}

// ackPayload is the payload of an acknowledgement: nothing, or the note that the command is not
// recorded, if Slack shows it to the person.
func ackPayload(d *delivery, unstored bool) any {
	if !unstored {
		return nil
	}
	return sayInAck(d, sayUnstored)
}

// sayInAck puts a text into the acknowledgement of a delivery, if Slack shows such a text for
// this kind of delivery.
func sayInAck(d *delivery, text string) any {
	switch {
	case d.Via == call.Slash:
		return map[string]any{"response_type": slack.ResponseTypeEphemeral, "text": text}
	case d.Via == call.Form && d.firstInput != "":
		return slack.NewErrorsViewSubmissionResponse(map[string]string{d.firstInput: text})
	default:
		return nil
	}
}

// ack sends an acknowledgement on the envelope's own connection or, if that has ended, on the next
// live one.
func (e *Edge) ack(ctx context.Context, l *connection, a ack) {
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
		e.log.ErrorContext(ctx, "a delivery was not acknowledged in time; Slack may show a time-out although it is handled", "err", err)
		return
	}
	e.observer.Acked(e.now().Sub(a.received))
}

// ackLater queues an acknowledgement, so that no goroutine waits for it. If the queue is full,
// Slack redelivers the event, which does no harm.
func (e *Edge) ackLater(l *connection, a ack) {
	select {
	case l.plain <- a:
	default:
		e.log.Warn("too many acknowledgements are waiting; one was dropped")
	}
}

// reject answers a delivery that is not accepted.
func (e *Edge) reject(l *connection, id string, d *delivery, text string) {
	e.log.Warn("a delivery was refused", logging.CommandKey, d.Key, "why", text)
	payload := sayInAck(d, text)
	e.ackLater(l, ack{id: id, payload: payload})
	if payload != nil {
		return
	}
	select {
	case e.notices <- notice{d, text}:
	default:
		e.log.Error("a person could not be told that the bot is busy: too many such messages are waiting", logging.CommandKey, d.Key)
	}
}

// notice is a message to one person that no acknowledgement could carry.
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
			if err := e.notify(ctx, n.d, c); err != nil && ctx.Err() == nil {
				e.log.ErrorContext(ctx, "a person could not be told that the bot is busy", "err", err)
			}
		}
	}
}

// handle waits for a worker, calls the handler, and settles the claim afterwards.
func (e *Edge) handle(ctx context.Context, d *delivery, held durability) {
	at := e.channelFactsOf(ctx, d)
	e.inflightSem <- struct{}{}
	leave := sync.OnceFunc(func() { <-e.inflightSem })
	defer leave()
	budget, cancel := context.WithTimeoutCause(ctx, handlerBudget, &call.TooLong{After: handlerBudget})
	defer cancel()
	defer e.watchSlow(d)()
	settled := e.handler(budget, d.message(held, at), &reply{edge: e, d: d, leave: leave})
	leave()
	// A claim that failed may be stored all the same. The person was told that it does not count,
	// so it must not be resumed later.
	if !settled && held != unclaimed && ctx.Err() == nil {
		e.settle(ctx, d.Key)
	}
}

// settle marks a delivery as handled, and retries while the store does not answer. An unmarked
// delivery is handled once more after the next start, which only repeats an answer.
func (e *Edge) settle(ctx context.Context, key string) {
	backoff := newBackoff()
	for until := e.now().Add(settleBudget); ; {
		err := e.settleOnce(ctx, key)
		if err == nil || ctx.Err() != nil || e.now().After(until) {
			if err != nil {
				e.log.ErrorContext(ctx, "a handled delivery is not settled; it will be handled again after the next start", logging.CommandKey, key, "err", err)
			}
			return
		}
		delay, _ := backoff.Next()
		pause.For(ctx, delay) // the loop condition checks whether ctx has ended
	}
}

func (e *Edge) settleOnce(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, claimBudget, errors.New("the state store did not answer within a second"))
	defer cancel()
	return e.claims.Settle(ctx, key)
}

// channelFactsOf reports whether outsiders see the channel of a delivery, and whether the bot is
// a member. If Slack does not answer this, outsiders are assumed. Slack hides private channels
// from a bot that is not a member.
func (e *Edge) channelFactsOf(ctx context.Context, d *delivery) channelFacts {
	if d.Channel == "" {
		return channelFacts{shared: d.Shared, member: true}
	}
	shared, member, err := e.Channel(ctx, d.Channel, channelAge)
	if err == nil && !member { // the bot may just have been invited
		shared, member, err = e.Channel(ctx, d.Channel, 0)
	}
	if err != nil {
		e.log.WarnContext(ctx, "it is unknown whether a channel is shared; assuming that it is", "channel", d.Channel, "err", err)
		return channelFacts{shared: true, member: !errors.Is(err, publish.ErrNoPlace)}
	}
	return channelFacts{shared: shared || d.Shared, member: member}
}

// Resume handles a delivery that an earlier process claimed under key but did not handle. payload
// is what that process passed to Claim. Resume returns when the handler has returned. A form cannot
// be opened, because the trigger has expired.
func (e *Edge) Resume(ctx context.Context, key string, payload []byte) error {
	d, err := restore(payload)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	if d.Key != key {
		return fmt.Errorf("%s: the stored delivery has the key %s", key, d.Key)
	}
	select {
	case e.workerSem <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-e.workerSem }()
	ctx, span := tracing.BeginCommand(ctx, d.Key)
	defer span.End()
	e.handle(ctx, d, claimed)
	return nil
}

// drainGate counts the deliveries in progress. When it is closed, it admits no more deliveries.
type drainGate struct {
	mu     sync.Mutex
	closed bool
	unack  int // entered, not yet acked
	inside int
	change chan struct{} // closed and replaced at every leave
}

func (d *drainGate) enter() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.inside++
	d.unack++
	return true
}

func (d *drainGate) acked() { d.note(func() { d.unack-- }) }
func (d *drainGate) leave() { d.note(func() { d.inside-- }) }
func (d *drainGate) close() { d.note(func() { d.closed = true }) }

func (d *drainGate) note(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f()
	close(d.change)
	d.change = make(chan struct{})
}

// wait returns when done returns true for the current counts, or when ctx ends.
func (d *drainGate) wait(ctx context.Context, done func(unack, inside int) bool) {
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
