package slackio

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/slack-go/slack"
)

// turns gives each channel one post at a time, at the pace that Slack takes, and
// keeps silent for as long as Slack asked for it.
type turns struct {
	pace Pace
	now  func() time.Time

	mu    sync.Mutex
	lanes map[string]*lane
	until map[string]time.Time // per Web API method: not before
}

// urgency says who waits for a post.
type urgency bool

const (
	told  urgency = false // nobody in particular
	asked urgency = true  // the one whose question it answers
)

// lane is one channel. Whoever holds turn may post; waiting senders on a Go
// channel are served in order.
type lane struct {
	turn chan struct{}
	past []time.Time // when the newest posts were made, oldest first; guarded by turn
}

func newTurns(p Pace, now func() time.Time) *turns {
	return &turns{pace: p, now: now, lanes: make(map[string]*lane), until: make(map[string]time.Time)}
}

// take runs call when it is channel's turn. A 429 makes it wait as long as
// Slack says and run again; any other answer is final. While it waits, ctx
// may end it.
func (t *turns) take(ctx context.Context, channel, method string, u urgency, call func(context.Context) error) error {
	l := t.lane(channel)
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-l.turn }()
	if err := t.sleepUntil(ctx, l.next(t.pace, u)); err != nil {
		return err
	}
	defer func() {
		l.past = append(l.past, t.now())
		l.past = l.past[max(0, len(l.past)-t.pace.PostBurst):]
	}()
	return t.patiently(ctx, method, call)
}

// next is the earliest time of the next post: a while after the last, unless
// somebody has asked, and never so early that more than a burst were in its time.
func (l *lane) next(p Pace, u urgency) (at time.Time) {
	n := len(l.past)
	if n == p.PostBurst {
		at = l.past[0].Add(time.Duration(p.PostBurst) * p.PostEvery)
	}
	if n > 0 && u == told {
		if calm := l.past[n-1].Add(p.PostEvery); calm.After(at) {
			at = calm
		}
	}
	return at
}

// patiently runs call, and again after every 429 when the time that Slack
// gave has passed.
func (t *turns) patiently(ctx context.Context, method string, call func(context.Context) error) error {
	for {
		if err := t.sleepUntil(ctx, t.notBefore(method)); err != nil {
			return err
		}
		err := call(ctx)
		wait, limited := rateLimited(err)
		if !limited {
			return err
		}
		t.pause(method, wait)
	}
}

func (t *turns) lane(channel string) *lane {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.lanes[channel]
	if l == nil {
		l = &lane{turn: make(chan struct{}, 1)}
		t.lanes[channel] = l
	}
	return l
}

func (t *turns) pause(method string, d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at := t.now().Add(d); at.After(t.until[method]) {
		t.until[method] = at
	}
}

func (t *turns) notBefore(method string) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.until[method]
}

func (t *turns) sleepUntil(ctx context.Context, at time.Time) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	return sleep(ctx, at.Sub(t.now()))
}

// sleep waits for d, or returns the cause of ctx's end.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// rateLimited says whether err is a 429, and how long Slack wants silence: at
// least a second.
func rateLimited(err error) (time.Duration, bool) {
	var limit *slack.RateLimitedError
	if !errors.As(err, &limit) {
		return 0, false
	}
	return max(limit.RetryAfter, time.Second), true
}
