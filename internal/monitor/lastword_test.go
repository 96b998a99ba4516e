package monitor_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/monitor"
	"dhbot/internal/test/fakeclock"
	"dhbot/runbooks"
)

// pausedBench suspends a replica before an edit, as SIGSTOP does. The replica sends the edit when
// it resumes.
type pausedBench struct {
	*bench
	at      string // the replica is suspended before it edits the card with this text
	stopped chan struct{}
	release chan struct{}
}

func (b *pausedBench) Edit(_ context.Context, channel, ts string, c card.Card, final bool) error {
	if b.at != "" && strings.Contains(card.PlainText(c), b.at) {
		b.at = ""
		close(b.stopped)
		<-b.release
	}
	return b.bench.Edit(context.Background(), channel, ts, c, final)
}

// A leader is suspended before an edit, and a second leader ends the incident or raises its
// level. Then the first leader resumes and overwrites the card with an old form. The second
// leader corrects the card.
func TestCardOverwrittenBySuspendedLeader(t *testing.T) {
	for name, tt := range map[string]struct {
		then runbooks.Severity
		want string
	}{
		"ended": {runbooks.None, "✅ Resolved after"},
		"worse": {runbooks.Critical, "🔴 Sev 1 · Critical"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.set(dis, runbooks.Low)
				old := &pausedBench{bench: b, at: "Sev 2", stopped: make(chan struct{}), release: make(chan struct{})}
				l, err := monitor.New(monitor.Config{Keeper: b.store, Messenger: old, Looker: b, AuditChannel: "C0AUDIT", Clusters: prod})
				if err != nil {
					t.Fatal(err)
				}
				ctx, lost := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- l.Run(ctx) }()
				fakeclock.Advance(2 * time.Minute)
				b.set(dis, runbooks.Moderate)
				<-old.stopped
				_, stop := b.lead(prod)
				defer stop()
				b.set(dis, tt.then)
				fakeclock.Advance(10 * time.Minute)
				if !strings.Contains(b.text(0), tt.want) {
					t.Fatalf("before the suspended leader resumes: %s", b.text(0))
				}
				close(old.release)
				synctest.Wait()
				if !strings.Contains(b.text(0), "Sev 2") {
					t.Fatalf("the old form has not overwritten the card: %s", b.text(0))
				}
				lost()
				if err := <-done; err != nil {
					t.Error(err)
				}
				fakeclock.Advance(time.Minute)
				if !strings.Contains(b.text(0), tt.want) {
					t.Errorf("after the correction: %s", b.text(0))
				}
				fakeclock.Advance(time.Hour)
				if err := b.store.WatchState(t.Context(), "overtaken/", func(name string, _ []byte, _ int64) error { t.Errorf("%s is kept", name); return nil }); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// After a change of leader, the cards of recently ended incidents are edited once more, and the
// incidents are then forgotten.
func TestNextLeaderEditsEndedIncidents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.set(dis, runbooks.Critical)
		_, stop := b.lead(prod)
		fakeclock.Advance(2 * time.Minute)
		b.set(dis, runbooks.None)
		fakeclock.Advance(5 * time.Minute)
		stop()
		b.mu.Lock()
		b.posts[0].text = "an old form"
		b.mu.Unlock()
		_, stop = b.lead(prod)
		defer func() { stop() }()
		fakeclock.Advance(time.Minute)
		if !strings.Contains(b.text(0), "✅ Resolved after") {
			t.Errorf("under the next leader: %s", b.text(0))
		}
		fakeclock.Advance(time.Hour)
		if err := b.store.WatchState(t.Context(), "ended/", func(name string, _ []byte, _ int64) error { t.Errorf("%s is kept", name); return nil }); err != nil {
			t.Error(err)
		}
	})
}
