package gather_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dhbot/internal/gather"
)

// calls notes when each call was made and for whom; a call takes a while.
type calls struct {
	mu   sync.Mutex
	zero time.Time
	at   []time.Duration
	of   [][]int
}

const lasts = 3 * time.Millisecond

func (c *calls) sum(_ context.Context, in []int) (sum int, err error) {
	c.mu.Lock()
	c.at, c.of = append(c.at, time.Since(c.zero)), append(c.of, slices.Sorted(slices.Values(in)))
	c.mu.Unlock()
	time.Sleep(lasts)
	for _, n := range in {
		sum += n
	}
	if sum < 0 {
		err = errors.New("negative")
	}
	return sum, err
}

// asking asks for each of in at its time and returns what each was told.
func asking(g *gather.Gather[int, int], in map[int]time.Duration) map[int]int {
	var mu sync.Mutex
	told := map[int]int{}
	var wg sync.WaitGroup
	for n, at := range in {
		wg.Go(func() {
			time.Sleep(at)
			sum, _ := g.Ask(context.Background(), n)
			mu.Lock()
			defer mu.Unlock()
			told[n] = sum
		})
	}
	wg.Wait()
	return told
}

const ms = time.Millisecond

// The first is called for at once, those who ask meanwhile share the next call,
// which begins after all of them have asked, and all get its answer.
func TestThoseWhoAskMeanwhileShareTheNextCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &calls{zero: time.Now()}
		g := gather.New(20*ms, 0, nil, c.sum)
		told := asking(g, map[int]time.Duration{1: 0, 10: 1 * ms, 100: 2 * ms, 1000: 21 * ms, 10000: 100 * ms})
		if want := []time.Duration{0, 20 * ms, 40 * ms, 100 * ms}; !slices.Equal(c.at, want) {
			t.Errorf("calls at %v, want %v", c.at, want)
		}
		for n, want := range map[int]int{1: 1, 10: 110, 100: 110, 1000: 1000, 10000: 10000} {
			if told[n] != want {
				t.Errorf("%d was told %d, want %d", n, told[n], want)
			}
		}
	})
}

// Nobody waits for more than one call's room, and everybody is in exactly one.
func TestNoCallIsLargerThanItsRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &calls{zero: time.Now()}
		g := gather.New(20*ms, 10, func(n int) int { return n }, c.sum)
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

// Whoever gives up takes nothing from the others, not even as the first of
// them; and an error is everybody's.
func TestWhoGivesUpTakesNothingAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &calls{zero: time.Now()}
		g := gather.New(20*ms, 0, nil, c.sum)
		if n, err := g.Ask(t.Context(), 1); n != 1 || err != nil {
			t.Errorf("told %d, %v", n, err)
		}
		tired := errors.New("tired")
		var wg sync.WaitGroup
		wg.Go(func() {
			ctx, cancel := context.WithTimeoutCause(t.Context(), 5*ms, tired)
			defer cancel()
			if _, err := g.Ask(ctx, -10); !errors.Is(err, tired) {
				t.Errorf("the one who gave up was told %v", err)
			}
		})
		wg.Go(func() {
			time.Sleep(ms)
			if n, err := g.Ask(t.Context(), 3); n != -7 || err == nil {
				t.Errorf("the other was told %d, %v", n, err)
			}
		})
		wg.Wait()
	})
}
