package publish_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/publish"
	"dhbot/internal/test/fakeclock"
)

// paused stops a replica at one point, as SIGSTOP does, until it is released.
type paused struct {
	at      string
	armed   atomic.Bool
	stopped chan struct{}
	release chan struct{}
}

func (p *paused) pass(point string) {
	if point != p.at || !p.armed.CompareAndSwap(true, false) {
		return
	}
	close(p.stopped)
	<-p.release
}

type pausedBoard struct {
	*board
	*paused
}

func (b pausedBoard) Edit(ctx context.Context, channel, ts string, c card.Card, final bool) error {
	b.pass("before the edit")
	// A request that was sent arrives even if the caller's context has ended.
	err := b.board.Edit(context.WithoutCancel(ctx), channel, ts, c, final)
	b.pass("after the edit")
	return err
}

type pausedPosts struct {
	publish.Posts
	*paused
}

func (p pausedPosts) Post(ctx context.Context, run string) (publish.Post, bool, error) {
	post, ok, err := p.Posts.Post(ctx, run)
	p.pass("after the read")
	return post, ok, err
}

func (p pausedPosts) SetPost(ctx context.Context, run string, post publish.Post) error {
	p.pass("before the note")
	return p.Posts.SetPost(ctx, run, post)
}

// If a replica is suspended for longer than its lease, at any point of an edit, the leader makes
// the final edit. This holds whether the suspended replica notices the lost lead before or after
// it resumes.
func TestCardOverwrittenBySuspendedReplica(t *testing.T) {
	const rounds = 56
	points := []string{"after the read", "before the edit", "after the edit", "before the note"}
	for n := range rounds {
		point, knows := points[n%len(points)], n/len(points)%2 == 0
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			b.board.took = time.Duration(n) * 7 * time.Millisecond
			gate := &paused{at: point, stopped: make(chan struct{}), release: make(chan struct{})}
			stopOld := b.startWith(pausedPosts{b.posts, gate}, pausedBoard{b.board, gate})
			s := b.change(engine.Stored{}, "R-7F3K", engine.Running, "step 1")
			fakeclock.Advance(5 * time.Second)
			gate.armed.Store(true)
			s = b.change(s, "R-7F3K", engine.Running, "step 2")
			<-gate.stopped

			stopNew := b.startWith(b.posts, b.board)
			s = b.change(s, "R-7F3K", engine.Done, "the end")
			fakeclock.Advance(20 * time.Second)
			old := make(chan struct{})
			lose := func() { stopOld(); close(old) }
			if knows {
				go lose()
				fakeclock.Advance(time.Millisecond)
				close(gate.release)
			} else {
				close(gate.release)
				fakeclock.Advance(50 * time.Millisecond)
				go lose()
			}
			<-old
			fakeclock.Advance(time.Minute)
			want := fmt.Sprintf("R-7F3K %s the end", engine.Done)
			if got := b.board.in("C0R-7F3K"); len(got) != 1 || got[0].text != want {
				t.Errorf("paused %s, knows %v: the channel shows %+v, want %q", point, knows, got, want)
			}
			b.wantPosted(s)
			stopNew()
		})
	}
}
