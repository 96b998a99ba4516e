package etcdstore

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

// startWithin bounds the start of the embedded server. A fresh one is ready in
// 0.1 s; one with 100,000 records takes most of a second.
const startWithin = 30 * time.Second

// startEmbedded runs etcd in this process with no listener at all, neither
// for clients nor for peers: the only way in is the returned client, which
// calls the server's functions.
func startEmbedded(ctx context.Context, c Config) (*embed.Etcd, *clientv3.Client, error) {
	dir := filepath.Join(c.Dir, "etcd")
	last := &lastWords{said: make(chan string, 1)}
	started := make(chan error, 1)
	var server *embed.Etcd
	// An etcd that gives up while starting never returns; its goroutine is
	// then left to the end of the process, which is near.
	go func() {
		var err error
		server, err = embed.StartEtcd(embeddedConfig(c, dir, last))
		started <- err
	}()
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	select {
	case err := <-started:
		if err != nil {
			return nil, nil, damaged(dir, err)
		}
	case text := <-last.said:
		return nil, nil, damaged(dir, errors.New(text))
	case <-ctx.Done():
		return nil, nil, fmt.Errorf("the state in %s was not opened in time: %w", dir, ctx.Err())
	}
	var err error
	select {
	case <-server.Server.ReadyNotify():
		last.started.Store(true)
		return server, v3client.New(server.Server), nil
	case <-server.Server.StopNotify():
		err = errors.New("it stopped while starting")
	case text := <-last.said:
		return nil, nil, damaged(dir, errors.New(text))
	case <-ctx.Done():
		err = ctx.Err()
	}
	server.Close()
	return nil, nil, fmt.Errorf("the state in %s is not ready: %w", dir, err)
}

func damaged(dir string, err error) error {
	return fmt.Errorf("the state in %s cannot be opened: %w: if it is damaged, put back a backup, or move the directory away to start anew", dir, err)
}

func embeddedConfig(c Config, dir string, last *lastWords) *embed.Config {
	e := embed.NewConfig()
	e.Dir = dir
	e.ListenPeerUrls, e.ListenClientUrls = []url.URL{}, []url.URL{}
	e.EnableGRPCGateway = false
	// A single member elects itself: short ticks make it ready in 0.1 s
	// instead of 1 s.
	e.TickMs, e.ElectionMs = 10, 100
	e.QuotaBackendBytes = c.Quota
	// Watchers re-list when they fall behind this far (see Watch).
	e.AutoCompactionMode, e.AutoCompactionRetention = embed.CompactorModeRevision, "5000"
	// There is no follower to catch up, so few log entries are kept in memory.
	e.SnapshotCount, e.SnapshotCatchUpEntries = 2000, 100
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
		Password:             string(c.Password),
		DialTimeout:          c.Timeout,
		DialKeepAliveTime:    5 * time.Second,
		DialKeepAliveTimeout: c.Timeout,
		Logger:               newZap(c.Log),
		// gRPC would let a member that was away wait for up to two minutes.
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
