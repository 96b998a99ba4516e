package etcdstore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"dhbot/internal/engine"
	"dhbot/internal/publish"
	"dhbot/internal/store/etcdstore"
)

// Only one replica leads at a time. A replica whose lease ended learns that it no longer leads, and
// cannot store posts. It may lead again later.
func TestOneLeads(t *testing.T) {
	t.Parallel()
	endpoint := startEtcd(t)
	conf := func(name string) etcdstore.Config {
		return etcdstore.Config{Endpoints: []string{endpoint}, Replica: name, LeaseTTL: 3 * time.Second, Timeout: 3 * time.Second}
	}
	a, b := open(t, conf("a")), open(t, conf("b"))
	lead := func(s *etcdstore.Store) (leads, lost chan struct{}, stop func()) {
		leads, lost = make(chan struct{}, 8), make(chan struct{}, 8)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- s.Lead(ctx, func(ctx context.Context) error {
				leads <- struct{}{}
				<-ctx.Done()
				lost <- struct{}{}
				return nil
			})
		}()
		return leads, lost, func() {
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("Lead ended with %v", err)
			}
		}
	}
	happens := func(what string, c chan struct{}) {
		t.Helper()
		select {
		case <-c:
		case <-time.After(2 * time.Minute):
			t.Fatal("not in time: " + what)
		}
	}
	aLeads, aLost, stopA := lead(a)
	happens("a leads", aLeads)
	run(t, b)
	bLeads, _, stopB := lead(b)
	// The lease of a ends, because nothing renews it, as if a's process were suspended.
	happens("b leads", bLeads)
	if err := a.SetPost(t.Context(), "R-7F3K", publish.Post{TS: "1"}); !errors.Is(err, engine.ErrLeaseLost) {
		t.Errorf("a former leader stores a post: %v, want ErrLeaseLost", err)
	}
	if err := b.SetPost(t.Context(), "R-7F3K", publish.Post{TS: "2", Rev: 7}); err != nil {
		t.Errorf("the leader cannot store a post: %v", err)
	}
	if err := a.MarkBehind(t.Context(), "R-7F3K"); err != nil {
		t.Errorf("a former leader cannot mark a message that it may have overwritten: %v", err)
	}
	if p, _, err := b.Post(t.Context(), "R-7F3K"); err != nil || p != (publish.Post{TS: "2"}) {
		t.Errorf("after MarkBehind the post is %+v, %v", p, err)
	}
	happens("a notices that it has lost the lead", aLost)
	run(t, a) // a takes a new lease
	stopB()
	happens("a leads again when b leaves", aLeads)
	if err := a.SetPost(t.Context(), "R-7F3K", publish.Post{TS: "3"}); err != nil {
		t.Errorf("the new leader cannot store a post: %v", err)
	}
	stopA()
}
