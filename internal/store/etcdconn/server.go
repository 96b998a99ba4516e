package etcdconn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

// startWithin limits the start of the embedded server. An empty server is ready in 0.1 s; a server
// with 100,000 records takes almost a second.
const startWithin = 30 * time.Second

// startEmbedded runs etcd in this process without any listener, for clients or for peers. The
// only access is the returned client, which calls the server's functions.
func startEmbedded(ctx context.Context, c Config) (*embed.Etcd, *clientv3.Client, *fatalLogHook, error) {
	dir := filepath.Join(c.Dir, "etcd")
	last := newFatalLogHook(c.Dir)
	type start struct {
		server *embed.Etcd
		err    error
	}
	started := make(chan start, 1)
	// If etcd has a fatal error while starting, StartEtcd never returns: its goroutine lasts as
	// long as the process, which is about to end.
	go func() {
		server, err := embed.StartEtcd(embeddedConfig(c, dir, last))
		started <- start{server, err}
	}()
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	var server *embed.Etcd
	select {
	case s := <-started:
		if s.err != nil {
			return nil, nil, nil, damaged(dir, s.err)
		}
		server = s.server
	case <-last.said:
		return nil, nil, nil, damaged(dir, last.err())
	case <-ctx.Done():
		return nil, nil, nil, fmt.Errorf("the state in %s was not opened in time: %w", dir, ctx.Err())
	}
	var err error
	select {
	case <-server.Server.ReadyNotify():
		return server, v3client.New(server.Server), last, nil
	case <-server.Server.StopNotify():
		err = errors.New("it stopped while starting")
	case <-last.said:
		return nil, nil, nil, damaged(dir, last.err())
	case <-ctx.Done():
		err = ctx.Err()
	}
	server.Close()
	return nil, nil, nil, fmt.Errorf("the state in %s is not ready: %w", dir, err)
}

// damaged returns the error for a state that etcd cannot open: its disk is full, or it may be
// damaged.
func damaged(dir string, err error) error {
	var stopped *StoppedError
	if errors.Is(err, syscall.ENOSPC) || (errors.As(err, &stopped) && stopped.DiskFull) {
		return fmt.Errorf("the state in %s cannot be opened, since its disk is full: free some space, then start the bot again: %w", dir, err)
	}
	return fmt.Errorf("the state in %s cannot be opened: %w; if the state is damaged, restore a backup (bot state restore), or move the directory elsewhere to start with an empty state", dir, err)
}

func embeddedConfig(c Config, dir string, last *fatalLogHook) *embed.Config {
	e := embed.NewConfig()
	e.Dir = dir
	e.ListenPeerUrls, e.ListenClientUrls = []url.URL{}, []url.URL{}
	e.EnableGRPCGateway = false
	// A single member elects itself one to two election timeouts after its start. The shortest
	// timeout is enough, since no other member can lead; etcd requires at least five ticks.
	e.TickMs, e.ElectionMs = 10, 50
	e.QuotaBackendBytes = c.Quota
	// etcd compacts its history every five minutes; KeepSealing of package trail does so earlier if
	// there are many writes. A watch that is further behind than KeepHistory reads all runs again
	// (see Watch of package etcdstore).
	e.AutoCompactionMode, e.AutoCompactionRetention = embed.CompactorModeRevision, strconv.FormatInt(c.KeepHistory, 10)
	// The write-ahead log is durable. The database is at most this long behind the log; a start
	// replays the difference.
	e.BackendBatchInterval = 500 * time.Millisecond
	// No follower needs old log entries, so few are kept in memory.
	e.SnapshotCount, e.SnapshotCatchUpEntries = 2000, 100
	e.UnsafeNoFsync = c.Temporary
	e.ZapLoggerBuilder = embed.NewZapLoggerBuilder(newZap(c.Log, zap.WithFatalHook(last), zap.WithPanicHook(last)))
	return e
}

// dial connects to an external cluster.
func dial(c Config) (*clientv3.Client, error) {
	var conf *tls.Config
	if c.TLS != (TLS{}) {
		info := transport.TLSInfo{TrustedCAFile: c.TLS.CA, CertFile: c.TLS.Cert, KeyFile: c.TLS.Key}
		var err error
		if conf, err = info.ClientConfig(); err != nil {
			return nil, fmt.Errorf("the TLS files of the state store cannot be used: %w", err)
		}
	}
	client, err := clientv3.New(clientv3.Config{
		Endpoints:            c.Endpoints,
		TLS:                  conf,
		Username:             c.User,
		Password:             c.Password.Reveal(),
		DialTimeout:          c.Timeout,
		DialKeepAliveTime:    5 * time.Second,
		DialKeepAliveTimeout: c.Timeout,
		Logger:               newZap(c.Log),
		// With gRPC's defaults the client could take up to two minutes to reconnect to a member
		// that is up again.
		DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second},
			MinConnectTimeout: c.Timeout,
		})},
	})
	if err != nil {
		return nil, fmt.Errorf("the state store at %v cannot be reached: %w", c.Endpoints, err)
	}
	return client, nil
}
