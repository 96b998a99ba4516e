package publish

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
	"dhbot/internal/pause"
)

// Config has the dependencies of a Publisher. They are required, except Now, Log and those whose
// comment says otherwise.
type Config struct {
	Runs         engine.Runs
	Posts        Posts
	Messenger    Messenger
	Log          audit.Log
	AuditChannel string // the channel for the trail, C…
	// Card makes the message that shows a run. First makes the run's first message, which
	// mentions people. If First is nil, Card also makes the first message.
	Card  func(engine.Run) card.Card
	First func(context.Context, engine.Run) card.Card
	// Reminders configures repeated mentions while a run waits for votes. If it is nil, there
	// are none.
	Reminders *Reminders
	// Elsewhere tells the requester that their run is posted in the audit channel, with a link to
	// the message. Unseen tells the requester that the run is posted nowhere, and whether it was
	// withdrawn.
	Elsewhere func(r engine.Run, link string) card.Card
	Unseen    func(r engine.Run, withdrawn bool) card.Card
	// Restored mentions the requester of a run that a restore has closed.
	Restored func(engine.Run) card.Card
	// Decided and Ended mention the requester after a slow decision, and at the end of the run.
	// If a function is nil, it mentions no one.
	Decided, Ended func(engine.Run) card.Card
	// Withdraw ends a run that waits for votes and has no visible message.
	Withdraw func(ctx context.Context, r engine.Run) error
	// TrailCard shows a batch of trail entries. TrailReply shows a batch in the thread of a run.
	// If TrailReply is nil, TrailCard is used.
	TrailCard, TrailReply func([]audit.Sealed) card.Card
	Now                   func() time.Time // nil means time.Now
	Logger                *slog.Logger     // nil discards the log
}

// Publisher keeps messages in step with the store. Only one replica may run it at a time,
// because two would post every run twice.
type Publisher struct {
	Config

	mu      sync.Mutex
	tracks  map[string]*track
	remind  reminding
	threads threads
	refused map[string]undelivered // runs whose channel accepts no messages
	telling map[string]bool        // runs with mentions in progress; true: check again afterwards
	notes   [32]sync.Mutex         // guard the stored posts, by run
	work    sync.WaitGroup
}

const (
	recent      = 100              // number of ended runs checked after a start
	relist      = 10 * time.Second // interval of comparing all stored runs with their messages
	again       = 10 * time.Minute // a new leader edits the message of a run once more if the run ended less than this ago
	retryFirst  = time.Second
	retryAtMost = 15 * time.Second
)

// New makes a Publisher. It posts nothing until Run is called.
func New(c Config) (*Publisher, error) {
	var errs []error
	need := func(ok bool, what string) {
		if !ok {
			errs = append(errs, fmt.Errorf("the publisher needs %s", what))
		}
	}
	need(c.Runs != nil, "Runs")
	need(c.Posts != nil, "Posts")
	need(c.Messenger != nil, "a Messenger")
	need(c.Log != nil, "the audit Log")
	need(c.AuditChannel != "", "an audit channel")
	need(c.Card != nil, "a Card")
	need(c.Elsewhere != nil && c.Unseen != nil && c.Withdraw != nil, "Elsewhere, Unseen and Withdraw")
	need(c.Restored != nil, "Restored")
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
		c.First = func(_ context.Context, r engine.Run) card.Card { return c.Card(r) }
	}
	if c.TrailReply == nil {
		c.TrailReply = c.TrailCard
	}
	return &Publisher{
		Config:  c,
		tracks:  make(map[string]*track),
		remind:  newReminding(),
		threads: newThreads(),
		refused: map[string]undelivered{},
		telling: map[string]bool{},
	}, nil
}

// Run reconciles until ctx ends, and then returns nil. It updates every run's message to the
// run's stored revision, and posts the trail from the last posted entry. Errors are logged and
// retried with a growing delay.
func (p *Publisher) Run(ctx context.Context) error {
	var loops sync.WaitGroup
	for _, loop := range []func(context.Context){p.watchLoop, p.listLoop, p.trailLoop, p.remindLoop} {
		loops.Go(func() { loop(ctx) })
	}
	loops.Wait()
	p.work.Wait()
	return nil
}

// watchLoop follows changes of runs.
func (p *Publisher) watchLoop(ctx context.Context) {
	engine.Follow(ctx, p.Runs, p.Logger, "publisher", func() {}, func(s engine.Stored) { p.see(ctx, s) })
}

// listLoop compares the store with the messages. It does so at the start, because a process may
// have died before it updated a message. Later it does so regularly, because a broken watch may
// have missed changes.
func (p *Publisher) listLoop(ctx context.Context) {
	backoff := newBackoff()
	for start := true; ctx.Err() == nil; {
		if err := p.list(ctx, start); err == nil {
			backoff, start = newBackoff(), false
			pause.For(ctx, relist)
			continue
		} else if ctx.Err() == nil {
			delay, _ := backoff.Next()
			p.Logger.WarnContext(ctx, "the runs could not be listed; retrying", "in", delay, "err", err)
			pause.For(ctx, delay)
		}
	}
}

// list finds messages that are behind. At the start it also finds messages without a link to
// their thread.
func (p *Publisher) list(ctx context.Context, start bool) error {
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
		if ok && start && p.mayBeOverwritten(s.Run, post) {
			post.Rev = 0
			if err := p.setPost(ctx, s.Run.ID, post); err != nil {
				return err
			}
		}
		if p.refusedLately(s.Run.ID) {
			continue
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
