package slackio

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"dhbot/internal/pause"
)

// channelLimiter allows one post at a time in each channel, at Slack's rate, and pauses as long as
// Slack requests.
type channelLimiter struct {
	pace Pace
	now  func() time.Time

	mu     sync.Mutex
	queues map[string]*channelQueue
	until  map[string]time.Time // per Web API method: not before
	paused func(time.Duration)  // called at each pause of posts
}

// priority is who waits for a post.
type priority uint8

const (
	background  priority = iota // no requester waits
	interactive                 // the requester, for an answer
	decision                    // approvers: before all others
)

// channelQueue is one channel. The holder of a slot may post; senders that wait on a Go channel are
// served in order. Decisions have their own slot, so that they never wait behind background posts.
type channelQueue struct {
	slot, decisions chan struct{}

	mu   sync.Mutex
	past []time.Time // times of the newest posts, oldest first
}

func newChannelLimiter(p Pace, now func() time.Time, paused func(time.Duration)) *channelLimiter {
	return &channelLimiter{pace: p, paused: paused, now: now, queues: make(map[string]*channelQueue), until: make(map[string]time.Time)}
}

// do runs call when the channel allows it. After a 429 it waits as long as Slack requests and runs
// call again; any other result is final. ctx may end the wait.
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

// next is the earliest time of the next post: PostEvery after the last one. An interactive post may
// be earlier, within the burst; one post of the burst is reserved for decisions.
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

// retryLimited runs call, and again after every 429 when the requested time has passed.
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

// rateLimited reports whether err is a 429, and how long to pause: at least a second.
func rateLimited(err error) (time.Duration, bool) {
	var limit *slack.RateLimitedError
	if !errors.As(err, &limit) {
		return 0, false
	}
	return max(limit.RetryAfter, time.Second), true
}
