package faulttest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"dhbot/internal/app"
	"dhbot/internal/config"
	"dhbot/internal/engine"
	"dhbot/internal/secret"
	"dhbot/internal/slackio"
	"dhbot/internal/slackio/rate"
	"dhbot/internal/sshexec"
	"dhbot/internal/store/etcdstore"
)

// replicaVar is the environment variable that tells a bot process which file has its settings.
const replicaVar = "DHBOT_FAULT_REPLICA"

// Times of a replica. They are shorter than in production, so that a round takes only seconds.
const (
	leaseTTL = 2 * time.Second
	startTTL = 20 * time.Second
	voteTTL  = 2 * time.Minute
)

// quick has the polling intervals of a replica whose hosts run at ten times the normal speed.
var quick = app.Times{Engine: engine.Times{AskEvery: 300 * time.Millisecond, LookAfter: 3 * time.Second, LookWithin: 6 * time.Second}}

// settings configure a bot process.
type settings struct {
	Name      string
	Config    string // the config file
	SlackAPI  string
	AppToken  string
	BotToken  string
	Gate      string // the socket to which crossings are reported; "" means a bot with normal durations
	Peek      string // the socket on which the round reads the state
	KeepTrail uint64 // entries of the trail that stay in the store; 0 for the default
	// KeepClaims is how long the store keeps handled deliveries. It counts only if KeepTrail is
	// set.
	KeepClaims time.Duration
	StartTTL   time.Duration // how long a request may stay in the queue
}

// replicaMain does what `bot run` does, but with wrapped edges. It returns the exit code of the
// process.
func replicaMain(file string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := runReplica(ctx, file); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return 1
	}
	return 0
}

func runReplica(ctx context.Context, file string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var s settings
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	env := map[string]string{"SLACK_APP_TOKEN": s.AppToken, "SLACK_BOT_TOKEN": s.BotToken}
	cfg, problems := config.Load(s.Config, func(name string) string { return env[name] })
	if problems.Fatal() {
		return problems
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil)).With("replica", s.Name)
	c := app.Configure(cfg, cfg.Catalogs, app.Options{SlackAPI: s.SlackAPI, Log: log})
	if s.Gate != "" {
		c.Policy, c.Times = engine.Policy{VoteTTL: voteTTL, StartTTL: s.StartTTL}, quick
	}
	c.Replica = s.Name
	edges, store, closeAll, err := openEdges(ctx, cfg, s, log)
	if err != nil {
		if ctx.Err() != nil {
			return nil // stopped before it began
		}
		return err
	}
	peek, err := servePeek(s.Peek, store)
	if err != nil {
		return errors.Join(err, closeAll())
	}
	if s.Gate != "" {
		edges = wrap(edges, newGate(s.Gate, s.Name))
	}
	err = app.Run(ctx, c, edges)
	return errors.Join(err, peek(), closeAll())
}

// openEdges opens the edges as app.Open does, but with short times for tests, unless the settings
// ask for normal times.
func openEdges(ctx context.Context, cfg *config.Config, s settings, log *slog.Logger) (app.Edges, *etcdstore.Store, func() error, error) {
	sc := app.StoreConfig(cfg, s.Name, log)
	pc := sshexec.Config{Credentials: cfg.SSH.Credentials, KnownHosts: cfg.SSH.KnownHosts, Log: log}
	var pace rate.Pace
	if s.Gate != "" {
		sc.LeaseTTL, sc.Timeout, sc.SealEach = leaseTTL, time.Second, 50*time.Millisecond
		pc.DialTimeout, pc.HandshakeTimeout, pc.KeepAlive = time.Second, 2*time.Second, 2*time.Second
		pace = rate.Pace{PostEvery: 20 * time.Millisecond, EditBurst: 100, EditEvery: 20 * time.Millisecond}
	}
	if s.KeepTrail > 0 {
		sc.KeepTrail, sc.Segment, sc.KeepHistory = s.KeepTrail, s.KeepTrail, int64(s.KeepTrail)
		sc.KeepRuns = int(s.KeepTrail / 40)
		sc.KeepClaims, sc.SweepEach, sc.ArchiveEach = s.KeepClaims, s.KeepClaims/5, s.KeepClaims/5
	}
	store, err := etcdstore.Open(ctx, sc)
	if err != nil {
		return app.Edges{}, nil, nil, err
	}
	pool, err := sshexec.New(pc)
	if err != nil {
		return app.Edges{}, nil, nil, errors.Join(err, store.Close())
	}
	slack := func(claims slackio.Claims, handler app.Handler) (app.Slack, error) {
		return slackio.New(slackio.Config{
			IsHome: func(string, string) bool { return true }, IsKnown: func(string) bool { return true }, AppToken: secret.New(s.AppToken), BotToken: secret.New(s.BotToken), APIURL: s.SlackAPI,
			Claims: claims, Handler: handler, Log: log, Pace: pace,
		})
	}
	closeAll := func() error { pool.Close(); return store.Close() }
	edges := app.Edges{Store: store, Remote: pool, Slack: slack, SetLastHeard: store.SetLastHeard, Peers: store.Peers, Leave: store.Leave, StoreHealth: store.Health, RoundTrip: store}
	return edges, store, closeAll, nil
}
