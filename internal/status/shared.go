package status

import (
	"context"
	"fmt"
	"sync"
	"time"

	"dhbot/internal/remote"
)

// sharedReads carries out reads for looks that ask the same of a host at the same
// time: while a read is under way, all who ask meanwhile wait for the next one and
// share it. What a look is told was therefore so after it had asked, as if it had
// been alone. Its methods may be called at the same time.
type sharedReads struct {
	runner remote.Runner
	now    func() time.Time

	mu    sync.Mutex
	reads map[string]*sharedRead
}

// sharedRead is one read that is under way or, as the next of another, waits for
// its end.
type sharedRead struct {
	command remote.Command
	next    *sharedRead
	done    chan struct{} // closed when result is set
	result  remote.Result

	ctx    context.Context
	cancel context.CancelFunc
	asking int // looks that wait for it
}

func newSharedReads(r remote.Runner, now func() time.Time) *sharedReads {
	return &sharedReads{runner: r, now: now, reads: map[string]*sharedRead{}}
}

// Run returns what a read answered that began after the call. Where ctx ends first it
// returns at once, without an outcome; a read that no look waits for is ended.
func (s *sharedReads) Run(ctx context.Context, c remote.Command) remote.Result {
	r := s.join(ctx, c)
	select {
	case <-r.done:
		return r.result
	case <-ctx.Done():
		s.leave(r)
		return remote.Result{Detail: "the look had ended before it was answered", Ended: s.now()}
	}
}

// join returns the read that ctx's look shares, and begins it where none is under way.
func (s *sharedReads) join(ctx context.Context, c remote.Command) *sharedRead {
	key := fmt.Sprintf("%s\x00%s\x00%s\x00%v\x00%s\x00%s", c.Host, c.Address, c.Login, c.Via, c.Sent, c.Timeout)
	s.mu.Lock()
	defer s.mu.Unlock()
	current := s.reads[key]
	if current == nil {
		r := newSharedRead(ctx, c)
		s.reads[key] = r
		go s.carryOut(key, r)
		return r
	}
	if current.next == nil || current.next.asking == 0 { // none, or one that was given up
		current.next = newSharedRead(ctx, c)
		return current.next
	}
	current.next.asking++
	return current.next
}

// newSharedRead has the values of the first look's context and ends with no look's.
func newSharedRead(ctx context.Context, c remote.Command) *sharedRead {
	r := &sharedRead{command: c, done: make(chan struct{}), asking: 1}
	r.ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return r
}

// leave takes a look off a read, which ends when it was the last.
func (s *sharedReads) leave(r *sharedRead) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.asking--; r.asking == 0 {
		r.cancel()
	}
}

// carryOut runs a read, and then the one that waits for its end.
func (s *sharedReads) carryOut(key string, r *sharedRead) {
	for r != nil {
		r.result = s.runner.Run(r.ctx, r.command)
		r.cancel()
		close(r.done)
		r = s.after(key, r)
	}
}

// after is the read that waits for the end of another, nil where there is none.
func (s *sharedReads) after(key string, r *sharedRead) *sharedRead {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.next == nil || r.next.asking == 0 {
		delete(s.reads, key)
		return nil
	}
	s.reads[key] = r.next
	return r.next
}
