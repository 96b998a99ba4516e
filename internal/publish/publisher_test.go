package publish_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/publish"
	"dhbot/internal/test/fakeclock"
	"dhbot/internal/test/memstore"
)

// board is a messenger that keeps messages in memory. Its calls take fake time.
type board struct {
	took time.Duration           // what a call takes
	fail func(call string) error // called with mu held

	mu    sync.Mutex
	shown []*shown
	edits int
	told  []string // privately
}

type shown struct {
	ts, channel, thread, text, foot string
	final                           bool
}

func (b *board) call(ctx context.Context, name string) error {
	t := time.NewTimer(b.took)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return b.fail(name)
	}
	return nil
}

func (b *board) Post(ctx context.Context, at engine.Place, c card.Card) (string, error) {
	if err := b.call(ctx, "post "+at.Channel); err != nil {
		return "", err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.shown = append(b.shown, &shown{ts: fmt.Sprint(len(b.shown)), channel: at.Channel, thread: at.Thread, text: c.Push, foot: foot(c)})
	return fmt.Sprint(len(b.shown) - 1), nil
}

func (b *board) Edit(ctx context.Context, channel, ts string, c card.Card, final bool) error {
	if err := b.call(ctx, "edit "+channel); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var n int
	if _, err := fmt.Sscan(ts, &n); err != nil {
		return err
	}
	b.edits++
	m := b.shown[n]
	m.text, m.foot, m.final = c.Push, foot(c), final
	return nil
}

func (b *board) Link(_ context.Context, channel, ts string) (string, error) {
	return "https://slack.example/" + channel + "/" + ts, nil
}

func (b *board) TellRequester(_ context.Context, r engine.Run, c card.Card) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.told = append(b.told, r.ID+": "+c.Push)
	return nil
}

func (b *board) in(channel string) (list []shown) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.shown {
		if m.channel == channel {
			list = append(list, *m)
		}
	}
	return list
}

func foot(c card.Card) string {
	var s []string
	for _, l := range c.Foot {
		s = append(s, card.PlainLine(l))
	}
	return strings.Join(s, "\n")
}

const auditChannel = "C0AUDIT"

// bench has a store, a board, and a publisher that connects them.
type bench struct {
	t     *testing.T
	store *memstore.Store
	posts publish.Posts
	board *board

	reminders *publish.Reminders
	// first, decided and ended are the fields of Config with these names.
	first          func(context.Context, engine.Run) card.Card
	decided, ended func(engine.Run) card.Card
}

func newBench(t *testing.T) *bench {
	store := memstore.New(memstore.Config{})
	return &bench{t: t, store: store, posts: store, board: &board{took: 100 * time.Millisecond}}
}

// start runs a publisher until stop is called.
func (b *bench) start() (stop func()) { b.t.Helper(); return b.startWith(b.posts, b.board) }

func (b *bench) startWith(posts publish.Posts, messenger publish.Messenger) (stop func()) {
	b.t.Helper()
	p, err := publish.New(publish.Config{
		Runs: b.store, Posts: posts, Messenger: messenger, Log: b.store, AuditChannel: auditChannel, Reminders: b.reminders,
		First: b.first, Decided: b.decided, Ended: b.ended,
		Card: func(r engine.Run) card.Card {
			return card.Card{Push: fmt.Sprintf("%s %s %s", r.ID, r.State, r.Why)}
		},
		Elsewhere: func(_ engine.Run, link string) card.Card { return card.Card{Push: "elsewhere " + link} },
		Unseen: func(_ engine.Run, withdrawn bool) card.Card {
			return card.Card{Push: fmt.Sprint("unseen, withdrawn ", withdrawn)}
		},
		Restored: func(r engine.Run) card.Card { return card.Card{Push: "restored " + r.ID} },
		Withdraw: func(ctx context.Context, r engine.Run) error {
			st, err := b.store.Get(ctx, r.ID)
			if err == nil {
				b.changeIn(r.Place.Channel, st, r.ID, engine.Cancelled, "unseen")
			}
			return err
		},
		TrailCard: func(list []audit.Sealed) card.Card {
			return card.Card{Push: fmt.Sprintf("%d-%d (%d)", list[0].N, list[len(list)-1].N, len(list))}
		},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			b.t.Error(err)
		}
	}
}

// change stores the next form of a run that has a channel of its own.
func (b *bench) change(old engine.Stored, id string, st engine.State, why string) engine.Stored {
	b.t.Helper()
	return b.changeIn("C0"+id, old, id, st, why)
}

func (b *bench) changeIn(channel string, old engine.Stored, id string, st engine.State, why string) engine.Stored {
	b.t.Helper()
	r := old.Run
	r.V, r.ID, r.State, r.Why = engine.FormVersion, id, st, why
	r.Place = engine.Place{Channel: channel}
	if st.Ended() {
		now := time.Now()
		r.EndedAt = &now
	}
	rec := audit.Link(audit.Record{At: time.Now(), Run: id, Kind: audit.StepStarted, Text: why}, r.Records+1, r.Head)
	r.Records, r.Head = rec.Seq, audit.Hash(rec)
	rev, err := b.store.Commit(b.t.Context(), engine.Change{Run: r, Rev: old.Rev, Records: []audit.Record{rec}})
	if err != nil {
		b.t.Fatal(err)
	}
	return engine.Stored{Run: r, Rev: rev}
}

func (b *bench) wantPosted(s engine.Stored) {
	b.t.Helper()
	p, ok, err := b.store.Post(b.t.Context(), s.Run.ID)
	if err != nil || !ok || p.Rev != s.Rev || p.TS == "" {
		b.t.Errorf("posted %+v (%v, %v), want revision %d", p, ok, err, s.Rev)
	}
}

var errNoPlace = fmt.Errorf("posting: %w", publish.ErrNoPlace)

const run1 = "R-2345"

// A run that changes often while the board is slow has one message. The message is edited a few
// times, and shows the last state at the end.
func TestRunHasOneMessageThatEndsRight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.board.took = time.Second
		defer b.start()()
		var s engine.Stored
		for i := range 50 {
			s = b.change(s, run1, engine.Running, fmt.Sprint("step ", i))
			fakeclock.Advance(50 * time.Millisecond)
		}
		s = b.change(s, run1, engine.Done, "41 s")
		fakeclock.Advance(5 * time.Second)
		got := b.board.in("C0" + run1)
		if len(got) != 1 || got[0].text != run1+" done 41 s" || !got[0].final {
			t.Errorf("shown %+v", got)
		}
		if b.board.edits > 4 {
			t.Errorf("%d edits for 50 changes within 2.5 s", b.board.edits)
		}
		b.wantPosted(s)
	})
}

// A newer edit replaces a waiting edit, so an outcome never waits behind a progress report.
func TestOutcomeOvertakesProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.board.took = 30 * time.Second
		defer b.start()()
		s := b.change(engine.Stored{}, run1, engine.Running, "")
		fakeclock.Advance(31 * time.Second)
		s = b.change(s, run1, engine.Running, "step 1")
		fakeclock.Advance(time.Second)
		b.change(s, run1, engine.Done, "")
		fakeclock.Advance(31 * time.Second)
		if got := b.board.in("C0" + run1); len(got) != 1 || got[0].text != run1+" done " || b.board.edits != 1 {
			t.Errorf("after %d edits: %+v", b.board.edits, got)
		}
	})
}

func TestFailingBoardLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		n := 0
		b.board.fail = func(string) error {
			if n++; n%3 != 0 {
				return errors.New("connection refused")
			}
			return nil
		}
		defer b.start()()
		s := b.change(engine.Stored{}, run1, engine.Waiting, "")
		fakeclock.Advance(time.Minute)
		s = b.change(s, run1, engine.Denied, "no")
		fakeclock.Advance(time.Minute)
		got := b.board.in("C0" + run1)
		if len(got) != 1 || got[0].text != run1+" denied no" {
			t.Errorf("shown %+v", got)
		}
		b.wantPosted(s)
	})
}

// Messages of runs that changed while no publisher ran are updated at the next start. Messages that
// are up to date are edited once if an earlier leader may have overwritten them.
func TestRestartReconciles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		stop := b.start()
		s := b.change(engine.Stored{}, run1, engine.Running, "")
		other := b.change(engine.Stored{}, "R-6789", engine.Done, "")
		still := b.change(engine.Stored{}, "R-2ABC", engine.Waiting, "")
		fakeclock.Advance(5 * time.Second)
		stop()
		s = b.change(s, run1, engine.Failed, "still not up")
		never := b.change(engine.Stored{}, "R-ABCD", engine.Expired, "")
		before := b.board.edits
		defer b.start()()
		fakeclock.Advance(3 * time.Minute)
		for _, want := range []engine.Stored{s, other, still, never} {
			b.wantPosted(want)
			if got := b.board.in(want.Run.Place.Channel); len(got) != 1 || !strings.Contains(got[0].text, string(want.Run.State)) ||
				!strings.HasPrefix(got[0].foot, "trail (https://slack.example/C0AUDIT/") || strings.Contains(got[0].foot, "again") {
				t.Errorf("%s: shown %+v", want.Run.ID, got)
			}
		}
		// The run that failed meanwhile needs one edit. The run without a message needs a post,
		// and an edit that adds the link to its trail. The other two need one edit each, because
		// an earlier leader may have overwritten them.
		if n := b.board.edits - before; n != 4 {
			t.Errorf("%d edits after the restart, want 4", n)
		}
	})
}

// forgetful is a store that cannot store that a message was posted.
type forgetful struct {
	*memstore.Store
	lose bool
}

func (f *forgetful) SetPost(ctx context.Context, run string, p publish.Post) error {
	if f.lose && p.TS != "" {
		return engine.ErrStoreDown
	}
	return f.Store.SetPost(ctx, run, p)
}

// If the bot could not store that a message was posted, it posts the message again, and the
// second message says so.
func TestDoublePostIsRecognisable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		store := &forgetful{Store: b.store, lose: true}
		b.posts = store
		stop := b.start()
		s := b.change(engine.Stored{}, run1, engine.Waiting, "")
		fakeclock.Advance(500 * time.Millisecond)
		stop()
		store.lose = false
		stop = b.start()
		fakeclock.Advance(5 * time.Second)
		stop()
		got := b.board.in("C0" + run1)
		if len(got) != 2 || got[0].foot != "" || !strings.Contains(got[1].foot, "Posted again") {
			t.Errorf("shown %+v", got)
		}
		b.wantPosted(s)
	})
}

func TestMessageThatIsGoneIsPostedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.board.fail = func(call string) error {
			if strings.HasPrefix(call, "edit ") {
				return fmt.Errorf("editing: %w", publish.ErrGone)
			}
			return nil
		}
		defer b.start()()
		s := b.change(engine.Stored{}, run1, engine.Running, "")
		fakeclock.Advance(5 * time.Second)
		s = b.change(s, run1, engine.Done, "")
		fakeclock.Advance(5 * time.Second)
		if got := b.board.in("C0" + run1); len(got) < 2 || got[len(got)-1].text != run1+" done " {
			t.Errorf("shown %+v", got)
		}
		b.wantPosted(s)
	})
}

// If a run's channel accepts no messages, the run is posted in the audit channel. This holds for
// the first card, and for a run whose channel is archived later. The requester gets a link.
func TestClosedChannelIsShownInTheAuditChannel(t *testing.T) {
	for _, archivedLater := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			var archived atomic.Bool
			archived.Store(!archivedLater)
			b.board.fail = func(call string) error {
				if archived.Load() && (call == "post C0"+run1 || call == "edit C0"+run1) {
					return errNoPlace
				}
				return nil
			}
			defer b.start()()
			s := b.change(engine.Stored{}, run1, engine.Waiting, "")
			fakeclock.Advance(5 * time.Second)
			archived.Store(true)
			s = b.change(s, run1, engine.Running, "")
			fakeclock.Advance(time.Minute)
			s = b.change(s, run1, engine.Done, "")
			fakeclock.Advance(time.Minute)
			b.wantPosted(s)
			var cards []shown
			for _, m := range b.board.in(auditChannel) {
				if strings.HasPrefix(m.text, run1+" ") {
					cards = append(cards, m)
				}
			}
			if len(cards) != 1 || cards[0].text != run1+" done " || !strings.Contains(cards[0].foot, "can't post in the channel") {
				t.Errorf("the audit channel shows %+v", cards)
			}
			if len(b.board.told) != 1 || !strings.Contains(b.board.told[0], "elsewhere https://slack.example/"+auditChannel) {
				t.Errorf("the requester got %q", b.board.told)
			}
		})
	}
}

// A request that no channel accepts is withdrawn, and the requester gets a message. Slack
// does not get a burst of retries.
func TestUnseenRequestIsWithdrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		tries := 0
		b.board.fail = func(call string) error {
			if tries++; strings.HasPrefix(call, "post ") {
				return errNoPlace
			}
			return nil
		}
		defer b.start()()
		b.change(engine.Stored{}, run1, engine.Waiting, "")
		fakeclock.Advance(time.Minute)
		st, err := b.store.Get(t.Context(), run1)
		if err != nil || st.Run.State != engine.Cancelled {
			t.Errorf("the run is %+v, %v, want cancelled", st.Run.State, err)
		}
		if len(b.board.told) == 0 || !strings.Contains(b.board.told[0], "withdrawn true") || len(b.board.told) > 2 {
			t.Errorf("the requester got %q", b.board.told)
		}
	})
}

// record adds n entries of a kind to the trail.
func (b *bench) record(n int, k audit.Kind) {
	b.t.Helper()
	for range n {
		if err := b.store.Append(b.t.Context(), audit.Record{At: time.Now(), Kind: k}, ""); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *bench) wantTrail(want ...string) {
	b.t.Helper()
	var got []string
	for _, m := range b.board.in(auditChannel) {
		got = append(got, strings.TrimSuffix(m.text+" "+m.foot, " "))
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		b.t.Errorf("the trail shows\n%q, want\n%q", got, want)
	}
}

func TestTrailIsPostedInBatchesWithoutReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		stop := b.start()
		b.record(3, audit.Note)
		fakeclock.Advance(3 * time.Second)
		b.record(5, audit.ReadDone)
		fakeclock.Advance(3 * time.Second)
		b.record(1, audit.Refused)
		fakeclock.Advance(3 * time.Second)
		stop()
		b.wantTrail("1-3 (3)", "9-9 (1)")
		b.record(15, audit.Note)
		fakeclock.Advance(time.Minute)
		stop = b.start()
		fakeclock.Advance(3 * time.Second)
		stop()
		// Each message has as many records as fit, because a record that was cut would never be
		// posted.
		b.wantTrail("1-3 (3)", "9-9 (1)", "10-16 (7) 1m0s late · 8 more entries are waiting",
			"17-23 (7) 1m0s late · 1 more entries are waiting", "24-24 (1) 1m0s late")
	})
}

func TestTrailIsPostedAtLeastOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		fails := 3
		b.board.fail = func(string) error {
			if fails > 0 {
				fails--
				return errors.New("connection refused")
			}
			return nil
		}
		defer b.start()()
		b.record(2, audit.Note)
		fakeclock.Advance(time.Minute)
		got := b.board.in(auditChannel)
		if len(got) != 1 || got[0].text != "1-2 (2)" || !strings.Contains(got[0].foot, "late") {
			t.Errorf("shown %+v", got)
		}
		if n, err := b.store.TrailPosted(t.Context()); n != 2 || err != nil {
			t.Errorf("the cursor is at %d, %v", n, err)
		}
	})
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	_, err := publish.New(publish.Config{})
	if err == nil {
		t.Fatal("accepted an empty config")
	}
	for _, want := range []string{"Runs", "Posts", "a Messenger", "audit Log", "audit channel", "a Card", "TrailCard"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}
