package app

import (
	"context"
	"hash/fnv"
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

// homes updates the Home tabs of recent viewers when runs change.
type homes struct {
	b       *bot
	pages   *handlers.Homes
	opened  chan auth.Account
	changed chan struct{}
	queues  [homeWorkers]chan auth.Account
}

func (b *bot) newHomes() *homes {
	h := &homes{b: b, pages: handlers.NewHomes(b.service), opened: make(chan auth.Account, homeQueue), changed: make(chan struct{}, 1)}
	for i := range h.queues {
		h.queues[i] = make(chan auth.Account, homeQueue)
	}
	return h
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

// serve updates tabs: at once when a person opens one, and in rounds for all recent viewers
// after a run has changed.
func (h *homes) serve(ctx context.Context) {
	viewers := map[auth.Account]time.Time{}
	round := time.NewTicker(homeEvery)
	defer round.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case a := <-h.opened:
			if _, known := viewers[a]; known || len(viewers) < homeViewers {
				viewers[a] = h.b.Now()
			}
			h.hand(a)
		case <-round.C:
			select {
			case <-h.changed:
			default:
				continue
			}
			for a, since := range viewers {
				if h.b.Now().Sub(since) > homeLasts {
					delete(viewers, a)
					continue
				}
				h.hand(a)
			}
		}
	}
}

// hand passes a page to its person's worker, so that an older form never overwrites a newer
// one.
func (h *homes) hand(a auth.Account) {
	sum := fnv.New32a()
	sum.Write([]byte(a.String()))
	select {
	case h.queues[sum.Sum32()%homeWorkers] <- a:
	default:
		h.b.Log.Warn("too many home pages wait; one was left out", "account", a.String())
	}
}

func (h *homes) work(ctx context.Context, queue <-chan auth.Account) {
	for {
		select {
		case <-ctx.Done():
			return
		case a := <-queue:
			err := h.pages.Show(ctx, a, homeFresh, func(ctx context.Context, cards []card.Card) error {
				return h.b.slack.PublishHome(ctx, a.User, cards)
			})
			if err != nil && ctx.Err() == nil {
				h.b.Log.WarnContext(ctx, "a home page is not up to date", "account", a.String(), "err", err)
			}
		}
	}
}

// watch records that a run has changed.
func (h *homes) watch(ctx context.Context) {
	engine.Follow(ctx, h.b.Store, h.b.Log, "home pages", func() {}, func(engine.Stored) {
		select {
		case h.changed <- struct{}{}:
		default:
		}
	})
}
