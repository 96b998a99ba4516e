package slackio

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"

	"dhbot/internal/card"
	"dhbot/internal/slackio/rate"
)

func say(s string) card.Card { return card.Card{Push: s, Head: card.Line{card.T(s)}} }

// sent is one edit that was sent.
type sent struct {
	at   rate.MessageKey
	text string
	when time.Duration
}

// outbox records what an edit queue sends, and can return errors.
type outbox struct {
	mu     sync.Mutex
	start  time.Time
	sent   []sent
	answer func(rate.MessageKey) error
	took   time.Duration
}

func (o *outbox) send(_ context.Context, at rate.MessageKey, c card.Card) error {
	time.Sleep(o.took)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.answer != nil {
		if err := o.answer(at); err != nil {
			return err
		}
	}
	o.sent = append(o.sent, sent{at, c.Push, time.Since(o.start)})
	return nil
}

// editing runs f and an edit queue in a bubble with fake time.
func editing(t *testing.T, o *outbox, f func(ctx context.Context, q *rate.Edits)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		o.start = time.Now()
		q := rate.NewEdits(rate.Pace{}.WithDefaults(), time.Now, o.send)
		var wg sync.WaitGroup
		wg.Go(func() { q.Run(ctx) })
		f(ctx, q)
		cancel()
		wg.Wait()
	})
}

func key(i int) rate.MessageKey { return rate.MessageKey{Channel: "C0X", Ts: fmt.Sprint(i)} }

// Two hundred changes of ten messages within a minute: there are never more than 45 edits in any
// minute, and every message soon shows its last state.
func TestEditsKeepToTheWorkspaceBudget(t *testing.T) {
	o := &outbox{}
	editing(t, o, func(ctx context.Context, q *rate.Edits) {
		var calls sync.WaitGroup
		for n := range 200 {
			time.Sleep(300 * time.Millisecond)
			last := n >= 190
			calls.Go(func() {
				if err := q.Put(ctx, key(n%10), say(fmt.Sprint(n)), last); err != nil {
					t.Errorf("edit %d: %v", n, err)
				}
			})
		}
		calls.Wait()
	})
	newest := map[rate.MessageKey]sent{}
	for i, s := range o.sent {
		newest[s.at] = s
		if i >= 45 && s.when-o.sent[i-45].when < time.Minute {
			t.Errorf("46 edits within %s", s.when-o.sent[i-45].when)
		}
	}
	for i := range 10 {
		got := newest[key(i)]
		if got.text != fmt.Sprint(190+i) {
			t.Errorf("message %d ended with %q", i, got.text)
		}
		if asked := time.Duration(191+i) * 300 * time.Millisecond; got.when-asked > 20*time.Second {
			t.Errorf("the final edit of message %d came after %s", i, got.when-asked)
		}
	}
	if len(o.sent) < 30 {
		t.Errorf("only %d edits in a minute: progress is hardly seen", len(o.sent))
	}
}

func TestFinalEditsGoFirst(t *testing.T) {
	o := &outbox{took: 10 * time.Millisecond}
	editing(t, o, func(ctx context.Context, q *rate.Edits) {
		var calls sync.WaitGroup
		for i := range 30 {
			calls.Go(func() { _ = q.Put(ctx, key(i), say("progress"), false) })
		}
		synctest.Wait()
		time.Sleep(5 * time.Second) // the burst is used up
		asked := time.Since(o.start)
		if err := q.Put(ctx, key(99), say("done"), true); err != nil {
			t.Error(err)
		}
		if late := time.Since(o.start) - asked; late > time.Second {
			t.Errorf("the final edit waited %s behind progress", late)
		}
		calls.Wait()
	})
}

func TestFinalEditsOvertakeWhatWaits(t *testing.T) {
	o := &outbox{took: time.Second}
	editing(t, o, func(ctx context.Context, q *rate.Edits) {
		var calls sync.WaitGroup
		for i := range 5 {
			calls.Go(func() { _ = q.Put(ctx, key(i), say(fmt.Sprint(i)), i == 4) })
			synctest.Wait()
		}
		calls.Wait()
	})
	if len(o.sent) != 5 || o.sent[1].text != "4" {
		t.Errorf("sent %+v, want the final edit right after the running one", o.sent)
	}
}

// Of several waiting edits of a message only the latest is made, and every caller gets the result
// of that edit.
func TestWaitingEditsBecomeOne(t *testing.T) {
	o := &outbox{took: time.Second}
	editing(t, o, func(ctx context.Context, q *rate.Edits) {
		var calls sync.WaitGroup
		for i := range 6 {
			calls.Go(func() {
				if err := q.Put(ctx, key(1), say(fmt.Sprint(i)), false); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		calls.Wait()
	})
	if len(o.sent) != 2 || o.sent[0].text != "0" || o.sent[1].text != "5" {
		t.Errorf("sent %+v, want the first and the latest", o.sent)
	}
}

// An edit that gets a 429 is made after Slack's retry time, unless a newer edit replaces it. In
// both cases the caller gets the true result.
func TestEditSurvives429(t *testing.T) {
	for _, newer := range []bool{false, true} {
		o := &outbox{took: 100 * time.Millisecond}
		refusals := 2
		o.answer = func(rate.MessageKey) error {
			if refusals > 0 {
				refusals--
				return &slack.RateLimitedError{RetryAfter: 7 * time.Second}
			}
			return nil
		}
		editing(t, o, func(ctx context.Context, q *rate.Edits) {
			var calls sync.WaitGroup
			put := func(text string) {
				calls.Go(func() {
					if err := q.Put(ctx, key(1), say(text), text == "done"); err != nil {
						t.Errorf("%s: %v", text, err)
					}
				})
				synctest.Wait()
			}
			put("done")
			if newer {
				put("newer")
			}
			calls.Wait()
		})
		want := map[bool]string{false: "done", true: "newer"}[newer]
		if len(o.sent) != 1 || o.sent[0].text != want || o.sent[0].when < 14*time.Second {
			t.Errorf("newer=%v: sent %+v, want one %q after 14 s", newer, o.sent, want)
		}
	}
}

// If the caller of a waiting edit gives up, the edit is not made.
func TestWithdrawnEditIsNotMade(t *testing.T) {
	o := &outbox{took: time.Second}
	editing(t, o, func(ctx context.Context, q *rate.Edits) {
		var calls sync.WaitGroup
		calls.Go(func() { _ = q.Put(ctx, key(0), say("first"), false) })
		synctest.Wait()
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		if err := q.Put(short, key(1), say("withdrawn"), false); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		calls.Wait()
		time.Sleep(time.Minute)
	})
	if len(o.sent) != 1 {
		t.Errorf("sent %+v", o.sent)
	}
}

func TestStoppedEditsAreNotSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		q := rate.NewEdits(rate.Pace{}.WithDefaults(), time.Now, func(ctx context.Context, _ rate.MessageKey, _ card.Card) error {
			<-ctx.Done()
			return ctx.Err()
		})
		var wg sync.WaitGroup
		wg.Go(func() { q.Run(ctx) })
		for i := range 3 {
			wg.Go(func() {
				if err := q.Put(context.Background(), key(i), say("x"), false); err == nil {
					t.Error("an edit that was not made returned nil")
				}
			})
		}
		synctest.Wait()
		cancel()
		wg.Wait()
		if err := q.Put(t.Context(), key(0), say("x"), false); !errors.Is(err, rate.ErrStopped) {
			t.Errorf("after the stop: %v", err)
		}
	})
}

// Background posts are sent once a second. Answers are sent at once, and wait only if there would
// be more than four posts in four seconds. All posts are sent in order.
func TestPostsKeepToTheRateOfAChannelInOrder(t *testing.T) {
	second := func(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }
	for _, c := range []struct {
		name, want string
		posts      string          // a: an answer, t: a background post, d: a decision
		at         []time.Duration // when each is requested; 0 if omitted
	}{
		{name: "background posts", posts: "tttttt", want: "[0s 1s 2s 4s 5s 6s]"},
		{name: "answers", posts: "aaaaaaaaaa", at: []time.Duration{9: second(9.5)}, want: "[0s 0s 0s 4s 4s 4s 8s 8s 8s 12s]"},
		{name: "answers at different times", posts: "aaaaaa", at: []time.Duration{0, second(1), second(1.5), second(2), second(2), second(9)}, want: "[0s 1s 1.5s 4s 5s 9s]"},
		{name: "answers and background posts", posts: "tatattaa", want: "[0s 0s 1s 4s 5s 6s 8s 9s]"},
		{name: "decisions beside answers", posts: "aaad", want: "[0s 0s 0s 0s]"},
		{name: "decisions alone", posts: "dddddd", want: "[0s 0s 0s 0s 4s 4s]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				turns := rate.NewChannelLimiter(rate.Pace{}.WithDefaults(), time.Now, func(time.Duration) {})
				start := time.Now()
				var mu sync.Mutex
				got := map[string][]time.Duration{}
				var wg sync.WaitGroup
				for i, kind := range c.posts {
					if i < len(c.at) {
						time.Sleep(time.Until(start.Add(c.at[i])))
					}
					for _, ch := range []string{"A", "B"} {
						wg.Go(func() {
							_ = turns.Do(t.Context(), ch, rate.MethodPost, map[rune]rate.Priority{'t': rate.Background, 'a': rate.Interactive, 'd': rate.Decision}[kind], func(context.Context) error {
								mu.Lock()
								defer mu.Unlock()
								if len(got[ch]) != i {
									t.Errorf("%s: post %d was made as number %d", ch, i, len(got[ch]))
								}
								got[ch] = append(got[ch], time.Since(start))
								return nil
							})
						})
					}
					synctest.Wait()
				}
				wg.Wait()
				for ch, at := range got {
					if fmt.Sprint(at) != c.want {
						t.Errorf("%s: posts at %v, want %s", ch, at, c.want)
					}
				}
			})
		})
	}
}

// After a 429 no caller calls the same method until the pause is over, and no post is lost. Other
// methods are called during the pause.
func TestPausesAfter429ArePerMethod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := rate.NewChannelLimiter(rate.Pace{}.WithDefaults(), time.Now, func(time.Duration) {})
		start := time.Now()
		calls := 0
		err := turns.Do(t.Context(), "A", rate.MethodPost, rate.Background, func(context.Context) error {
			if calls++; calls == 1 {
				go func() {
					_ = turns.Do(t.Context(), "B", rate.MethodEphemeral, rate.Background, func(context.Context) error {
						if d := time.Since(start); d > time.Second {
							t.Errorf("another method waited %s", d)
						}
						return nil
					})
					time.Sleep(time.Second)
					_ = turns.Do(t.Context(), "C", rate.MethodPost, rate.Background, func(context.Context) error {
						if d := time.Since(start); d < 30*time.Second {
							t.Errorf("the method was called again after %s", d)
						}
						return nil
					})
				}()
				return fmt.Errorf("wrapped: %w", &slack.RateLimitedError{RetryAfter: 30 * time.Second})
			}
			return nil
		})
		if d := time.Since(start); err != nil || d != 30*time.Second || calls != 2 {
			t.Errorf("%v after %s and %d calls", err, d, calls)
		}
		synctest.Wait()
	})
}

func TestTurnEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := rate.NewChannelLimiter(rate.Pace{PostEvery: time.Hour, PostBurst: 1}, time.Now, func(time.Duration) {})
		never := func(context.Context) error { return nil }
		if err := turns.Do(t.Context(), "A", rate.MethodPost, rate.Background, never); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		ran := false
		err := turns.Do(ctx, "A", rate.MethodPost, rate.Background, func(context.Context) error { ran = true; return nil })
		if !errors.Is(err, context.DeadlineExceeded) || ran {
			t.Errorf("%v, ran %v", err, ran)
		}
	})
}
