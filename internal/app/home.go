package app

import (
	"context"
	"hash/fnv"
	"maps"
	"sync"
	"time"

	"dhbot/auth"
	"dhbot/handlers"
	"dhbot/internal/card"
	"dhbot/internal/engine"
)

const (
	homeWorkers = 4                // concurrent workers; each person has a fixed one
	homeQueue   = 16               // pages that may wait for a worker
	homeViewers = 50               // pages kept up to date
	homeLasts   = 15 * time.Minute // how long a page is updated after it was opened
	homeEvery   = 5 * time.Second  // between two rounds of updates
	homeFresh   = time.Minute      // largest age of the hosts' answers
)

// homes updates the Home tabs of recent viewers when runs change. A tab that could not be
// published is published again in the next round.
type homes struct {
	b       *bot
	show    func(ctx context.Context, a auth.Account) error // publishes a tab
	opened  chan auth.Account
	failed  chan auth.Account
	changed chan struct{}
	queues  [homeWorkers]chan auth.Account
}

func newHomes(b *bot, show func(context.Context, auth.Account) error) *homes {
	h := &homes{
		b:       b,
		show:    show,
		opened:  make(chan auth.Account, homeQueue),
		failed:  make(chan auth.Account),
		changed: make(chan struct{}, 1),
	}
	for i := range h.queues {
		h.queues[i] = make(chan auth.Account, homeQueue)
	}
	return h
}

// showHome returns the function that makes and publishes the tab of an account.
func (b *bot) showHome() func(context.Context, auth.Account) error {
	pages := handlers.NewHomes(b.service)
	return func(ctx context.Context, a auth.Account) error {
		return pages.Show(ctx, a, homeFresh, func(ctx context.Context, cards []card.Card) error {
			return b.slack.PublishHome(ctx, a.User, cards)
		})
	}
}

// open records that a person opened their Home tab. It never blocks; when the queue is full,
// the tab is updated at the next open.
func (h *homes) open(a auth.Account) {
	select {
	case h.opened <- a:
	default:
		h.b.Log.Warn("too many home pages wait; one was left out")
	}
}

func (h *homes) run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, q := range h.queues {
		wg.Go(func() { h.work(ctx, q) })
	}
	wg.Go(func() { h.watch(ctx) })
	h.serve(ctx)
	wg.Wait()
	return nil
}

// serve updates tabs: at once when a person opens one, and in rounds for recent viewers.
func (h *homes) serve(ctx context.Context) {
	v := viewers{since: map[auth.Account]time.Time{}, again: map[auth.Account]bool{}}
	round := time.NewTicker(homeEvery)
	defer round.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case a := <-h.opened:
			v.add(a, h.b.Now())
			h.hand(&v, a)
		case a := <-h.failed:
			v.again[a] = true
		case <-round.C:
			for _, a := range v.due(h.runsChanged(), h.b.Now()) {
				h.hand(&v, a)
			}
		}
	}
}

// viewers are the people who recently opened their tab.
type viewers struct {
	since map[auth.Account]time.Time // when they last opened it
	again map[auth.Account]bool      // whose tab could not be published
}

func (v *viewers) add(a auth.Account, now time.Time) {
	if _, known := v.since[a]; known || len(v.since) < homeViewers {
		v.since[a] = now
	}
}

// due returns the viewers whose tab is published in this round: all after a run has changed,
// otherwise only those whose tab could not be published. It forgets people who opened their tab
// long ago.
func (v *viewers) due(runsChanged bool, now time.Time) []auth.Account {
	maps.DeleteFunc(v.since, func(_ auth.Account, since time.Time) bool { return now.Sub(since) > homeLasts })
	var out []auth.Account
	for a := range v.since {
		if runsChanged || v.again[a] {
			out = append(out, a)
		}
	}
	clear(v.again)
	return out
}

func (h *homes) runsChanged() bool {
	select {
	case <-h.changed:
		return true
	default:
		return false
	}
}

// hand passes a tab to the worker of its person. One worker makes all updates of a person's tab, so
// that an older tab never overwrites a newer tab.
func (h *homes) hand(v *viewers, a auth.Account) {
	sum := fnv.New32a()
	sum.Write([]byte(a.String()))
	select {
	case h.queues[sum.Sum32()%homeWorkers] <- a:
	default:
		v.again[a] = true
		h.b.Log.Warn("too many home pages wait; one waits for the next round", "account", a.String())
	}
}

func (h *homes) work(ctx context.Context, queue <-chan auth.Account) {
	for {
		select {
		case <-ctx.Done():
			return
		case a := <-queue:
			err := h.show(ctx, a)
			if err == nil || ctx.Err() != nil {
				continue
			}
			h.b.Log.WarnContext(ctx, "a home page is not up to date; retrying", "account", a.String(), "err", err)
			select {
			case h.failed <- a:
			case <-ctx.Done():
			}
		}
	}
}

// watch follows the runs in the store, and signals when a run has changed.
func (h *homes) watch(ctx context.Context) {
	engine.Follow(ctx, h.b.Store, h.b.Log, "home pages", func() {}, func(engine.Stored) {
		select {
		case h.changed <- struct{}{}:
		default:
		}
	})
}
