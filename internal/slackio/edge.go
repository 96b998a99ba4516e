package slackio

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/slack-go/slack"

	"dhbot/auth"
	"dhbot/handlers/call"
	"dhbot/internal/pause"
	"dhbot/internal/secret"
	"dhbot/internal/slackio/rate"
	"dhbot/internal/slackio/wire"
	"dhbot/internal/workerpool"
)

// Config has the dependencies and limits of an Edge.
type Config struct {
	AppToken secret.Text // xapp-…, opens the sockets
	BotToken secret.Text // xoxb-…, calls the Web API
	// APIURL is the address of the Web API, "" for Slack itself. The caller decides whether another
	// address is allowed.
	APIURL string
	// IsHome reports whether the config names this organisation, or the bot's workspace in it, as
	// the bot's home. The id of the organisation is E… in an Enterprise Grid, otherwise T…. The bot
	// token must belong to the home.
	IsHome func(organisation, team string) bool
	// IsKnown reports whether the config has an account with that id. Other accounts are looked up
	// and answered at a low rate.
	IsKnown func(user string) bool
	Claims  Claims
	// Handler is called with every new delivery. Message.Key is "" if the delivery could not be
	// claimed; in that case the handler must not change anything. ctx ends a few seconds after
	// the ctx of Run. settled means that the handler's transaction has settled the claim.
	// Otherwise the Edge settles the claim, unless ctx has ended: in that case the delivery is
	// resumed later.
	Handler func(ctx context.Context, m call.Message, r call.Reply) (settled bool)
	// Workers is how many handlers that have not yet answered may run at the same time; 0 means
	// 12. With fewer, hosts are idle. With more, acknowledgements are late (measured).
	Workers int
	// Queue is how many more deliveries may wait; 0 means 256. The edge answers any further
	// delivery with "busy, not accepted".
	Queue int
	// AckTimeout limits sending an acknowledgement; 0 means 2 s. Slack waits 3 s for
	// an acknowledgement, and the claim before it takes up to 1 s, so 2 s is the most.
	AckTimeout time.Duration
	// Sockets is the number of connections; 0 means 2, so that one works while Slack refreshes the
	// other. Slack allows ten for all replicas together.
	Sockets int
	// Grace is how long handlers may continue when the edge stops; 0 means 5 s.
	Grace time.Duration
	// Silence sets when a connection that receives no bytes is replaced.
	Silence Silence
	Pace    rate.Pace
	Log     *slog.Logger
	Now     func() time.Time // nil means time.Now
	// Observer gets events to count.
	Observer Observer
}

// Observer gets the events of the edge for metrics; a nil function ignores them.
type Observer struct {
	// Acked and Answered get the time since the envelope arrived.
	Acked, Answered func(time.Duration)
	// Called gets the method and the HTTP status of every call of the Web API. The method is
	// "other" for a one-time address, and the status is 0 if there was no answer.
	Called func(method string, status int)
}

func (o Observer) withDefaults() Observer {
	if o.Acked == nil {
		o.Acked = func(time.Duration) {}
	}
	if o.Answered == nil {
		o.Answered = func(time.Duration) {}
	}
	if o.Called == nil {
		o.Called = func(string, int) {}
	}
	return o
}

// Edge is the bot's Slack client. Its methods are safe for concurrent use.
type Edge struct {
	appToken, botToken secret.Text
	apiURL             string
	isHome             func(organisation, team string) bool
	isKnown            func(user string) bool
	claims             Claims
	handler            func(context.Context, call.Message, call.Reply) bool
	receive            func(call.Message) *call.Parsed
	onHome             func(auth.Account)
	onRoundTrip        func(RoundTrip)
	ackTimeout, grace  time.Duration
	silence            Silence
	log                *slog.Logger
	now                func() time.Time
	observer           Observer

	http  *http.Client
	watch *wire.Watcher
	ask   *slack.Client // for queries: waits after a 429
	chat  *slack.Client // for posts: channelLimiter and edits handle 429s

	sockets     []*socket
	me          atomic.Pointer[Identity]
	answered    atomic.Int64     // Unix nanoseconds; see Answered
	workers     *workerpool.Pool // handles deliveries while Run runs
	workerSem   chan struct{}    // limits concurrent handlers
	inflightSem chan struct{}    // limits handlers without an answer
	late        chan ack         // acknowledgements of connections that have ended
	notices     chan notice
	drain       drainGate
	left        chan struct{} // closed when other replicas take over the events
	leaving     sync.Once
	limiter     *rate.ChannelLimiter
	strangers   *strangers
	reads       *reads
	slowed      *slowed
	edits       *rate.Edits
	profiles    *memory[auth.Profile]
	channels    *memory[channelFacts]
}

// New returns an Edge; it sends nothing before Run.
func New(c Config) (*Edge, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	e := &Edge{
		appToken: c.AppToken, botToken: c.BotToken, apiURL: c.APIURL, isHome: c.IsHome, claims: c.Claims, handler: c.Handler,
		ackTimeout: c.AckTimeout,
		grace:      c.Grace,
		silence:    c.Silence,
		log:        c.Log,
		now:        c.Now,
		http:       httpClient(c.APIURL, c.Observer.Called),
		observer:   c.Observer,
		workerSem:  make(chan struct{}, c.Workers+c.Queue), inflightSem: make(chan struct{}, c.Workers),
		late: make(chan ack), notices: make(chan notice, 64), drain: drainGate{change: make(chan struct{})}, left: make(chan struct{}),
		strangers: newStrangers(c.Now), reads: newReads(), slowed: newSlowed(), isKnown: c.IsKnown,
		profiles: newMemory[auth.Profile](c.Now), channels: newMemory[channelFacts](c.Now),
	}
	e.limiter = rate.NewChannelLimiter(c.Pace, c.Now, e.paused)
	e.edits = rate.NewEdits(c.Pace, c.Now, e.update)
	e.watch = wire.New(e.http, e.apiURL, e.now)
	client := slack.OptionHTTPClient(e.watch.Client(wire.BotToken))
	e.chat = slack.New(e.botToken.Reveal(), slack.OptionAPIURL(e.apiURL), client)
	// The retry option wraps the HTTP client that was set before, so it must be the last option.
	e.ask = slack.New(e.botToken.Reveal(), slack.OptionAPIURL(e.apiURL), client, slack.OptionRetry(2))
	for i := range c.Sockets {
		e.sockets = append(
			e.sockets, &socket{edge: e, n: i + 1, reconnect: make(chan struct{}, 1), connectionState: connectionState{now: c.Now}},
		)
	}
	return e, nil
}

func (c Config) check() error {
	var errs []error
	if !strings.HasPrefix(c.AppToken.Reveal(), "xapp-") {
		errs = append(errs, errors.New("the app token (SLACK_APP_TOKEN) does not start with xapp-: use an app-level token with the scope connections:write"))
	}
	if !strings.HasPrefix(c.BotToken.Reveal(), "xoxb-") {
		errs = append(errs, errors.New("the bot token (SLACK_BOT_TOKEN) does not start with xoxb-: copy it from the app's page, OAuth & Permissions"))
	}
	if c.IsHome == nil {
		errs = append(errs, errors.New("the Slack client needs IsHome: it must not start with a token of another organisation"))
	}
	if c.IsKnown == nil {
		errs = append(errs, errors.New("the Slack client needs IsKnown: unknown accounts must not use the capacity of known people"))
	}
	if c.Claims == nil {
		errs = append(errs, errors.New("the Slack client needs Claims: it acknowledges only stored deliveries"))
	}
	if c.Handler == nil {
		errs = append(errs, errors.New("the Slack client needs a Handler"))
	}
	if c.Sockets > 10 {
		errs = append(errs, fmt.Errorf("%d sockets are configured, but Slack allows 10 for the whole app", c.Sockets))
	}
	return errors.Join(errs...)
}

func (c Config) withDefaults() Config {
	if c.APIURL == "" {
		c.APIURL = slack.APIURL
	}
	if !strings.HasSuffix(c.APIURL, "/") {
		c.APIURL += "/"
	}
	if c.Workers <= 0 {
		c.Workers = 12
	}
	if c.Queue <= 0 {
		c.Queue = 256
	}
	if c.AckTimeout <= 0 {
		c.AckTimeout = 2 * time.Second
	}
	if c.Sockets <= 0 {
		c.Sockets = 2
	}
	if c.Grace <= 0 {
		c.Grace = 5 * time.Second
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Silence, c.Pace, c.Observer = c.Silence.withDefaults(), c.Pace.WithDefaults(), c.Observer.withDefaults()
	return c
}

// httpClient keeps enough idle connections. With Go's default of two per host, nearly every answer
// under load would open a new connection.
func httpClient(apiURL string, called func(method string, status int)) *http.Client {
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          64,
		MaxIdleConnsPerHost:   64,
		MaxConnsPerHost:       64,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   callTimeout,
		ResponseHeaderTimeout: callTimeout,
	}
	return &http.Client{Timeout: time.Minute, Transport: &observedTransport{Transport: transport, apiURL: apiURL, called: called}}
}

// ClaimUnless sets the function that parses slash commands and mentions. The edge does not claim a
// slash command that only reads: it acknowledges the command at once, and Slack never redelivers a
// slash command.
// Without the function, every delivery is claimed. Call ClaimUnless before Run.
func (e *Edge) ClaimUnless(receive func(call.Message) *call.Parsed) { e.receive = receive }

// Run connects to Slack and serves until ctx ends, or until Drain if other replicas receive
// events. Then it stops in order: it accepts no new delivery, acknowledges accepted deliveries,
// closes the sockets, and gives running handlers a few seconds. Then it returns nil. If Slack
// refuses a token for good before any socket was open, or if the bot token belongs to another
// organisation, Run returns an error that names the token and the fix.
func (e *Edge) Run(ctx context.Context) error {
	if err := e.introduce(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	e.workers = workerpool.New()
	defer e.workers.Close()
	outer := context.WithoutCancel(ctx)
	work, stopWork := context.WithCancelCause(outer)
	defer stopWork(nil)

	stopOut := start(outer, func(out context.Context) { e.edits.Run(out) }, e.sendNotices, e.proveToken)
	refusal := make(chan error, len(e.sockets))
	var connect []func(context.Context)
	for i, s := range e.sockets {
		connect = append(connect, func(ctx context.Context) {
			if pause.For(ctx, time.Duration(i)*socketStagger) {
				refusal <- s.run(ctx, work)
			}
		})
	}
	hangUp := start(outer, connect...)

	var err error
	select {
	case <-ctx.Done():
		e.drain.close()
	case err = <-refusal:
		e.drain.close()
	case <-e.left:
	}
	e.await(claimBudget+e.ackTimeout, func(unack, _ int) bool { return unack == 0 })
	hangUp()
	e.drain.close()
	if err == nil {
		<-ctx.Done() // accepted deliveries are finished if other replicas receive events
	}
	e.await(e.grace, func(_, inside int) bool { return inside == 0 })
	stopWork(rate.ErrStopped)
	e.drain.wait(outer, func(_, inside int) bool { return inside == 0 })
	stopOut()
	e.http.CloseIdleConnections()
	return err
}

// start runs each function until stop is called. stop returns when all functions have returned.
func start(ctx context.Context, run ...func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	for _, f := range run {
		wg.Go(func() { f(ctx) })
	}
	return func() {
		cancel()
		wg.Wait()
	}
}

func (e *Edge) await(atMost time.Duration, done func(unack, inside int) bool) {
	ctx, cancel := context.WithTimeout(context.Background(), atMost)
	defer cancel()
	e.drain.wait(ctx, done)
}

// introduce gets the bot's identity, and retries while Slack cannot be reached.
func (e *Edge) introduce(ctx context.Context) error {
	backoff := newBackoff()
	for {
		id, err := e.Whoami(ctx)
		if err == nil {
			e.me.Store(&id)
			return e.atHome(id)
		}
		if advice, yes := fatal(err); yes {
			return fmt.Errorf("the bot token (SLACK_BOT_TOKEN) is refused: %w: %s", err, advice)
		}
		delay, _ := backoff.Next()
		e.log.WarnContext(ctx, "Slack cannot be reached; retrying", "in", delay.Round(time.Millisecond), "err", err)
		if !pause.For(ctx, delay) {
			return nil
		}
	}
}

// atHome refuses a bot token that does not belong to the config's organisation.
func (e *Edge) atHome(id Identity) error {
	if e.isHome(id.Organisation(), id.Team) {
		return nil
	}
	return fmt.Errorf("the bot token (SLACK_BOT_TOKEN) belongs to %s, which is not slack.home of the config: the bot does not start; "+
		"write `home: %s` if that is the right organisation, otherwise use a token of the right one", id.Organisation(), id.Organisation())
}

func (e *Edge) self() Identity {
	if id := e.me.Load(); id != nil {
		return *id
	}
	return Identity{}
}

// Drain makes the edge accept no new deliveries; accepted deliveries are still handled. If other
// replicas receive events, the edge closes its sockets, so that Slack sends every event to the
// other replicas. Otherwise the sockets stay open, and the edge refuses new deliveries with an
// answer to the person.
func (e *Edge) Drain(othersHear bool) {
	if othersHear {
		e.leaving.Do(func() { close(e.left) })
		return
	}
	e.drain.close()
}
