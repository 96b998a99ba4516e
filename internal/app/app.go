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

// Store stores everything that outlives the process.
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
	// Lead calls the function work while this replica leads; only one replica leads at a time. The
	// context of work ends when the lead is lost. Lead calls work again when this replica leads
	// again.
	Lead(ctx context.Context, work func(ctx context.Context) error) error
	// Seal chains the pending records into the trail, unless another replica does.
	Seal(ctx context.Context) (int, error)
	// Run renews the lease and seals the trail until ctx ends.
	Run(ctx context.Context) error
}

// Remote is the SSH client.
type Remote interface {
	remote.Runner
	// Maintain keeps connections warm until ctx ends, and then closes them.
	Maintain(ctx context.Context) error
}

// Slack is the Slack client.
type Slack interface {
	publish.Messenger
	call.Directory
	presence.Source
	// Channel reports whether people of other organisations are in a channel or may join it, and
	// whether the bot is a member. The answer may be up to maxAge old.
	Channel(ctx context.Context, id string, maxAge time.Duration) (shared, member bool, err error)
	// Answered is the time of Slack's last answer.
	Answered() time.Time
	// Drain stops accepting new deliveries; accepted deliveries are still handled. If
	// othersHear is true, it closes the connections, so that Slack delivers to other replicas.
	// Otherwise new deliveries are answered with a refusal.
	Drain(othersHear bool)
	// Run receives events and posts messages until ctx ends.
	Run(ctx context.Context) error
	// Resume passes a stored delivery to the handler again.
	Resume(ctx context.Context, key string, payload []byte) error
	Health() slackio.Health
	// ClaimUnless sets the function that parses a slash command on arrival. A command that only
	// reads is acknowledged without a claim. Call it before Run.
	ClaimUnless(receive func(call.Message) *call.Parsed)
	// OnHome sets the function that is called when a person opens the Home tab. Call it before
	// Run.
	OnHome(opened func(auth.Account))
	// OnRoundTrip sets the function that is called with the events of the bot's own reactions.
	// Call it before Run.
	OnRoundTrip(heard func(slackio.RoundTrip))
	// SetRoundTripMark adds or removes the bot's reaction on a message, which causes an event.
	// Errors wrap slackio.ErrAlreadyMarked if the reaction is already as requested, and
	// publish.ErrGone if the message no longer exists.
	SetRoundTripMark(ctx context.Context, channel, ts string, on bool) error
	// Renew replaces every socket, one after the other.
	Renew(ctx context.Context)
	// PublishHome updates a person's Home tab.
	PublishHome(ctx context.Context, user string, cards []card.Card) error
}

// Edges are the bot's clients.
type Edges struct {
	Store  Store
	Remote Remote
	// Slack makes the Slack client, which passes messages to the given handler.
	Slack func(slackio.Claims, Handler) (Slack, error)
	// StoreHealth returns the health of the store, and Backup writes a backup of it, for `bot
	// health` and `bot state backup`. Either may be nil.
	StoreHealth func(ctx context.Context) (etcdstore.Health, error)
	Backup      func(ctx context.Context, w io.Writer) (etcdstore.Manifest, error)
	// SignedHead returns the newest signed head of the trail as a note, "" if there is none yet.
	// The field is nil if heads are not signed.
	SignedHead func(ctx context.Context) (string, error)
	// Stopped returns why nothing may be changed, "" if changes are allowed. The field may be nil.
	Stopped func() string
	// Peers lists the live replicas; nil if there can be only one replica.
	Peers func(ctx context.Context) ([]replicas.Peer, error)
	// Leave announces to the other replicas that this replica is stopping; nil if Peers is nil.
	Leave func(ctx context.Context) error
	// SetLastHeard stores the time of the last event from Slack, and returns the time that was
	// stored before, zero for none. The field is nil if this time is not stored.
	SetLastHeard func(ctx context.Context, heard time.Time) (before time.Time, err error)
	// SSHStats returns the counters of the connection pool; may be nil.
	SSHStats func() metrics.SSH
	// SSHExpiring returns user certificates that expire soon; nil without SSH.
	SSHExpiring func(now time.Time) []sshexec.Expiry
	// RoundTrip stores the round trip through Slack; nil disables it.
	RoundTrip RoundTripStore
}

// Handler handles a delivery.
type Handler = func(context.Context, call.Message, call.Reply) (settled bool)

// Config is the configuration of Run, without its clients.
type Config struct {
	Grammar      command.Grammar
	Settings     call.Settings // rules and limits; Run adds the clients
	Policy       engine.Policy
	Times        Times
	AuditChannel string
	Replica      string
	Hash         string // hash of the config; replicas compare their hashes
	// ControlDir is the directory of the control socket; "" for none.
	ControlDir string
	Terminal   Terminal
	// Watches are the clusters with background monitoring.
	Watches map[string]monitor.Background
	// Escalations has, for each cluster, the people and the pager to notify when no one
	// responds.
	Escalations map[string]config.Escalation
	// Jump is the jump host of all hosts, "" for none.
	Jump string
	// Assess has the config's limits for assessing processes.
	Assess status.Policy
	// Metrics are the Prometheus metrics; may be nil. They are served if Listen has an address.
	Metrics *metrics.Metrics
	Listen  config.Metrics
	// Loops knows the loops that must run; nil makes one for this bot.
	Loops *liveness.Checker
	// Reload returns the result of the last reload of the config.
	Reload func() metrics.Reload
	// Started is called when every part runs.
	Started func()
	Log     *slog.Logger
	Now     func() time.Time
}

// Times are the intervals of the bot's checks. An interval of 0 means its default.
type Times struct {
	Engine  engine.Times
	Monitor monitor.Times

	Escalation time.Duration // between two checks for due stages
	Absences   time.Duration // time limit of a query for the people who are away
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

// Run runs the bot. It returns nil when ctx has ended and every part has stopped, or the first
// error of a part.
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

// bot is the bot with its parts connected.
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
	shell     *console // nil if `bot do` is not configured
	loop      *liveness.Loop

	echoes  roundTrips
	foreign foreignConnections
}

// run starts the parts in order of dependency and stops them in reverse. To stop, the bot first
// accepts nothing new. It then waits for its runs to stop, updates messages, and closes the store
// last.
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
				return fmt.Errorf("%s ended unexpectedly", name)
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
		b.Log.InfoContext(ctx, "stopping: nothing new is accepted")
	case <-failed.Done():
	}
	return b.stop(g, stack)
}

// startListeners opens the local sockets and the HTTP listener.
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
