package rate

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"dhbot/internal/pause"
)

// ChannelLimiter allows one post at a time in each channel, at Slack's rate, and pauses as long as
// Slack requests.
type ChannelLimiter struct {
	pace Pace
	now  func() time.Time

	mu     sync.Mutex
	queues map[string]*channelQueue
	until  map[string]time.Time // by Web API method: when the pause ends
	paused func(time.Duration)  // called at each pause of posts
}

// Priority says who waits for a post.
type Priority uint8

const (
	Background  Priority = iota // no person waits
	Interactive                 // the requester waits for an answer
	Decision                    // approvers wait: goes before all other posts
)

// channelQueue is the queue of one Slack channel. The holder of a slot may post; senders that
// wait on a Go channel are served in order. Decisions have their own slot, so that no decision
// waits behind background posts.
type channelQueue struct {
	slot, decisions chan struct{}

	mu   sync.Mutex
	past []time.Time // times of the newest posts, oldest first
}

func NewChannelLimiter(p Pace, now func() time.Time, paused func(time.Duration)) *ChannelLimiter {
	return &ChannelLimiter{pace: p, paused: paused, now: now, queues: make(map[string]*channelQueue), until: make(map[string]time.Time)}
}

// Do runs call when the channel's rate allows it. After a 429 it waits as long as Slack requests
// and runs call again; any other result is final. If ctx ends during a wait, Do returns the cause
// of its end.
func (t *ChannelLimiter) Do(ctx context.Context, channel, method string, u Priority, call func(context.Context) error) error {
	l := t.queue(channel)
	slot := l.slot
	if u == Decision {
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
	return t.RetryLimited(ctx, method, call)
}

// next returns the earliest time of the next post. A background post waits until PostEvery after
// the last post. Other posts may follow at once, until the burst is used up. One post of the burst
// is reserved for decisions.
func (l *channelQueue) next(p Pace, u Priority) (at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, burst := len(l.past), p.PostBurst
	if u != Decision && burst > 1 {
		burst--
	}
	if n >= burst {
		at = l.past[n-burst].Add(time.Duration(p.PostBurst) * p.PostEvery)
	}
	if n > 0 && u == Background {
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

// RetryLimited calls call. After each 429 it waits for the time that Slack requested, and then
// calls call again.
func (t *ChannelLimiter) RetryLimited(ctx context.Context, method string, call func(context.Context) error) error {
	for {
		if err := t.sleepUntil(ctx, t.NotBefore(method)); err != nil {
			return err
		}
		err := call(ctx)
		wait, limited := RateLimited(err)
		if !limited {
			return err
		}
		t.pause(method, wait)
		if method == MethodPost {
			t.paused(wait)
		}
	}
}

func (t *ChannelLimiter) queue(channel string) *channelQueue {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.queues[channel]
	if l == nil {
		l = &channelQueue{slot: make(chan struct{}, 1), decisions: make(chan struct{}, 1)}
		t.queues[channel] = l
	}
	return l
}

func (t *ChannelLimiter) pause(method string, d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at := t.now().Add(d); at.After(t.until[method]) {
		t.until[method] = at
	}
}

func (t *ChannelLimiter) NotBefore(method string) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.until[method]
}

func (t *ChannelLimiter) sleepUntil(ctx context.Context, at time.Time) error {
	if !pause.For(ctx, at.Sub(t.now())) {
		return context.Cause(ctx)
	}
	return nil
}

// RateLimited reports whether err is a 429, and how long to pause: at least a second.
func RateLimited(err error) (time.Duration, bool) {
	var limit *slack.RateLimitedError
	if !errors.As(err, &limit) {
		return 0, false
	}
	return max(limit.RetryAfter, time.Second), true
}

// Web API methods whose rate limits are remembered.
const (
	MethodPost      = "chat.postMessage"
	methodUpdate    = "chat.update"
	MethodEphemeral = "chat.postEphemeral"
	MethodFile      = "files.completeUploadExternal"
)
