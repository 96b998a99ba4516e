package status

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dhbot/internal/remote"
)

// counting is a runner that counts its calls. When the test allows it, a call returns with its
// number as the exit code.
type counting struct {
	asked atomic.Int64
	began chan int64
	let   chan struct{}
}

func (c *counting) Run(ctx context.Context, _ remote.Command) remote.Result {
	n := c.asked.Add(1)
	c.began <- n
	if ctx.Err() != nil {
		return remote.Result{}
	}
	select {
	case <-c.let:
		return remote.Result{Outcome: remote.Answered, Exit: int(n)}
	case <-ctx.Done():
		return remote.Result{}
	}
}

func sharing() (*counting, *sharedReads) {
	c := &counting{began: make(chan int64, 10), let: make(chan struct{})}
	return c, newSharedReads(c, time.Now)
}

// Callers that request a read while one is in progress all get the result of the next read.
func TestSharedReads(t *testing.T) {
	c, s := sharing()
	ask := func() <-chan int {
		exit := make(chan int, 1)
		go func() { exit <- s.Run(t.Context(), remote.Command{Host: "infra-1", Sent: "true"}).Exit }()
		return exit
	}
	first := ask()
	<-c.began
	var later []<-chan int
	for range 5 {
		later = append(later, ask())
	}
	s.wait(func(r *sharedRead) bool { return r.asking > len(later) || r.next != nil && r.next.asking == len(later) })
	c.let <- struct{}{}
	if n := <-first; n != 1 {
		t.Errorf("the first caller got read %d", n)
	}
	close(c.let)
	for _, l := range later {
		if n := <-l; n != 2 {
			t.Errorf("a caller during the first read got read %d", n)
		}
	}
	for s.kept() > 0 { // until the second read is removed
		time.Sleep(time.Millisecond)
	}
}

func (s *sharedReads) kept() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.reads)
}

// wait returns as soon as ok returns true for a read in progress.
func (s *sharedReads) wait(ok func(*sharedRead) bool) {
	for ; ; time.Sleep(time.Millisecond) {
		s.mu.Lock()
		for _, r := range s.reads {
			if ok(r) {
				s.mu.Unlock()
				return
			}
		}
		s.mu.Unlock()
	}
}

// A caller that leaves does not end a read for which others wait. When the last caller leaves, the
// read ends.
func TestSharedReadsAreLeft(t *testing.T) {
	c, s := sharing()
	leaving, leave := context.WithCancel(t.Context())
	command := remote.Command{Host: "infra-1", Sent: "true"}
	left := make(chan remote.Result, 1)
	go func() { left <- s.Run(leaving, command) }()
	<-c.began
	stayed := make(chan remote.Result, 1)
	go func() { stayed <- s.Run(t.Context(), command) }()
	s.wait(func(r *sharedRead) bool { return r.next != nil })
	leave() // ends the first read; then the second begins
	if r := <-left; r.Outcome != remote.NoOutcome {
		t.Errorf("the caller that left got %v", r.Outcome)
	}
	<-c.began
	c.let <- struct{}{}
	if r := <-stayed; r.Exit != 2 {
		t.Errorf("the caller that stayed got read %d", r.Exit)
	}
}

// If all callers have left a read before it began, later callers do not share it.
func TestSharedReadsThatWereGivenUp(t *testing.T) {
	c, s := sharing()
	command := remote.Command{Host: "infra-1", Sent: "true"}
	first := make(chan remote.Result, 1)
	go func() { first <- s.Run(t.Context(), command) }()
	<-c.began
	leaving, leave := context.WithCancel(t.Context())
	left := make(chan remote.Result, 1)
	go func() { left <- s.Run(leaving, command) }()
	s.wait(func(r *sharedRead) bool { return r.next != nil })
	leave()
	<-left
	later := make(chan remote.Result, 1)
	go func() { later <- s.Run(t.Context(), command) }()
	s.wait(func(r *sharedRead) bool { return r.next.asking == 1 })
	close(c.let)
	<-first
	if r := <-later; r.Outcome != remote.Answered || r.Exit != 2 {
		t.Errorf("the later caller got %v of read %d", r.Outcome, r.Exit)
	}
}

// Reads of other hosts, or of other commands, do not wait for each other.
func TestOtherReadsAreApart(t *testing.T) {
	c, s := sharing()
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() { s.Run(t.Context(), remote.Command{Host: fmt.Sprint("host-", i), Sent: "true"}) })
		wg.Go(func() { s.Run(t.Context(), remote.Command{Host: "infra-1", Sent: fmt.Sprint("echo ", i)}) })
	}
	for range 6 {
		<-c.began
	}
	close(c.let)
	wg.Wait()
}
