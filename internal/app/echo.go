package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/etcdstore"
	"dhbot/internal/poster"
	"dhbot/internal/slackio"
)

const (
	// echoEvery is how often the bot makes Slack tell it something.
	echoEvery = 2 * time.Minute
	// echoWithin is how long Slack may take to. It sends again at once what is
	// not acked within 3 s.
	echoWithin = 30 * time.Second
	// echoLook is how often a replica looks at how the last round trip went.
	echoLook = 10 * time.Second
)

// Echoes keep the round trip through Slack for all replicas.
type Echoes interface {
	Echo(ctx context.Context) (etcdstore.Echo, error)
	// SetEcho replaces what Echo returned, unless it has changed meanwhile.
	SetEcho(ctx context.Context, old, next etcdstore.Echo) (bool, error)
}

// echoes is this replica's part in the round trip. A connection can look well,
// with pings and all, and hear nothing of what people do: only something that
// has gone the whole way tells.
type echoes struct {
	heard   chan slackio.Echo
	renewed int64 // the round trip over which the sockets were last renewed; listenForEchoes alone has it

	mu      sync.Mutex
	trouble string // why the round trip cannot be made
}

func (e *echoes) say(trouble string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.trouble = trouble
}

// hear takes note of an echo; what finds no room was one of many.
func (e *echoes) hear(echo slackio.Echo) {
	select {
	case e.heard <- echo:
	default:
	}
}

// callOut makes the round trip now and then, for all replicas.
func (b *bot) callOut(ctx context.Context) error {
	if b.Echoes == nil {
		<-ctx.Done()
		return nil
	}
	for pause(ctx, echoEvery); ctx.Err() == nil; pause(ctx, echoEvery) {
		err := b.roundTrip(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			b.echoes.say(err.Error())
			b.Log.Warn("no round trip through Slack", "err", err)
		default:
			b.echoes.say("")
		}
	}
	return nil
}

// roundTrip marks the bot's own message in the audit channel, or takes the
// mark back, and notes that it has.
func (b *bot) roundTrip(ctx context.Context) error {
	old, err := b.Echoes.Echo(ctx)
	if err != nil {
		return err
	}
	next := old
	if next.TS == "" || next.Channel != b.AuditChannel {
		next = etcdstore.Echo{Channel: b.AuditChannel, Good: old.Good, Missed: old.Missed}
		if next.TS, err = b.slack.Post(ctx, engine.Place{Channel: b.AuditChannel}, card.Listening()); err != nil {
			return err
		}
	}
	if lost(old, b.Now()) && next.Missed == 0 {
		next.Missed = old.Sent
	}
	// Noted first: the echo may be here before the answer.
	next.On, next.Sent, next.Heard, next.Again = !next.On, b.Now().UnixMilli(), 0, false
	if set, err := b.Echoes.SetEcho(ctx, old, next); err != nil || !set {
		return err
	}
	err = b.slack.Mark(ctx, next.Channel, next.TS, next.On)
	if err == nil {
		return nil
	}
	// No echo will come. The next one goes the other way, or to a new message.
	sent, readErr := b.Echoes.Echo(ctx)
	if readErr != nil || sent.Sent != next.Sent {
		return err
	}
	undone := sent
	undone.Sent = 0
	if errors.Is(err, poster.ErrGone) {
		undone.TS = ""
	}
	if _, noteErr := b.Echoes.SetEcho(ctx, sent, undone); noteErr != nil {
		return noteErr
	}
	if errors.Is(err, slackio.ErrMarked) || errors.Is(err, poster.ErrGone) {
		return nil
	}
	return err
}

// lost says that a round trip has not come back in time, or not at the first
// try.
func lost(e etcdstore.Echo, now time.Time) bool {
	return e.Sent > 0 && (e.Again || e.Heard == 0 && now.Sub(time.UnixMilli(e.Sent)) > echoWithin)
}

// listenForEchoes notes what Slack tells this replica, and opens its sockets
// anew when a round trip was lost, whoever should have heard it.
func (b *bot) listenForEchoes(ctx context.Context) error {
	if b.Echoes == nil {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(echoLook)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case echo := <-b.echoes.heard:
			if err := b.noteEcho(ctx, echo); err != nil && ctx.Err() == nil {
				b.Log.Warn("an echo from Slack is not noted", "err", err)
			}
		case <-tick.C:
			b.mendHearing(ctx)
		}
	}
}

// noteEcho notes an echo, and tells people when all is well again.
func (b *bot) noteEcho(ctx context.Context, echo slackio.Echo) error {
	for {
		old, err := b.Echoes.Echo(ctx)
		if err != nil {
			return err
		}
		if echo.Channel != old.Channel || echo.TS != old.TS || echo.On != old.On || old.Sent == 0 || old.Heard != 0 {
			return nil // of an earlier round trip, or told before
		}
		next := old
		next.Heard, next.Again = b.Now().UnixMilli(), echo.Again
		late := lost(old, b.Now()) || echo.Again
		switch {
		case late && next.Missed == 0:
			next.Missed = old.Sent
		case !late:
			next.Good, next.Missed = old.Sent, 0
		}
		set, err := b.Echoes.SetEcho(ctx, old, next)
		if err != nil {
			return err
		}
		if !set {
			continue
		}
		if !late && old.Missed > 0 && old.Good > 0 {
			b.sayUnsure(ctx, time.UnixMilli(old.Good), time.UnixMilli(next.Good))
		}
		return nil
	}
}

// mendHearing opens the sockets anew over a round trip that was lost, once.
func (b *bot) mendHearing(ctx context.Context) {
	e, err := b.Echoes.Echo(ctx)
	if err != nil || e.Good == 0 || !lost(e, b.Now()) || e.Sent == b.echoes.renewed {
		return // others speak of the store; where no echo ever came, its absence tells nothing
	}
	b.echoes.renewed = e.Sent
	b.Log.Error("a round trip through Slack was lost; the sockets are opened anew", "sent", clock(time.UnixMilli(e.Sent)), "again", e.Again)
	b.slack.Renew(ctx)
}

// echoHealth says how the last round trip went: what is wrong, or a line.
func (b *bot) echoHealth(ctx context.Context) (why, line string) {
	if b.Echoes == nil {
		return "", ""
	}
	e, err := b.Echoes.Echo(ctx)
	if err != nil || e.Sent == 0 && e.Good == 0 {
		return "", b.echoTrouble()
	}
	switch {
	case e.Good == 0 && lost(e, b.Now()):
		return "", "Slack tells the bot nothing of its own marks, so that whether every connection hears is not known: has the app the scopes and events of `bot manifest`?"
	case e.Missed > 0 || lost(e, b.Now()):
		return fmt.Sprintf("not everything from Slack arrives: the last round trip that came back at once was at %s. A connection looks well and hears nothing; the bot opens its own anew",
			clock(time.UnixMilli(e.Good))), ""
	case e.Heard > 0:
		return "", fmt.Sprintf("round trip through Slack at %s took %v", clock(time.UnixMilli(e.Sent)), time.Duration(e.Heard-e.Sent)*time.Millisecond)
	default:
		return "", b.echoTrouble()
	}
}

func (b *bot) echoTrouble() string {
	b.echoes.mu.Lock()
	defer b.echoes.mu.Unlock()
	if b.echoes.trouble == "" {
		return ""
	}
	return "no round trip through Slack: " + b.echoes.trouble
}

// Times of the count of connections.
const (
	countLook    = 15 * time.Second
	firstRecount = time.Minute // a change of sockets or replicas is over by then
	nextRecount  = 10 * time.Minute
)

// strangers watches for connections of the app that no replica of ours has:
// each takes a share of what people do.
type strangers struct {
	mu   sync.Mutex
	text string    // what is wrong, "" for nothing
	at   time.Time // of the count that was judged last
	over int       // counts in a row that were too high
}

func (s *strangers) say() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text
}

// judge takes a count, and says whether Slack should count again: one count
// may have been taken while sockets changed.
func (s *strangers) judge(counted, ours int, at, now time.Time) (recount bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if counted <= ours {
		s.text, s.over = "", 0
		return false
	}
	patience := firstRecount
	if s.over > 1 {
		patience = nextRecount
	}
	if now.Sub(at) < patience {
		return false
	}
	if at.After(s.at) {
		s.at = at
		s.over++
	}
	if s.over > 1 {
		s.text = fmt.Sprintf("Slack counts %d connections of this app, and %d of them are the bot's: whatever has the others takes a share of what people type and tap. "+
			"Look for another program with the same app token (SLACK_APP_TOKEN)", counted, ours)
	}
	return true
}

// watchCount compares what Slack counts with what the replicas have open.
func (b *bot) watchCount(ctx context.Context) error {
	for pause(ctx, countLook); ctx.Err() == nil; pause(ctx, countLook) {
		h := b.slack.Health()
		counted, at := h.Counted()
		replicas := 1
		if b.Peers != nil {
			peers, err := b.Peers(ctx)
			if err != nil {
				continue // nobody knows how many are ours
			}
			replicas = max(1, len(peers))
		}
		if b.strangers.judge(counted, replicas*len(h.Sockets), at, b.Now()) {
			b.Log.Warn("Slack counts connections that are not the bot's; it is made to count again", "counted", counted, "ours", replicas*len(h.Sockets))
			b.slack.Renew(ctx)
		}
	}
	return nil
}

// sayUnsure tells the channels that what people did may not have arrived.
func (b *bot) sayUnsure(ctx context.Context, from, to time.Time) {
	text := fmt.Sprintf("Between %s and %s not everything from Slack reached me; please repeat commands from then that got no answer.", clock(from), clock(to))
	b.tellChannels(ctx, text, card.Unsure(from, to, text))
}

// notEmpty drops what says nothing.
func notEmpty(lines ...string) []string {
	return slices.DeleteFunc(lines, func(l string) bool { return l == "" })
}
