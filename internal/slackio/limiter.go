package slackio

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"dhbot/internal/pause"
)

// channelLimiter gives each channel one post at a time, at the pace that Slack takes, and
// keeps silent for as long as Slack asked for it.
type channelLimiter struct {
	pace Pace
	now  func() time.Time

	mu     sync.Mutex
	queues map[string]*channelQueue
	until  map[string]time.Time // per Web API method: not before
	paused func(time.Duration)  // is called at each pause of posts
}

// priority says who waits for a post.
type priority uint8

const (
	background  priority = iota // no requester waits
	interactive                 // the one whose question it answers
	decision                    // approvers: before all others
)

// channelQueue is one channel. The holder of a slot may post; waiting senders on
// a Go channel are served in order. Decisions have a slot of their own, so that
// they never wait behind what waits for its time.
type channelQueue struct {
	slot, decisions chan struct{}

	mu   sync.Mutex
	past []time.Time // when the newest posts were made, oldest first
}

func newChannelLimiter(p Pace, now func() time.Time, paused func(time.Duration)) *channelLimiter {
	return &channelLimiter{pace: p, paused: paused, now: now, queues: make(map[string]*channelQueue), until: make(map[string]time.Time)}
}

// do runs call when it is channel's turn. A 429 makes it wait as long as
// Slack says and run again; any other answer is final. While it waits, ctx
// may end it.
func (t *channelLimiter) do(ctx context.Context, channel, method string, u priority, call func(context.Context) error) error {
	l := t.queue(channel)
	slot := l.slot
	if u == decision {
		slot = l.decisions
	}
	select {
	case slot <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-slot }()
	if err := t.sleepUntil(ctx, l.next(t.pace, u)); err != nil {
		return err
	}
	defer l.posted(t.pace, t.now)
	return t.retryLimited(ctx, method, call)
}

// next is the earliest time of the next post: a while after the last, unless
// a person has asked, and never so early that more than a burst were in its time,
// of which one is kept for decisions.
func (l *channelQueue) next(p Pace, u priority) (at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, burst := len(l.past), p.PostBurst
	if u != decision && burst > 1 {
		burst--
	}
	if n >= burst {
		at = l.past[n-burst].Add(time.Duration(p.PostBurst) * p.PostEvery)
	}
	if n > 0 && u == background {
		if calm := l.past[n-1].Add(p.PostEvery); calm.After(at) {
			at = calm
		}
	}
	return at
}

func (l *channelQueue) posted(p Pace, now func() time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.past = append(l.past, now())
	l.past = l.past[max(0, len(l.past)-p.PostBurst):]
}

// retryLimited runs call, and again after every 429 when the time that Slack
// gave has passed.
func (t *channelLimiter) retryLimited(ctx context.Context, method string, call func(context.Context) error) error {
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
		if method == methodPost {
			t.paused(wait)
		}
	}
}

func (t *channelLimiter) queue(channel string) *channelQueue {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.queues[channel]
	if l == nil {
		l = &channelQueue{slot: make(chan struct{}, 1), decisions: make(chan struct{}, 1)}
		t.queues[channel] = l
	}
	return l
}

func (t *channelLimiter) pause(method string, d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at := t.now().Add(d); at.After(t.until[method]) {
		t.until[method] = at
	}
}

func (t *channelLimiter) notBefore(method string) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.until[method]
}

func (t *channelLimiter) sleepUntil(ctx context.Context, at time.Time) error {
	if !pause.For(ctx, at.Sub(t.now())) {
		return context.Cause(ctx)
	}
	return nil
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
