package poster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/sethvargo/go-retry"

	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/engine"
)

// Config is what a Poster needs. All of it but Now and Log is required.
type Config struct {
	Runs         engine.Runs
	Posts        Posts
	Board        Board
	Log          audit.Log
	AuditChannel string // where the trail is posted, C…
	// Card is a run's message as it should be now, and First what it is when it
	// is first shown, and calls people; nil means Card.
	Card, First func(engine.Run) card.Card
	// Reminders call people again while a run waits for votes; nil means none.
	Reminders *Reminders
	// TrailCard shows a batch of trail entries, and TrailReply one in the thread
	// of its run; nil means TrailCard.
	TrailCard, TrailReply func([]audit.Sealed) card.Card
	Now                   func() time.Time // nil means time.Now
	Logger                *slog.Logger     // nil means silence
}

// Poster brings messages in step with what is stored. One of all replicas
// runs it at a time: two would post every run twice.
type Poster struct {
	Config

	mu      sync.Mutex
	tracks  map[string]*track
	remind  reminding
	threads threads
	work    sync.WaitGroup
}

const (
	recent      = 100         // ended runs looked at after a start
	relist      = time.Minute // between comparisons of everything stored with everything posted
	retryFirst  = time.Second
	retryAtMost = time.Minute
)

// New makes a Poster; nothing is posted before Run.
func New(c Config) (*Poster, error) {
	var errs []error
	need := func(ok bool, what string) {
		if !ok {
			errs = append(errs, fmt.Errorf("the poster needs %s", what))
		}
	}
	need(c.Runs != nil, "Runs")
	need(c.Posts != nil, "Posts")
	need(c.Board != nil, "a Board")
	need(c.Log != nil, "the audit Log")
	need(c.AuditChannel != "", "an audit channel")
	need(c.Card != nil, "a Card")
	need(c.TrailCard != nil, "a TrailCard")
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.First == nil {
		c.First = c.Card
	}
	if c.TrailReply == nil {
		c.TrailReply = c.TrailCard
	}
	return &Poster{Config: c, tracks: make(map[string]*track), remind: newReminding(), threads: newThreads()}, nil
}

// Run reconciles until ctx ends, and then returns nil: every run's message is
// brought to the run's stored revision, and the trail is posted from where it
// was left. What fails is logged and tried again with a growing delay.
func (p *Poster) Run(ctx context.Context) error {
	var loops sync.WaitGroup
	for _, loop := range []func(context.Context){p.watchLoop, p.listLoop, p.trailLoop, p.remindLoop} {
		loops.Go(func() { loop(ctx) })
	}
	loops.Wait()
	p.work.Wait()
	return nil
}

// watchLoop follows the runs as they change.
func (p *Poster) watchLoop(ctx context.Context) {
	backoff := newBackoff()
	for ctx.Err() == nil {
		began := p.Now()
		err := p.Runs.Watch(ctx, func(s engine.Stored) { p.see(ctx, s) })
		if ctx.Err() != nil {
			return
		}
		if p.Now().Sub(began) > retryAtMost {
			backoff = newBackoff()
		}
		delay, _ := backoff.Next()
		p.Logger.Warn("watching the runs ended; starting again", "in", delay, "err", err)
		pause(ctx, delay)
	}
}

// listLoop compares what is stored with what was posted: at the start, for
// what a process that is gone left behind, and every now and then, for what a
// broken watch has missed.
func (p *Poster) listLoop(ctx context.Context) {
	backoff := newBackoff()
	for start := true; ctx.Err() == nil; {
		if err := p.list(ctx, start); err == nil {
			backoff, start = newBackoff(), false
			pause(ctx, relist)
			continue
		} else if ctx.Err() == nil {
			delay, _ := backoff.Next()
			p.Logger.Warn("the runs could not be listed; trying again", "in", delay, "err", err)
			pause(ctx, delay)
		}
	}
}

// list sees what is behind; at the start also what leads nowhere yet.
func (p *Poster) list(ctx context.Context, start bool) error {
	open, err := p.Runs.Open(ctx)
	if err != nil {
		return err
	}
	ended, err := p.Runs.Recent(ctx, recent)
	if err != nil {
		return err
	}
	for _, s := range append(open, ended...) {
		post, ok, err := p.Posts.Post(ctx, s.Run.ID)
		if err != nil {
			return err
		}
		if !ok || post.Rev < s.Rev || start && p.unlinked(ctx, s.Run.ID) {
			p.see(ctx, s)
		}
	}
	return nil
}

func newBackoff() retry.Backoff {
	return retry.WithJitterPercent(20, retry.WithCappedDuration(retryAtMost, retry.NewExponential(retryFirst)))
}

// pause waits for d or for ctx's end.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
