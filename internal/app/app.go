// Package app is the program: it wires the rooms of the house together and
// runs them. It takes its edges as values, so that tests and the demo run the
// very program that `bot run` does.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"dhbot/auth"
	"dhbot/handlers"
	"dhbot/handlers/call"
	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/command"
	"dhbot/internal/config"
	"dhbot/internal/engine"
	"dhbot/internal/escalation"
	"dhbot/internal/incident"
	"dhbot/internal/liveness"
	"dhbot/internal/local/adminsock"
	"dhbot/internal/local/membership"
	"dhbot/internal/metrics"
	"dhbot/internal/monitor"
	"dhbot/internal/presence"
	"dhbot/internal/publish"
	"dhbot/internal/remote"
	"dhbot/internal/slackio"
	"dhbot/internal/sshexec"
	"dhbot/internal/status"
	"dhbot/internal/store/etcdstore"
	"dhbot/internal/store/replicas"
)

// Store is the state edge: everything that outlives the process.
type Store interface {
	engine.Runs
	engine.Members
	engine.Ledger
	audit.Log
	publish.Posts
	slackio.Claims
	call.Windows
	incident.Keeper
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
	publish.Messenger
	call.Directory
	presence.Source
	// Answered is when Slack last said anything.
	Answered() time.Time
	// Drain accepts no new deliveries, while accepted ones are still handled.
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
	ClaimUnless(onlyReads func(call.Message) bool)
	// OnHome sets what is called when a person opens the app's own page; it is
	// called before Run.
	OnHome(opened func(auth.Account))
	// OnRoundTrip names what hears of the bot's own marks; it is called before Run.
	OnRoundTrip(heard func(slackio.RoundTrip))
	// SetRoundTripMark sets the bot's mark on a message or takes it back, which makes Slack
	// tell the app of it. Errors are slackio's.
	SetRoundTripMark(ctx context.Context, channel, ts string, on bool) error
	// Renew opens every socket anew, one after the other.
	Renew(ctx context.Context)
	// PublishHome shows a person their page.
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
	// SignedHead is the newest signed head of the trail as a note, "" for none yet;
	// nil where heads are not signed.
	SignedHead func(ctx context.Context) (string, error)
	// Stopped says why nothing may be changed, "" for nothing; nil for never.
	Stopped func() string
	// Peers lists the living replicas; nil where there can be only this one.
	Peers func(ctx context.Context) ([]replicas.Peer, error)
	// Leave tells them that this one stops; nil as with Peers.
	Leave func(ctx context.Context) error
	// SetLastHeard notes that the bot hears people at a time, and returns when it last
	// did before; zero for never. Nil where it is not stored.
	SetLastHeard func(ctx context.Context, at time.Time) (before time.Time, err error)
	// SSHStats says what the connection pool has; nil where there is none.
	SSHStats func() metrics.SSH
	// SSHExpiring says which user certificates end soon; nil where hosts are
	// not reached over SSH.
	SSHExpiring func(now time.Time) []sshexec.Expiry
	// RoundTrip keep the round trip through Slack; nil makes none.
	RoundTrip RoundTripStore
}

// Handler is what a delivery is given to.
type Handler = func(context.Context, call.Message, call.Reply) (settled bool)

// Config is what Run goes by besides its edges.
type Config struct {
	Grammar      command.Grammar
	Settings     call.Settings // rules and the like; the edges are filled in here
	Policy       engine.Policy
	AuditChannel string
	Replica      string
	Hash         string // of the config, for replicas to compare
	// ControlDir is where the control socket is; "" means none.
	ControlDir string
	Terminal   Terminal
	// Watches are the clusters that are watched in the background.
	Watches map[string]monitor.Background
	// Escalations are, by cluster, who is called when no one takes something.
	Escalations map[string]config.Escalation
	// Jump is the host by which all others are reached, "" for none.
	Jump string
	// Assess is what the config says of how processes are judged.
	Assess status.Policy
	// Metrics is what the bot tells Prometheus; nil keeps it to itself. It is
	// served where Listen names an address.
	Metrics *metrics.Metrics
	Listen  config.Metrics
	// Loops knows the loops that have to turn; nil makes one of this bot alone.
	Loops *liveness.Checker
	// Reload says how the last reading of the config went.
	Reload func() metrics.Reload
	// Started is called when every part runs.
	Started func()
	Log     *slog.Logger
	Now     func() time.Time
}

func (c Config) withDefaults() Config {
	if c.Metrics == nil {
		c.Metrics = metrics.New(metrics.Build{}, c.Hash)
	}
	if c.Loops == nil {
		c.Loops = new(liveness.Checker)
	}
	if c.Reload == nil {
		read := metrics.Reload{OK: true, At: c.Now()}
		c.Reload = func() metrics.Reload { return read }
	}
	if c.Started == nil {
		c.Started = func() {}
	}
	return c
}

// Run is the program. It returns nil when ctx has ended and everything has
// come to rest, or the first error that ended it.
func Run(ctx context.Context, c Config, edges Edges) error {
	c = c.withDefaults()
	loop := c.Loops.Loop("engine", turnsWithin)
	defer loop.Done()
	b, err := build(c, edges, loop)
	if err != nil {
		return err
	}
	return b.run(ctx)
}

// bot is the house, wired.
type bot struct {
	Config
	Edges
	started   time.Time
	slack     Slack
	engine    *engine.Engine
	publisher *publish.Publisher
	service   *handlers.Service
	members   *membership.Directory
	homes     *homes
	monitor   *monitor.Monitor
	escalator *escalation.Escalator
	presence  *presence.Board
	shell     *console // nil where there is no terminal
	loop      *liveness.Loop

	echoes  roundTrips
	foreign foreignConnections
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
	if err := b.startListeners(start); err != nil {
		return errors.Join(err, b.stop(g, stack))
	}
	start("ssh", b.Remote.Maintain)
	start("slack", b.slack.Run)
	start("leader", func(ctx context.Context) error { return b.Store.Lead(ctx, b.lead) })
	start("engine", func(ctx context.Context) error {
		defer b.loop.Done()
		return b.engine.Run(ctx)
	})
	start("recovery", b.resumeOwn)
	start("hearing", b.listen)
	start("config", b.watchReload)
	start("stopped changes", b.watchStopped)
	start("echoes", b.watchRoundTrip)
	start("connections", b.watchCount)
	start("peers", b.watchPeers)
	start("tokens", b.watchTokens)
	start("home pages", b.homes.run)
	if b.shell != nil {
		start("membership", b.members.Run)
		start("terminal", func(ctx context.Context) error { return b.shell.run(ctx, b.Log.Error) })
	}

	b.Started()
	select {
	case <-ctx.Done():
		b.Log.InfoContext(ctx, "stopping: nothing new is taken on")
	case <-failed.Done():
	}
	return b.stop(g, stack)
}

// startListeners opens what others reach the bot by on this machine.
func (b *bot) startListeners(start func(string, func(context.Context) error)) error {
	if b.ControlDir != "" {
		l, err := adminsock.Listen(b.ControlDir)
		if err != nil {
			return err
		}
		start("control socket", func(ctx context.Context) error { return adminsock.Serve(ctx, l, b.control()) })
	}
	if b.Listen.Listen == "" {
		return nil
	}
	l := b.metricsListener()
	socket, err := l.Listen()
	if err != nil {
		return err
	}
	start("metrics", func(ctx context.Context) error { return b.Metrics.Serve(ctx, socket, l) })
	return nil
}

func (b *bot) stop(g *errgroup.Group, stack []func()) error {
	b.slack.Drain(b.others())
	for i := len(stack) - 1; i >= 0; i-- {
		stack[i]()
	}
	return g.Wait()
}
