package status

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"dhbot/internal/remote"
)

// sharedReads shares reads between concurrent checks. While a read of a host is in progress, all
// checks that request the same read wait for its end, and then share a second read. So each check
// gets a result that is newer than its request. Reads that are requested together are sent
// together. They are shared only with checks that request exactly the same reads. The methods are
// safe for concurrent use.
type sharedReads struct {
	runner remote.Runner
	now    func() time.Time

	mu    sync.Mutex
	reads map[string]*sharedRead
}

// sharedRead is one read of a host, or several reads that are sent together. It is in progress, or
// waits for the end of another sharedRead.
type sharedRead struct {
	commands []remote.Command
	next     *sharedRead
	parts    []sharedPart // one for each command

	ctx    context.Context
	cancel context.CancelFunc
	asking int // number of checks that wait for the read
}

// sharedPart is the answer to one command.
type sharedPart struct {
	done   chan struct{} // closed when result is set
	result remote.Result
}

func newSharedReads(r remote.Runner, now func() time.Time) *sharedReads {
	return &sharedReads{runner: r, now: now, reads: map[string]*sharedRead{}}
}

// Run returns the result of a read that began after the call. If ctx ends first, Run returns at
// once, with a result without an outcome. A read is cancelled when no check waits for it any more.
func (s *sharedReads) Run(ctx context.Context, c remote.Command) remote.Result {
	return s.Begin(ctx, []remote.Command{c})(0)
}

// Begin starts reads of one host. The returned function waits for the result of the read with an
// index, as Run does. It is safe for concurrent use.
func (s *sharedReads) Begin(ctx context.Context, commands []remote.Command) (result func(i int) remote.Result) {
	r := s.join(ctx, commands)
	var leave sync.Once
	return func(i int) remote.Result {
		select {
		case <-r.parts[i].done:
			return r.parts[i].result
		case <-ctx.Done():
			leave.Do(func() { s.leave(r) })
			return remote.Result{Detail: "the check ended before the host answered", Ended: s.now()}
		}
	}
}

// keyOf returns a key that is the same for reads that can be shared.
func keyOf(commands []remote.Command) string {
	var b strings.Builder
	for _, c := range commands {
		fmt.Fprintf(&b, "%s\x00%s\x00%s\x00%v\x00%s\x00%s\x00", c.Host, c.Address, c.Login, c.Via, c.Sent, c.Timeout)
	}
	return b.String()
}

// join adds a check to a read, and returns the read. It starts the read if none is in progress.
func (s *sharedReads) join(ctx context.Context, commands []remote.Command) *sharedRead {
	key := keyOf(commands)
	s.mu.Lock()
	defer s.mu.Unlock()
	current := s.reads[key]
	if current == nil {
		r := newSharedRead(ctx, commands)
		s.reads[key] = r
		go s.carryOut(key, r)
		return r
	}
	if current.next == nil || current.next.asking == 0 { // none, or a cancelled one
		current.next = newSharedRead(ctx, commands)
		return current.next
	}
	current.next.asking++
	return current.next
}

// newSharedRead returns a read that has not begun. Its context has the values of the first check's
// context, but does not end with it.
func newSharedRead(ctx context.Context, commands []remote.Command) *sharedRead {
	r := &sharedRead{commands: commands, parts: make([]sharedPart, len(commands)), asking: 1}
	for i := range r.parts {
		r.parts[i].done = make(chan struct{})
	}
	r.ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return r
}

// leave removes a check from a read. If no check is left, the read is cancelled.
func (s *sharedReads) leave(r *sharedRead) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.asking--; r.asking == 0 {
		r.cancel()
	}
}

// carryOut runs a read, and then each read that waits for the end of the previous read.
func (s *sharedReads) carryOut(key string, r *sharedRead) {
	for r != nil {
		remote.RunAll(r.ctx, s.runner, r.commands, func(i int, result remote.Result) {
			r.parts[i].result = result
			close(r.parts[i].done)
		})
		r.cancel()
		r = s.after(key, r)
	}
}

// after returns the read that waits for the end of r, or nil.
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
