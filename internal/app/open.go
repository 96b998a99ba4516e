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
	"runtime/debug"
	"strings"
	"time"

	"dhbot/handlers"
	"dhbot/internal/config"
	"dhbot/internal/engine"
	"dhbot/internal/etcdstore"
	"dhbot/internal/lookout"
	"dhbot/internal/slackio"
	"dhbot/internal/sshexec"
	"dhbot/runbooks"
)

// Options are what `bot run` takes besides the config file.
type Options struct {
	// SlackAPI is where Slack's Web API is, "" for Slack itself.
	SlackAPI string
	// PretendSlackRealHosts allows a Slack that is not Slack together with
	// hosts that are not loopback. It is never a default.
	PretendSlackRealHosts bool
	Log                   *slog.Logger
}

// Start runs the bot that a config describes, until ctx ends.
func Start(ctx context.Context, cfg *config.Config, catalogs runbooks.Catalogs, o Options) error {
	if err := Allowed(cfg, o); err != nil {
		return err
	}
	c := Configure(cfg, catalogs, o)
	edges, err := Open(ctx, cfg, c.Replica, o)
	if err != nil {
		if ctx.Err() != nil {
			return nil // told to stop before it had begun
		}
		return err
	}
	defer edges.close(o.Log)
	debug.FreeOSMemory() // reading the config and the catalogs took more than is needed again
	return Run(ctx, c, edges.Edges)
}

// Configure translates a config into what the rooms of the house go by.
func Configure(cfg *config.Config, catalogs runbooks.Catalogs, o Options) Config {
	return Config{
		Grammar:      handlers.Grammar{Catalogs: catalogs, Fleet: &cfg.Fleet, Channels: cfg.Slack.Channels},
		Settings:     handlers.Settings{Rules: &cfg.Rules, OpenChannel: cfg.Terminal.Channel},
		Policy:       engine.Policy{VoteTTL: cfg.VoteTTL, StartTTL: cfg.StartTTL},
		AuditChannel: cfg.Slack.AuditChannel,
		Replica:      replicaName(cfg),
		Hash:         cfg.Hash,
		ControlDir:   cfg.State.Dir,
		Watches:      watches(cfg),
		Terminal:     Terminal{Socket: cfg.Terminal.Socket, Group: cfg.Terminal.Group, Keys: cfg.Keys},
		Log:          o.Log,
		Now:          time.Now,
	}
}

// watches are the clusters that are watched in the background.
func watches(cfg *config.Config) map[string]lookout.Background {
	out := map[string]lookout.Background{}
	for name, w := range cfg.Watches {
		out[name] = lookout.Background{Channel: w.Channel, Every: w.Every, Quiet: w.Quiet}
	}
	return out
}

// replicaName is who this process is among the replicas. With the embedded
// store there is only one, and its next life is the same replica.
func replicaName(cfg *config.Config) string {
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

// Opened are edges that have to be closed.
type Opened struct {
	Edges
	Store *etcdstore.Store
	Pool  *sshexec.Pool
}

// Open opens the edges that a config describes: the state store first, since
// it is what two bots must not share.
func Open(ctx context.Context, cfg *config.Config, replica string, o Options) (*Opened, error) {
	store, err := etcdstore.Open(ctx, StoreConfig(cfg, replica, o.Log))
	if err != nil {
		return nil, err
	}
	pool, err := sshexec.New(sshexec.Config{
		KeyFiles: cfg.SSH.KeyFiles, KnownHosts: cfg.SSH.KnownHosts, ProxyJump: cfg.SSH.ProxyJump, Log: o.Log.With("part", "ssh"),
	})
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	slack := func(claims slackio.Claims, handler Handler) (Slack, error) {
		return slackio.New(slackio.Config{
			AppToken: cfg.Slack.AppToken, BotToken: cfg.Slack.BotToken,
			APIURL: o.SlackAPI, Claims: claims, Handler: handler, Log: o.Log.With("part", "slack"),
		})
	}
	edges := Edges{Store: store, Remote: pool, Slack: slack, StoreHealth: store.Health, Backup: store.Backup, Hear: store.Hear, Echoes: store}
	if cfg.State.Etcd != nil {
		edges.Peers, edges.Leave = store.Peers, store.Leave
	}
	return &Opened{Edges: edges, Store: store, Pool: pool}, nil
}

func (e *Opened) close(log *slog.Logger) {
	e.Pool.Close()
	if err := e.Store.Close(); err != nil {
		log.Error("the state store was not closed well", "err", err)
	}
}

// StoreConfig is where a config keeps the state.
func StoreConfig(cfg *config.Config, replica string, log *slog.Logger) etcdstore.Config {
	c := etcdstore.Config{Replica: replica, ConfigHash: cfg.Hash, Archive: cfg.State.Archive, Log: log.With("part", "store")}
	if e := cfg.State.Etcd; e != nil {
		c.Endpoints, c.User, c.Password = e.Endpoints, e.User, e.Password
		c.TLS = etcdstore.TLS{CA: e.CAFile, Cert: e.CertFile, Key: e.KeyFile}
		return c
	}
	c.Dir = cfg.State.Dir
	if c.Archive == "" {
		c.Archive = filepath.Join(c.Dir, "archive")
	}
	return c
}

// Allowed refuses a Slack that is not Slack before hosts that are not
// loopback: whoever runs a local Slack decides who its people are.
func Allowed(cfg *config.Config, o Options) error {
	if o.SlackAPI == "" || isSlack(o.SlackAPI) || o.PretendSlackRealHosts {
		return nil
	}
	for _, cl := range cfg.Fleet.Clusters {
		for _, h := range cl.Hosts {
			host, _, err := net.SplitHostPort(h.Address)
			if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
				return fmt.Errorf("SLACK_API_URL is %s, which is not Slack, and %s in %s is at %s, which is not a loopback address: "+
					"whoever runs that Slack decides who approves; unset SLACK_API_URL, or say --pretend-slack-may-act-on-real-hosts", o.SlackAPI, h.Name, cl.Name, h.Address)
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
