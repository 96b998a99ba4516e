package etcdconn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"

	"dhbot/internal/engine"
	"dhbot/internal/secret"
	"dhbot/internal/workerpool"
)

// Limits of one transaction. An external cluster with etcd's default settings accepts such
// transactions too.
const (
	MaxOps   = 128
	MaxBytes = 1 << 20 // etcd refuses requests larger than 1.5 MiB
)

// KeyValue is a key as etcd returns it.
type KeyValue = mvccpb.KeyValue

// TLS names PEM files. CA is required for https endpoints; Cert and Key go together and
// identify the bot to the cluster.
type TLS struct{ CA, Cert, Key string }

// Config describes the connection: exactly one of Dir and Endpoints is set. All other fields except
// TLS, User and Password are required.
type Config struct {
	Dir       string // a directory for the embedded server, set to mode 0700
	Endpoints []string
	TLS       TLS
	User      string
	Password  secret.Text

	Timeout     time.Duration // limit of one call
	Quota       int64         // embedded: largest size of the database, bytes
	KeepHistory int64         // embedded: number of revisions kept
	Temporary   bool          // embedded: the state is deleted at the end, so writes do not wait for the disk
	Now         func() time.Time
	Log         *slog.Logger
}

// Conn is a connection to etcd. Its methods are safe for concurrent use.
type Conn struct {
	conf    Config
	client  *clientv3.Client
	server  *embed.Etcd      // nil for an external cluster
	dir     *os.File         // the locked file; nil for an external cluster
	workers *workerpool.Pool // makes the calls to the embedded server; nil for an external cluster
	last    *fatalLogHook    // keeps the fatal error of the embedded server; nil for an external cluster
	slow    slowness

	// Callers counts the transactions that Txn sends. Background counts the transactions of leases,
	// sealing, archiving and other background work. Txn does not send these, so their code
	// increases Background itself.
	Background, Callers atomic.Int64

	// looking is read-locked while the memory of an embedded server is read. stopServer locks it
	// and never unlocks it, because a closed server has no memory to read.
	looking sync.RWMutex
}

var errClosing = errors.New("the store is being closed")

// Open starts or connects to etcd. It returns a *DirInUseError if another process uses the
// directory.
func Open(ctx context.Context, conf Config) (_ *Conn, err error) {
	c := &Conn{conf: conf}
	if conf.Dir == "" {
		if c.client, err = dial(conf); err != nil {
			return nil, err
		}
		return c, nil
	}
	if c.dir, err = lockDir(conf.Dir, conf.Now()); err != nil {
		return nil, err
	}
	c.workers = workerpool.New()
	c.server, c.client, c.last, err = startEmbedded(ctx, conf)
	if err = errors.Join(err, sweepSnapshots(conf.Dir)); err != nil {
		return nil, errors.Join(err, c.Close(func(context.Context) {}))
	}
	return c, nil
}

// Embedded reports whether the server runs in this process.
func (c *Conn) Embedded() bool { return c.server != nil }

// Wait returns a *StoppedError once the embedded server has failed, or nil when ctx ends.
func (c *Conn) Wait(ctx context.Context) error { return c.last.wait(ctx) }

// Closed reports whether Close was called. After Close every call fails.
func (c *Conn) Closed() bool { return c.client.Ctx().Err() != nil }

// Close calls goodbye, closes the connection, and stops the embedded server. Calls in progress
// fail.
func (c *Conn) Close(goodbye func(context.Context)) error {
	var errs []error
	if c.client != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		goodbye(ctx)
		if err := c.client.Close(); err != nil && !errors.Is(err, context.Canceled) {
			errs = append(errs, err)
		}
	}
	if c.server != nil {
		errs = append(errs, c.stopServer())
	}
	if c.workers != nil {
		c.workers.Close()
	}
	if c.dir != nil {
		errs = append(errs, c.dir.Close())
	}
	return errors.Join(errs...)
}

// Txn sends one transaction for a caller of the store.
func (c *Conn) Txn(ctx context.Context, what string, cmp []clientv3.Cmp, then, otherwise []clientv3.Op) (*clientv3.TxnResponse, error) {
	c.Callers.Add(1)
	return c.Send(ctx, what, cmp, then, otherwise)
}

// Send sends one transaction.
func (c *Conn) Send(ctx context.Context, what string, cmp []clientv3.Cmp, then, otherwise []clientv3.Op) (*clientv3.TxnResponse, error) {
	if n := max(len(cmp), len(then), len(otherwise)); n > MaxOps {
		return nil, fmt.Errorf("%s needs %d operations in one transaction, but the store accepts at most %d", what, n, MaxOps)
	}
	resp, err := ask(ctx, c, func(ctx context.Context) (*clientv3.TxnResponse, error) {
		return c.client.Txn(ctx).If(cmp...).Then(then...).Else(otherwise...).Commit()
	})
	if err != nil {
		return nil, Down(what, err)
	}
	return resp, nil
}

// Get reads keys.
func (c *Conn) Get(ctx context.Context, what, key string, opts ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	resp, err := ask(ctx, c, func(ctx context.Context) (*clientv3.GetResponse, error) {
		return c.client.Get(ctx, key, opts...)
	})
	if err != nil {
		return nil, Down(what, err)
	}
	return resp, nil
}

// Look reads all keys with the given prefixes at the newest revision, and returns the revision. An
// external cluster first agrees on that revision. An embedded server is the only member, and
// acknowledges a change only after applying it: the memory of the server includes every
// acknowledged change, so Look reads that memory.
func (c *Conn) Look(ctx context.Context, what string, prefixes ...string) (found [][]*KeyValue, rev int64, err error) {
	opts := []clientv3.OpOption{clientv3.WithPrefix()}
	if c.server != nil {
		opts = append(opts, clientv3.WithSerializable())
	}
	ops := make([]clientv3.Op, len(prefixes))
	for i, p := range prefixes {
		ops[i] = clientv3.OpGet(p, opts...)
	}
	resp, err := ask(ctx, c, func(ctx context.Context) (*clientv3.TxnResponse, error) {
		if !c.looking.TryRLock() {
			return nil, errClosing
		}
		defer c.looking.RUnlock()
		return c.client.Txn(ctx).Then(ops...).Commit()
	})
	if err != nil {
		return nil, 0, Down(what, err)
	}
	for _, r := range resp.Responses {
		found = append(found, r.GetResponseRange().Kvs)
	}
	return found, resp.Header.Revision, nil
}

// Revision is the newest revision in an embedded server's memory (see Look). It is 0 for an
// external cluster, and for an embedded server that has failed or is closing.
func (c *Conn) Revision() int64 {
	if c.server == nil || c.last.err() != nil || !c.looking.TryRLock() {
		return 0
	}
	defer c.looking.RUnlock()
	return c.server.Server.KV().Rev()
}

// Down converts an error of etcd into an engine.ErrStoreDown that names the operation and, if
// known, the fix.
func Down(what string, err error) error {
	if st := StateOf(err); st != Silent {
		return fmt.Errorf("%w: %s (%s): %w", engine.ErrStoreDown, what, st.Advice(), err)
	}
	return fmt.Errorf("%w: %s: %w", engine.ErrStoreDown, what, err)
}
