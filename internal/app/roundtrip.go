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
	"dhbot/internal/pause"
	"dhbot/internal/publish"
	"dhbot/internal/slackio"
	"dhbot/internal/store/etcdstore"
)

const (
	// roundTripEvery is how often the bot makes a round trip.
	roundTripEvery = 2 * time.Minute
	// roundTripWithin is the time limit of a round trip. It leaves time for a redelivery,
	// because Slack sends an event again if the event is not acknowledged within 3 s.
	roundTripWithin = 30 * time.Second
	// roundTripPoll is how often a replica reads the last round trip.
	roundTripPoll = 10 * time.Second
)

// RoundTripStore stores the last round trip, which all replicas share.
type RoundTripStore interface {
	LoadRoundTrip(ctx context.Context) (etcdstore.RoundTrip, error)
	// SaveRoundTrip stores next if old is still the stored round trip, and reports whether it
	// did.
	SaveRoundTrip(ctx context.Context, old, next etcdstore.RoundTrip) (bool, error)
}

// roundTrips is this replica's part in the round trips through Slack. A connection can answer pings
// but deliver no events; only a complete round trip proves that events arrive.
type roundTrips struct {
	heard   chan slackio.RoundTrip
	renewed int64 // the round trip after which the sockets were last replaced; only watchRoundTrip uses it

	mu      sync.Mutex
	trouble string // why the round trip is not possible
}

func (e *roundTrips) say(trouble string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.trouble = trouble
}

// hear queues an event. If the queue is full, hear drops the event instead of waiting.
func (e *roundTrips) hear(echo slackio.RoundTrip) {
	select {
	case e.heard <- echo:
	default:
	}
}

// announceHearing makes round trips regularly, for all replicas.
func (b *bot) announceHearing(ctx context.Context) error {
	if b.RoundTrip == nil {
		<-ctx.Done()
		return nil
	}
	for pause.For(ctx, roundTripEvery) {
		err := b.roundTrip(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			b.echoes.say(err.Error())
			b.Log.WarnContext(ctx, "no round trip through Slack", "err", err)
		default:
			b.echoes.say("")
		}
	}
	return nil
}

// roundTrip adds or removes the reaction on the bot's own message in the audit channel, and stores
// the round trip.
func (b *bot) roundTrip(ctx context.Context) error {
	old, err := b.RoundTrip.LoadRoundTrip(ctx)
	if err != nil {
		return err
	}
	next := old
	if next.TS == "" || next.Channel != b.AuditChannel {
		next = etcdstore.RoundTrip{Channel: b.AuditChannel, Good: old.Good, Missed: old.Missed}
		if next.TS, err = b.slack.Post(ctx, engine.Place{Channel: b.AuditChannel}, card.RoundTripMessage()); err != nil {
			return err
		}
	}
	if lost(old, b.Now()) && next.Missed == 0 {
		next.Missed = old.Sent
	}
	// The round trip is stored before the call, because the event may arrive before the answer.
	next.On = !next.On
	next.Sent = b.Now().UnixMilli()
	next.Heard = 0
	next.Again = false
	if set, err := b.RoundTrip.SaveRoundTrip(ctx, old, next); err != nil || !set {
		return err
	}
	err = b.slack.SetRoundTripMark(ctx, next.Channel, next.TS, next.On)
	if err == nil {
		return nil
	}
	// The call failed, so no event is expected. The next round trip makes the opposite change,
	// or posts a new message if this message is gone.
	sent, readErr := b.RoundTrip.LoadRoundTrip(ctx)
	if readErr != nil || sent.Sent != next.Sent {
		return err
	}
	undone := sent
	undone.Sent = 0
	if errors.Is(err, publish.ErrGone) {
		undone.TS = ""
	}
	if _, noteErr := b.RoundTrip.SaveRoundTrip(ctx, sent, undone); noteErr != nil {
		return noteErr
	}
	if errors.Is(err, slackio.ErrAlreadyMarked) || errors.Is(err, publish.ErrGone) {
		return nil
	}
	return err
}

// lost reports whether a round trip has timed out, or needed a redelivery.
func lost(e etcdstore.RoundTrip, now time.Time) bool {
	return e.Sent > 0 && (e.Again || e.Heard == 0 && now.Sub(time.UnixMilli(e.Sent)) > roundTripWithin)
}

// watchRoundTrip records the events that this replica receives. It also replaces the sockets of
// this replica when a round trip was lost, because the lost event may have been sent to any
// replica.
func (b *bot) watchRoundTrip(ctx context.Context) error {
	if b.RoundTrip == nil {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(roundTripPoll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case echo := <-b.echoes.heard:
			if err := b.noteRoundTrip(ctx, echo); err != nil && ctx.Err() == nil {
				b.Log.WarnContext(ctx, "the end of a round trip through Slack is not stored", "err", err)
			}
		case <-tick.C:
			b.reconnectDeaf(ctx)
		}
	}
}

// noteRoundTrip records that the event of a round trip arrived. If events had been missing, it
// tells the channels that events arrive again.
func (b *bot) noteRoundTrip(ctx context.Context, echo slackio.RoundTrip) error {
	for {
		old, err := b.RoundTrip.LoadRoundTrip(ctx)
		if err != nil {
			return err
		}
		if echo.Channel != old.Channel || echo.TS != old.TS || echo.On != old.On || old.Sent == 0 || old.Heard != 0 {
			return nil // of an earlier round trip, or already reported
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
		set, err := b.RoundTrip.SaveRoundTrip(ctx, old, next)
		if err != nil {
			return err
		}
		if !set {
			continue
		}
		if !late && old.Missed > 0 && old.Good > 0 {
			b.postMissedMessages(ctx, time.UnixMilli(old.Good), time.UnixMilli(next.Good))
		}
		return nil
	}
}

// reconnectDeaf replaces the sockets once for each lost round trip.
func (b *bot) reconnectDeaf(ctx context.Context) {
	e, err := b.RoundTrip.LoadRoundTrip(ctx)
	if err != nil || e.Good == 0 || !lost(e, b.Now()) || e.Sent == b.echoes.renewed {
		return // a failing store is reported elsewhere; if no event has ever arrived, a missing event proves nothing
	}
	b.echoes.renewed = e.Sent
	b.Log.ErrorContext(ctx, "a round trip through Slack was lost; replacing the sockets",
		"sent", clock(time.UnixMilli(e.Sent)), "again", e.Again)
	b.slack.Renew(ctx)
}

// roundTripHealth describes the last round trip through Slack. The result why is the problem, or
// "". If there is no problem, the result line is a text for `bot health`, or "".
func (b *bot) roundTripHealth(ctx context.Context) (why, line string) {
	if b.RoundTrip == nil {
		return "", ""
	}
	e, err := b.RoundTrip.LoadRoundTrip(ctx)
	if err != nil || e.Sent == 0 && e.Good == 0 {
		return "", b.roundTripTrouble()
	}
	switch {
	case e.Good == 0 && lost(e, b.Now()):
		return "", "Slack sends no events about the bot's own reactions, so it is unknown whether every connection receives events: check that the app has the scopes and events of `bot manifest`"
	case e.Missed > 0 || lost(e, b.Now()):
		return fmt.Sprintf("not everything from Slack arrives: the last good round trip was at %s. A connection looks healthy but receives nothing; the bot replaces its own connections",
			clock(time.UnixMilli(e.Good))), ""
	case e.Heard > 0:
		return "", fmt.Sprintf(
			"round trip through Slack at %s took %v", clock(time.UnixMilli(e.Sent)), time.Duration(e.Heard-e.Sent)*time.Millisecond,
		)
	default:
		return "", b.roundTripTrouble()
	}
}

func (b *bot) roundTripTrouble() string {
	b.echoes.mu.Lock()
	defer b.echoes.mu.Unlock()
	if b.echoes.trouble == "" {
		return ""
	}
	return "no round trip through Slack: " + b.echoes.trouble
}

const (
	// countLook is how often the bot looks at Slack's count of connections.
	countLook = 15 * time.Second
	// firstRecount is how old a count that is too high must be before Slack counts again. By
	// then, a change of sockets or replicas is over.
	firstRecount = time.Minute
	// nextRecount replaces firstRecount after two counts in a row that were too high.
	nextRecount = 10 * time.Minute
)

// foreignConnections detects connections of the Slack app that belong to none of the bot's
// replicas. Such a connection receives a share of the events.
type foreignConnections struct {
	mu   sync.Mutex
	text string    // the problem, "" for none
	at   time.Time // time of the last evaluated count
	over int       // consecutive counts that were too high
}

func (s *foreignConnections) say() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text
}

// judge evaluates a count of connections, and reports whether Slack should count again. A single
// count may be too high because sockets were being changed.
func (s *foreignConnections) judge(counted, ours int, at, now time.Time) (recount bool) {
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
		s.text = fmt.Sprintf("Slack counts %d connections of this app, but only %d are the bot's: another program receives a share of the commands and taps. "+
			"Look for a program with the same app token (SLACK_APP_TOKEN)", counted, ours)
	}
	return true
}

// watchCount compares Slack's count of connections with the number that the replicas have.
func (b *bot) watchCount(ctx context.Context) error {
	for pause.For(ctx, countLook) {
		h := b.slack.Health()
		counted, at := h.Counted()
		replicas := 1
		if b.Peers != nil {
			peers, err := b.Peers(ctx)
			if err != nil {
				continue // the number of own connections is unknown
			}
			replicas = max(1, len(peers))
		}
		if b.foreign.judge(counted, replicas*len(h.Sockets), at, b.Now()) {
			b.Log.WarnContext(ctx, "Slack counts connections that are not the bot's; reconnecting, so that it counts again",
				"counted", counted, "ours", replicas*len(h.Sockets))
			b.slack.Renew(ctx)
		}
	}
	return nil
}

// postMissedMessages warns in the channels that some commands may not have arrived.
func (b *bot) postMissedMessages(ctx context.Context, from, to time.Time) {
	text := fmt.Sprintf("Between %s and %s not everything from Slack reached me; please repeat any command from that time that got no answer.", clock(from), clock(to))
	b.tellChannels(ctx, text, card.SomeMessagesMissed(from, to, text))
}

// notEmpty removes empty lines.
func notEmpty(lines ...string) []string {
	return slices.DeleteFunc(lines, func(l string) bool { return l == "" })
}
