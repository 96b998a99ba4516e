package batch_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dhbot/internal/batch"
)

// calls records the time and the inputs of each call. Each call takes a while.
type calls struct {
	mu   sync.Mutex
	zero time.Time
	at   []time.Duration
	of   [][]int
}

const lasts = 3 * time.Millisecond

var errNegative = errors.New("negative")

func (c *calls) make(_ context.Context, in []int) error {
	c.mu.Lock()
	c.at, c.of = append(c.at, time.Since(c.zero)), append(c.of, slices.Sorted(slices.Values(in)))
	c.mu.Unlock()
	time.Sleep(lasts)
	if slices.Min(in) < 0 {
		return errNegative
	}
	return nil
}

func one(int) int    { return 1 }
func self(n int) int { return n }

// asking calls Do with each number after its delay, and returns when every call has returned.
func asking(g *batch.Batcher[int], delays map[int]time.Duration) {
	var wg sync.WaitGroup
	for n, delay := range delays {
		wg.Go(func() {
			time.Sleep(delay)
			_ = g.Do(context.Background(), n)
		})
	}
	wg.Wait()
}

const ms = time.Millisecond

// The first request starts a call at once. Requests that arrive during this call share the next
// call.
func TestRequestsDuringACallShareTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &calls{zero: time.Now()}
		g := batch.New(20*ms, 100, one, c.make)
		asking(g, map[int]time.Duration{1: 0, 2: 1 * ms, 3: 2 * ms, 4: 21 * ms, 5: 100 * ms})
		if want := []time.Duration{0, 20 * ms, 40 * ms, 100 * ms}; !slices.Equal(c.at, want) {
			t.Errorf("calls at %v, want %v", c.at, want)
		}
		if want := [][]int{{1}, {2, 3}, {4}, {5}}; !slices.EqualFunc(c.of, want, slices.Equal) {
			t.Errorf("calls for %v, want %v", c.of, want)
		}
	})
}

// No call is larger than its limit, and every request is in exactly one call.
func TestNoCallIsLargerThanItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &calls{zero: time.Now()}
		g := batch.New(20*ms, 10, self, c.make)
		asking(g, map[int]time.Duration{1: 0, 4: 1 * ms, 5: 2 * ms, 6: 3 * ms, 11: 4 * ms})
		slices.SortFunc(c.of, slices.Compare)
		if want := [][]int{{1}, {4, 5}, {6}, {11}}; !slices.EqualFunc(c.of, want, slices.Equal) {
			t.Errorf("calls for %v, want %v", c.of, want)
		}
		if c.at[3] != 20*ms {
			t.Errorf("the last call was made at %v, want all of them by 20 ms", c.at[3])
		}
	})
}

// A caller that gives up does not affect the others, even if it was the first. If a call fails, all
// its callers get the error.
func TestGivingUpAffectsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &calls{zero: time.Now()}
		g := batch.New(20*ms, 100, one, c.make)
		if err := g.Do(t.Context(), 1); err != nil {
			t.Error(err)
		}
		tired := errors.New("tired")
		var wg sync.WaitGroup
		wg.Go(func() {
			ctx, cancel := context.WithTimeoutCause(t.Context(), 5*ms, tired)
			defer cancel()
			if err := g.Do(ctx, -10); !errors.Is(err, tired) {
				t.Errorf("the caller that gave up got %v", err)
			}
		})
		wg.Go(func() {
			time.Sleep(ms)
			if err := g.Do(t.Context(), 3); !errors.Is(err, errNegative) {
				t.Errorf("the other caller got %v", err)
			}
		})
		wg.Wait()
	})
}
