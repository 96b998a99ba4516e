package rate

import (
	"context"
	"errors"
	"sync"
	"time"

	"dhbot/internal/card"
)

// ErrStopped is the result of waiting calls when the edge stops.
var ErrStopped = errors.New("the Slack client has stopped")

// Edits is the workspace's single queue of message edits. Of several waiting edits of one message
// only the latest is made. Final edits go first, then the message whose last edit is oldest, so
// that a busy message does not delay the others.
type Edits struct {
	now  func() time.Time
	send func(ctx context.Context, at MessageKey, c card.Card) error
	// spacing is the least time between two non-final edits of one message.
	spacing time.Duration

	mu      sync.Mutex
	waiting map[MessageKey]*edit
	edited  map[MessageKey]time.Time // recent edits
	bucket  Bucket
	until   time.Time // when Slack's rate limit ends
	seq     int
	stopped bool
	wake    chan struct{}
}

type MessageKey struct{ Channel, Ts string }

// edit is one waiting or running edit, and the calls that wait for it.
type edit struct {
	at      MessageKey
	card    card.Card
	final   bool
	seq     int
	callers int
	sending bool
	older   []*edit // superseded during a retry; they get this edit's result
	done    chan struct{}
	err     error
}

func NewEdits(p Pace, now func() time.Time, send func(context.Context, MessageKey, card.Card) error) *Edits {
	return &Edits{
		now: now, send: send, spacing: p.PostEvery,
		waiting: make(map[MessageKey]*edit), edited: make(map[MessageKey]time.Time),
		bucket: Bucket{Size: p.EditBurst, Every: p.EditEvery, Tokens: float64(p.EditBurst), At: now()},
		wake:   make(chan struct{}, 1),
	}
}

// Put replaces a message when its turn comes, and returns the result. A later edit of the same
// message replaces a waiting edit, and then both calls get the result of the later edit.
func (q *Edits) Put(ctx context.Context, at MessageKey, c card.Card, final bool) error {
	q.mu.Lock()
	if q.stopped {
		q.mu.Unlock()
		return ErrStopped
	}
	e := q.waiting[at]
	if e == nil {
		q.seq++
		e = &edit{at: at, seq: q.seq, done: make(chan struct{})}
		q.waiting[at] = e
	}
	e.card, e.final = c, e.final || final
	e.callers++
	q.mu.Unlock()
	q.nudge()

	select {
	case <-e.done:
		return e.err
	case <-ctx.Done():
		if sending := q.leave(e); sending {
			<-e.done // a running edit may still change the message
		}
		return context.Cause(ctx)
	}
}

// leave withdraws one waiting call of Put. An edit for which no call waits is dropped. The result
// sending means that the edit is being sent. The caller then still waits for it, because an edit in
// progress has its own time limit.
func (q *Edits) leave(e *edit) (sending bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	e.callers--
	if e.callers == 0 && !e.sending && q.waiting[e.at] == e && len(e.older) == 0 {
		delete(q.waiting, e.at)
	}
	return e.sending
}

// Run makes the edits, one at a time, until ctx ends; then every waiting call gets ErrStopped.
func (q *Edits) Run(ctx context.Context) {
	defer q.stop()
	for ctx.Err() == nil {
		e, c, wait := q.next()
		if e == nil {
			q.rest(ctx, wait)
			continue
		}
		err := q.send(ctx, e.at, c)
		if pause, limited := RateLimited(err); limited {
			q.again(e, pause)
			continue
		}
		q.finish(e, err)
	}
}

// rest waits until there is work, or until the given time has passed; 0 means without a limit.
func (q *Edits) rest(ctx context.Context, wait time.Duration) {
	var timer <-chan time.Time
	if wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-ctx.Done():
	case <-q.wake:
	case <-timer:
	}
}

// next returns the next edit and marks it as being sent. If there is none, it returns how long to
// wait; 0 means until Put is called.
func (q *Edits) next() (*edit, card.Card, time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	if len(q.waiting) == 0 {
		return nil, card.Card{}, 0
	}
	if d := q.until.Sub(now); d > 0 {
		return nil, card.Card{}, d
	}
	var best *edit
	wait := time.Duration(0)
	for _, e := range q.waiting {
		if d := q.ripe(e, now); d > 0 {
			if wait == 0 || d < wait {
				wait = d
			}
			continue
		}
		if best == nil || q.before(e, best) {
			best = e
		}
	}
	if best == nil {
		return nil, card.Card{}, wait
	}
	q.bucket.Take(now)
	delete(q.waiting, best.at)
	best.sending = true
	return best, best.card, 0
}

// ripe returns how long an edit must wait until the workspace's budget allows it. A third of the
// budget is reserved for final edits. Other edits also wait until the spacing since the last edit
// of their message has passed.
func (q *Edits) ripe(e *edit, now time.Time) time.Duration {
	if e.final {
		return q.bucket.Wait(now, 1)
	}
	d := q.bucket.Wait(now, 1+float64(q.bucket.Size/3))
	if last, ok := q.edited[e.at]; ok {
		d = max(d, last.Add(q.spacing).Sub(now))
	}
	return d
}

func (q *Edits) before(a, b *edit) bool {
	if a.final != b.final {
		return a.final
	}
	ta, tb := q.edited[a.at], q.edited[b.at]
	if !ta.Equal(tb) {
		return ta.Before(tb)
	}
	return a.seq < b.seq
}

// again puts a rate-limited edit back, unless a newer edit of the same message waits. In that case
// the rate-limited edit gets the result of the newer edit.
func (q *Edits) again(e *edit, pause time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if at := q.now().Add(pause); at.After(q.until) {
		q.until = at
	}
	e.sending = false
	newer := q.waiting[e.at]
	switch {
	case newer != nil:
		newer.final = newer.final || e.final
		newer.older = append(newer.older, e)
	case e.callers > 0 || len(e.older) > 0:
		q.waiting[e.at] = e
	default:
		e.end(ErrStopped) // no call waits for it
	}
}

func (q *Edits) finish(e *edit, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	q.edited[e.at] = now
	for k, at := range q.edited {
		if now.Sub(at) > 2*time.Minute {
			delete(q.edited, k)
		}
	}
	e.end(err)
}

func (e *edit) end(err error) {
	for _, o := range e.older {
		o.end(err)
	}
	e.older = nil
	e.err = err
	close(e.done)
}

func (q *Edits) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stopped = true
	for _, e := range q.waiting {
		e.end(ErrStopped)
	}
	clear(q.waiting)
}

func (q *Edits) nudge() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// Bucket is a token bucket. It holds at most Size tokens, and gains a token each time that the
// duration Every has passed.
type Bucket struct {
	Size   int
	Every  time.Duration
	Tokens float64
	At     time.Time
}

func (b *Bucket) fill(now time.Time) {
	if d := now.Sub(b.At); d > 0 {
		b.Tokens = min(float64(b.Size), b.Tokens+float64(d)/float64(b.Every))
		b.At = now
	}
}

// Wait returns how long it takes until there are n tokens.
func (b *Bucket) Wait(now time.Time, n float64) time.Duration {
	b.fill(now)
	if b.Tokens >= n {
		return 0
	}
	// Rounded up, so that the tokens exist after the wait.
	return time.Duration((n-b.Tokens)*float64(b.Every)) + time.Millisecond
}

func (b *Bucket) Take(now time.Time) {
	b.fill(now)
	b.Tokens--
}
