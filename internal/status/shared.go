package status

import (
	"context"
	"fmt"
	"sync"
	"time"

	"dhbot/internal/remote"
)

// sharedReads shares reads between concurrent checks: while a read of a host is in progress, all
// who request the same read wait for the next one and share it. So each check gets a result that is
// newer than its request. Its methods are safe for concurrent use.
type sharedReads struct {
	runner remote.Runner
	now    func() time.Time

	mu    sync.Mutex
	reads map[string]*sharedRead
}

// sharedRead is one read that is in progress, or waits for the end of another.
type sharedRead struct {
	command remote.Command
	next    *sharedRead
	done    chan struct{} // closed when result is set
	result  remote.Result

	ctx    context.Context
	cancel context.CancelFunc
	asking int // checks that wait for it
}

func newSharedReads(r remote.Runner, now func() time.Time) *sharedReads {
	return &sharedReads{runner: r, now: now, reads: map[string]*sharedRead{}}
}

// Run returns the result of a read that began after the call. If ctx ends first it returns at once,
// without an outcome. A read without waiting checks is cancelled.
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

// join returns the read that a check shares, and starts it if none is in progress.
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
	if current.next == nil || current.next.asking == 0 { // none, or a cancelled one
		current.next = newSharedRead(ctx, c)
		return current.next
	}
	current.next.asking++
	return current.next
}

// newSharedRead has the values of the first check's context but not its end.
func newSharedRead(ctx context.Context, c remote.Command) *sharedRead {
	r := &sharedRead{command: c, done: make(chan struct{}), asking: 1}
	r.ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return r
}

// leave removes a check from a read; the last one cancels it.
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

// after is the read that waits for the end of another, nil for none.
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
