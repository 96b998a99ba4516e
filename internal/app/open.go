package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"dhbot/handlers/call"
	"dhbot/internal/command"
	"dhbot/internal/config"
	"dhbot/internal/engine"
	"dhbot/internal/liveness"
	"dhbot/internal/metrics"
	"dhbot/internal/monitor"
	"dhbot/internal/slackio"
	"dhbot/internal/sshexec"
	"dhbot/internal/sshroute"
	"dhbot/internal/status"
	"dhbot/internal/store/etcdconn"
	"dhbot/internal/store/etcdstore"
	"dhbot/runbooks/catalogs"
)

// Options are the options of `bot run` in addition to the config file.
type Options struct {
	// SlackAPI is the address of Slack's Web API, "" for Slack itself.
	SlackAPI string
	// PretendSlackRealHosts allows a simulated Slack together with hosts that are not loopback.
	// It must be requested explicitly.
	PretendSlackRealHosts bool
	// Temporary means that the state is deleted when the bot ends, so that writes need not wait for
	// the disk. Only the demo sets it.
	Temporary bool
	// Build is shown in the metrics; Loops, Reload and Started are passed on to Config.
	Build   metrics.Build
	Metrics *metrics.Metrics // nil makes new ones
	Loops   *liveness.Checker
	Reload  func() metrics.Reload
	Started func()
	// Wrap changes the clients before the bot runs, for tests; may be nil.
	Wrap func(*Edges)
	Log  *slog.Logger
	// Now is the clock; nil means the machine's clock.
	Now func() time.Time
	// Times are the intervals of checks; they are shortened for fast simulated hosts.
	Times Times
}

func (o Options) clock() func() time.Time {
	if o.Now == nil {
		return time.Now
	}
	return o.Now
}

// Start runs the bot of a config until ctx ends.
func Start(ctx context.Context, cfg *config.Config, catalogs catalogs.Set, o Options) error {
	if err := Allowed(cfg, o); err != nil {
		return err
	}
	if o.Metrics == nil {
		o.Metrics = metrics.New(o.Build, cfg.Hash)
	}
	c := Configure(cfg, catalogs, o)
	edges, err := Open(ctx, cfg, c.Replica, o)
	if err != nil {
		if ctx.Err() != nil {
			return nil // stopped before it had started
		}
		return err
	}
	defer edges.close(o.Log)
	if o.Wrap != nil {
		o.Wrap(&edges.Edges)
	}
	memory, stop := context.WithCancel(ctx)
	var releasing sync.WaitGroup
	releasing.Go(func() { newMemoryReleaser().run(memory) })
	defer func() { stop(); releasing.Wait() }()
	return Run(ctx, c, edges.Edges)
}

// Configure converts a config into the settings of the packages.
func Configure(cfg *config.Config, catalogs catalogs.Set, o Options) Config {
	return Config{
		Grammar:      command.Grammar{Catalogs: catalogs, Fleet: &cfg.Fleet, Channels: cfg.Slack.Channels},
		Settings:     call.Settings{Rules: &cfg.Rules, OpenChannel: cfg.Terminal.Channel},
		Policy:       engine.Policy{VoteTTL: cfg.VoteTTL, StartTTL: cfg.StartTTL},
		Times:        o.Times,
		AuditChannel: cfg.Slack.AuditChannel,
		Replica:      ReplicaName(cfg),
		Hash:         cfg.Hash,
		ControlDir:   cfg.State.Dir,
		Watches:      watches(cfg),
		Escalations:  cfg.Escalations,
		Jump:         jumpHost(cfg.SSH.ProxyJump),
		Assess:       status.Policy(cfg.Incidents),
		Terminal:     Terminal{Socket: cfg.Terminal.Socket, Group: cfg.Terminal.Group, Keys: cfg.Keys},
		Metrics:      o.Metrics,
		Listen:       cfg.Metrics,
		Loops:        o.Loops,
		Reload:       o.Reload,
		Started:      o.Started,
		Log:          o.Log,
		Now:          o.clock(),
	}
}

// watches are the clusters with background monitoring.
func watches(cfg *config.Config) map[string]monitor.Background {
	out := map[string]monitor.Background{}
	for name, w := range cfg.Watches {
		out[name] = monitor.Background{Channel: w.Channel, Every: w.Every, Quiet: w.Quiet}
	}
	return out
}

// jumpHost returns the name of the last host in a chain of jump hosts (USER@HOST:PORT), for
// display.
func jumpHost(jump string) string {
	_, address, _ := strings.Cut(jump[strings.LastIndex(jump, ",")+1:], "@")
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}

// ReplicaName is the name of this replica. With the embedded store there is only one replica, and
// its name stays the same after a restart.
func ReplicaName(cfg *config.Config) string {
	if cfg.State.Etcd == nil {
		return "bot"
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unnamed"
	}
	return fmt.Sprintf("%s-%d", strings.Map(keyChar, host), os.Getpid())
}

func keyChar(r rune) rune {
	if r == '/' || r <= ' ' {
		return '-'
	}
	return r
}

// Opened are clients that must be closed.
type Opened struct {
	Edges
	Store *etcdstore.Store
	Pool  *sshexec.Pool
}

// Open opens the clients of a config. The state store comes first, because two bots must not
// share it.
func Open(ctx context.Context, cfg *config.Config, replica string, o Options) (*Opened, error) {
	sc := StoreConfig(cfg, replica, o.Log)
	sc.Temporary = o.Temporary
	store, err := etcdstore.Open(ctx, sc)
	if err != nil {
		return nil, err
	}
	m := o.Metrics
	if m == nil {
		m = metrics.New(o.Build, cfg.Hash)
	}
	hosts := hostsByPlace(&cfg.Fleet)
	pc := PoolConfig(cfg, o.Log)
	pc.Dialled = func(at sshroute.Place, ok bool) {
		if h, known := hosts[at]; known {
			m.SSHDialled(h, ok)
		}
	}
	pool, err := sshexec.New(pc)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	slack := func(claims slackio.Claims, handler Handler) (Slack, error) {
		return slackio.New(slackio.Config{
			AppToken: cfg.Slack.AppToken, BotToken: cfg.Slack.BotToken,
			APIURL:   o.SlackAPI,
			IsHome:   cfg.Rules.IsHome,
			IsKnown:  cfg.Rules.Knows,
			Claims:   claims,
			Handler:  handler,
			Log:      o.Log.With("part", "slack"),
			Observer: slackio.Observer{Acked: m.Acked, Answered: m.Answered, Called: m.SlackCalled},
		})
	}
	edges := Edges{
		Store:        store,
		Remote:       pool,
		Slack:        slack,
		StoreHealth:  store.Health,
		Backup:       store.Backup,
		SignedHead:   store.SignedHead,
		Stopped:      store.Stopped,
		SetLastHeard: store.SetLastHeard,
		RoundTrip:    store,
	}
	edges.SSHExpiring = pool.Expiring
	edges.SSHStats = func() metrics.SSH {
		s := pool.Stats()
		return metrics.SSH{Connections: s.Connections, Sessions: s.Sessions}
	}
	if cfg.State.Etcd != nil {
		edges.Peers, edges.Leave = store.Peers, store.Leave
	}
	return &Opened{Edges: edges, Store: store, Pool: pool}, nil
}

func (e *Opened) close(log *slog.Logger) {
	e.Pool.Close()
	if err := e.Store.Close(); err != nil {
		log.Error("the state store was not closed cleanly", "err", err)
	}
}

// PoolConfig converts a config into the config of the SSH client.
func PoolConfig(cfg *config.Config, log *slog.Logger) sshexec.Config {
	return sshexec.Config{
		Credentials: cfg.SSH.Credentials,
		KnownHosts:  cfg.SSH.KnownHosts,
		Options:     cfg.SSH.Options,
		Renew:       cfg.SSH.Renew,
		Handshakes:  cfg.SSH.Handshakes,
		Log:         log.With("part", "ssh"),
	}
}

// StoreConfig converts a config into the config of the store.
func StoreConfig(cfg *config.Config, replica string, log *slog.Logger) etcdstore.Config {
	c := etcdstore.Config{
		Replica:    replica,
		ConfigHash: cfg.Hash,
		Archive:    cfg.State.Archive,
		KeyFile:    cfg.State.KeyFile,
		NotesDir:   cfg.State.NotesDir,
		Witnesses:  cfg.State.Witnesses,
		Log:        log.With("part", "store"),
	}
	if e := cfg.State.Etcd; e != nil {
		c.Endpoints = e.Endpoints
		c.User = e.User
		c.Password = e.Password
		c.TLS = etcdconn.TLS{CA: e.CAFile, Cert: e.CertFile, Key: e.KeyFile}
		return c
	}
	c.Dir = cfg.State.Dir
	if c.Archive == "" {
		c.Archive = filepath.Join(c.Dir, "archive")
	}
	return c
}

// Allowed refuses a simulated Slack with hosts that are not loopback, because the owner of a
// simulated Slack decides who its people are.
func Allowed(cfg *config.Config, o Options) error {
	if o.SlackAPI == "" || isSlack(o.SlackAPI) || o.PretendSlackRealHosts {
		return nil
	}
	for _, cl := range cfg.Fleet.Clusters {
		for _, h := range cl.Hosts {
			// An address behind a jump host belongs to the network of the jump host.
			host, _, err := net.SplitHostPort(h.Address)
			if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() || h.Via != "" {
				return fmt.Errorf("SLACK_API_URL is %s, which is not Slack, and %s in %s is at %s, which is not a loopback address: "+
					"the owner of that Slack decides who approves; unset SLACK_API_URL, or use --pretend-slack-may-act-on-real-hosts", o.SlackAPI, h.Name, cl.Name, h.Address)
			}
		}
	}
	return nil
}

func isSlack(api string) bool {
	u, err := url.Parse(api)
	if err != nil || u.Scheme != "https" {
		return false
	}
	return u.Hostname() == "slack.com" || strings.HasSuffix(u.Hostname(), ".slack.com") || strings.HasSuffix(u.Hostname(), ".slack-gov.com")
}
