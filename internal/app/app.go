// Package app is the program: it wires the rooms of the house together and
// runs them. It takes its edges as values, so that tests and the demo run the
// very program that `bot run` does.
package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"dhbot/auth"
	"dhbot/handlers"
	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/control"
	"dhbot/internal/engine"
	"dhbot/internal/etcdstore"
	"dhbot/internal/lookout"
	"dhbot/internal/poster"
	"dhbot/internal/remote"
	"dhbot/internal/slackio"
	"dhbot/internal/watch"
)

// Store is the state edge: everything that outlives the process.
type Store interface {
	engine.Runs
	engine.Members
	audit.Log
	poster.Posts
	slackio.Claims
	handlers.Windows
	watch.Keeper
	// NewID mints a run id that was never used.
	NewID(ctx context.Context) (string, error)
	// Unsettled calls f with every delivery that was accepted and not handled.
	Unsettled(ctx context.Context, f func(key string, payload []byte, replica string, at time.Time) error) error
	// Lead runs do while this replica, and no other, leads; the context of do
	// ends with the lead, and do is run again with the next.
	Lead(ctx context.Context, do func(ctx context.Context) error) error
	// Seal chains what is pending into the trail, unless another replica does.
	Seal(ctx context.Context) (int, error)
	// Run keeps the lease and seals the trail until ctx ends.
	Run(ctx context.Context) error
}

// Remote is the SSH edge.
type Remote interface {
	remote.Runner
	// Maintain keeps connections warm until ctx ends, and then closes them.
	Maintain(ctx context.Context) error
}

// Slack is the Slack edge.
type Slack interface {
	poster.Board
	handlers.Directory
	// Drain takes nothing new on, while what was taken on is still handled.
	// Where others hear, Slack is left to those; else new deliveries are turned
	// away with a word.
	Drain(othersHear bool)
	// Run hears and speaks until ctx ends.
	Run(ctx context.Context) error
	// Resume hands a stored delivery to the handler again.
	Resume(ctx context.Context, key string, payload []byte) error
	Health() slackio.Health
	// ClaimUnless names the deliveries that need not be durable before they
	// are acknowledged; it is called before Run.
	ClaimUnless(onlyReads func(handlers.Message) bool)
	// OnHome names what hears that somebody opened the app's own page; it is
	// called before Run.
	OnHome(opened func(auth.Account))
	// OnEcho names what hears of the bot's own marks; it is called before Run.
	OnEcho(heard func(slackio.Echo))
	// Mark sets the bot's mark on a message or takes it back, which makes Slack
	// tell the app of it. Errors are slackio's.
	Mark(ctx context.Context, channel, ts string, on bool) error
	// Renew opens every socket anew, one after the other.
	Renew(ctx context.Context)
	// PublishHome shows somebody their page.
	PublishHome(ctx context.Context, user string, cards []card.Card) error
}

// Edges are the bot's doors to the world.
type Edges struct {
	Store  Store
	Remote Remote
	// Slack makes the Slack edge for a handler: it cannot exist before one.
	Slack func(slackio.Claims, Handler) (Slack, error)
	// StoreHealth says how the store is, and Backup writes a backup of it, for
	// `bot health` and `bot state backup`. Either may be nil.
	StoreHealth func(ctx context.Context) (etcdstore.Health, error)
	Backup      func(ctx context.Context, w io.Writer) (etcdstore.Manifest, error)
	// Peers lists the living replicas; nil where there can be only this one.
	Peers func(ctx context.Context) ([]etcdstore.Peer, error)
	// Leave tells them that this one stops; nil as with Peers.
	Leave func(ctx context.Context) error
	// Hear notes that the bot hears people at a time, and returns when it last
	// did before; zero for never. Nil where nobody remembers.
	Hear func(ctx context.Context, at time.Time) (before time.Time, err error)
	// Echoes keep the round trip through Slack; nil makes none.
	Echoes Echoes
}

// Handler is what a delivery is given to.
type Handler = func(context.Context, handlers.Message, handlers.Reply) (settled bool)

// Config is what Run goes by besides its edges.
type Config struct {
	Grammar      handlers.Grammar
	Settings     handlers.Settings // rules and the like; the edges are filled in here
	Policy       engine.Policy
	AuditChannel string
	Replica      string
	Hash         string // of the config, for replicas to compare
	// ControlDir is where the control socket is; "" means none.
	ControlDir string
	Terminal   Terminal
	// Watches are the clusters that are watched in the background.
	Watches map[string]lookout.Background
	Log     *slog.Logger
	Now     func() time.Time
}

// Run is the program. It returns nil when ctx has ended and everything has
// come to rest, or the first error that ended it.
func Run(ctx context.Context, c Config, edges Edges) error {
	b, err := build(c, edges)
	if err != nil {
		return err
	}
	return b.run(ctx)
}

// bot is the house, wired.
type bot struct {
	Config
	Edges
	started time.Time
	slack   Slack
	engine  *engine.Engine
	poster  *poster.Poster
	service *handlers.Service
	homes   *homes
	lookout *lookout.Lookout
	term    *console // nil where there is no terminal

	echoes    echoes
	strangers strangers
}

func build(c Config, edges Edges) (*bot, error) {
	b := &bot{Config: c, Edges: edges, started: c.Now(), echoes: echoes{heard: make(chan slackio.Echo, 16)}}
	var err error
	handler := func(ctx context.Context, m handlers.Message, r handlers.Reply) bool {
		return b.service.Handle(ctx, m, r)
	}
	if b.slack, err = edges.Slack(edges.Store, handler); err != nil {
		return nil, err
	}
	gate := engine.GateFunc(func(ctx context.Context, r engine.Run) error {
		if why, err := b.agrees(ctx); err == nil && why != "" {
			return fmt.Errorf("%w: %s", engine.ErrElsewhere, why)
		}
		return b.service.Recheck(ctx, r)
	})
	b.engine, err = engine.New(engine.Config{
		Runs: edges.Store, Runner: edges.Remote, Gate: gate, Members: edges.Store, Policy: c.Policy,
		Replica: c.Replica, Now: c.Now, Log: c.Log.With("part", "engine"),
	})
	if err != nil {
		return nil, err
	}
	s := c.Settings
	s.Grammar = c.Grammar
	s.OpenChannel = cmp.Or(s.OpenChannel, c.AuditChannel)
	s.Directory = directory{slack: b.slack, keys: c.Terminal.Keys, now: c.Now}
	s.Engine, s.Runs, s.Windows, s.Log, s.Remote, s.NewID = b.engine, edges.Store, edges.Store, edges.Store, edges.Remote, edges.Store.NewID
	s.Keeper, s.Watching = edges.Store, func() { b.lookout.Nudge() }
	s.Agrees = b.agrees
	s.Health = func(ctx context.Context) (bool, []string) { h := b.health(ctx); return h.OK, h.Lines() }
	s.Now, s.Logger = c.Now, c.Log.With("part", "handlers")
	if b.service, err = handlers.New(s); err != nil {
		return nil, err
	}
	b.lookout, err = lookout.New(lookout.Config{
		Keeper: edges.Store, Board: b.slack, Looker: b.service, Clusters: c.Watches, Now: c.Now, Logger: c.Log.With("part", "lookout"),
	})
	if err != nil {
		return nil, err
	}
	b.slack.ClaimUnless(b.service.OnlyReads)
	b.homes = b.newHomes()
	b.slack.OnHome(b.homes.open)
	b.slack.OnEcho(b.echoes.hear)
	b.poster, err = poster.New(poster.Config{
		Runs: edges.Store, Posts: edges.Store, Board: b.slack, Log: edges.Store, AuditChannel: c.AuditChannel,
		Card: card.Run, First: card.Asked, Reminders: b.reminders(), TrailCard: card.Trail, TrailReply: card.TrailOf, Now: c.Now, Logger: c.Log.With("part", "poster"),
	})
	if err == nil && c.Terminal.Socket != "" && len(c.Terminal.Keys) > 0 {
		b.term, err = b.console()
	}
	return b, err
}

// run starts the parts from the bottom up and stops them from the top down:
// first nothing new is taken, then what runs comes to rest, then what people
// see is brought up to date, and the store goes last.
func (b *bot) run(ctx context.Context) error {
	g, failed := errgroup.WithContext(context.WithoutCancel(ctx))
	var stack []func()
	start := func(name string, run func(context.Context) error) {
		own, stop := context.WithCancel(failed)
		ended := make(chan struct{})
		g.Go(func() error {
			defer close(ended)
			if err := run(own); err != nil && !errors.Is(err, context.Canceled) {
				return fmt.Errorf("%s: %w", name, err)
			}
			if own.Err() == nil {
				return fmt.Errorf("%s ended by itself", name)
			}
			return nil
		})
		stack = append(stack, func() { stop(); <-ended })
	}
	start("state store", b.Store.Run)
	if b.ControlDir != "" {
		l, err := control.Listen(b.ControlDir)
		if err != nil {
			return errors.Join(err, b.stop(g, stack))
		}
		start("control socket", func(ctx context.Context) error { return control.Serve(ctx, l, b.control()) })
	}
	start("ssh", b.Remote.Maintain)
	start("slack", b.slack.Run)
	start("leader", func(ctx context.Context) error { return b.Store.Lead(ctx, b.lead) })
	start("engine", b.engine.Run)
	start("recovery", b.takeUpOwn)
	start("hearing", b.listen)
	start("echoes", b.listenForEchoes)
	start("connections", b.watchCount)
	start("peers", b.watchPeers)
	start("home pages", b.homes.run)
	if b.term != nil {
		start("terminal", func(ctx context.Context) error { return b.term.run(ctx, b.Log.Error) })
	}

	select {
	case <-ctx.Done():
		b.Log.Info("stopping: nothing new is taken on")
	case <-failed.Done():
	}
	return b.stop(g, stack)
}

func (b *bot) stop(g *errgroup.Group, stack []func()) error {
	b.slack.Drain(b.others())
	for i := len(stack) - 1; i >= 0; i-- {
		stack[i]()
	}
	return g.Wait()
}
