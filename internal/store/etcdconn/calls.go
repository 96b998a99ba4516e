package etcdconn

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// ask makes one call to etcd within Config.Timeout, and records the duration of the call. A call to
// an embedded server is a function call that waits for the locks and the disk of the server even
// after ctx has ended. So ask makes such a call in another goroutine, and abandons the call at the
// time limit or when the server fails: a late answer is discarded, and so is any answer of a failed
// server. If ctx has already ended, ask makes no call.
func ask[T any](ctx context.Context, c *Conn, send func(context.Context) (T, error)) (T, error) {
	call := func(ctx context.Context) (v T, err error) {
		// An embedded server may carry out a change even if ctx had ended before the call.
		if err := ctx.Err(); err != nil {
			return v, err
		}
		return send(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, c.conf.Timeout)
	defer cancel()
	began := time.Now()
	defer func() { c.slow.took(began, time.Since(began)) }()
	if c.last == nil {
		return call(ctx)
	}
	type answer struct {
		v   T
		err error
	}
	var none T
	if err := c.last.err(); err != nil {
		return none, err
	}
	answers := make(chan answer, 1)
	c.workers.Go(func() {
		v, err := call(ctx)
		answers <- answer{v, err}
	})
	select {
	case a := <-answers:
		if err := c.last.err(); err != nil {
			return none, err
		}
		return a.v, a.err
	case <-c.last.said:
		return none, c.last.err()
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// Grant takes a lease.
func (c *Conn) Grant(ctx context.Context, ttl time.Duration) (clientv3.LeaseID, error) {
	grant, err := ask(ctx, c, func(ctx context.Context) (*clientv3.LeaseGrantResponse, error) {
		return c.client.Grant(ctx, int64(ttl/time.Second))
	})
	if err != nil {
		return 0, err
	}
	return grant.ID, nil
}

// KeepAlive renews a lease once.
func (c *Conn) KeepAlive(ctx context.Context, id clientv3.LeaseID) error {
	_, err := ask(ctx, c, func(ctx context.Context) (*clientv3.LeaseKeepAliveResponse, error) {
		return c.client.KeepAliveOnce(ctx, id)
	})
	return err
}

// Revoke ends a lease; etcd then deletes the keys of the lease.
func (c *Conn) Revoke(ctx context.Context, id clientv3.LeaseID) error {
	_, err := ask(ctx, c, func(ctx context.Context) (*clientv3.LeaseRevokeResponse, error) { return c.client.Revoke(ctx, id) })
	return err
}

// Compact drops the history before a revision.
func (c *Conn) Compact(ctx context.Context, rev int64, opts ...clientv3.CompactOption) error {
	_, err := ask(ctx, c, func(ctx context.Context) (*clientv3.CompactResponse, error) {
		return c.client.Compact(ctx, rev, opts...)
	})
	if err != nil && !errors.Is(err, rpctypes.ErrCompacted) { // etcd has compacted this revision already
		return Down("compacting old revisions", err)
	}
	return nil
}

// Defragment rewrites the database of an embedded server. Calls during the rewrite wait or time
// out.
func (c *Conn) Defragment() error {
	if err := c.server.Server.Defragment(); err != nil {
		return Down("defragmenting the database", err)
	}
	return nil
}

// Disarm clears all alarms.
func (c *Conn) Disarm(ctx context.Context) error {
	_, err := ask(ctx, c, func(ctx context.Context) (*clientv3.AlarmResponse, error) {
		return c.client.AlarmDisarm(ctx, &clientv3.AlarmMember{})
	})
	if err != nil {
		return Down("clearing its alarms", err)
	}
	return nil
}

// Watch streams the changes of all keys with a prefix, beginning with revision rev. The stream
// ends when the cluster loses its leader.
func (c *Conn) Watch(ctx context.Context, prefix string, rev int64) clientv3.WatchChan {
	return c.client.Watch(clientv3.WithRequireLeader(ctx), prefix, clientv3.WithPrefix(), clientv3.WithRev(rev))
}

// Status returns the status of the first member that knows a leader. If no member knows a leader,
// it is the status of any member that answers in time.
func (c *Conn) Status(ctx context.Context) (*clientv3.StatusResponse, error) {
	endpoints := c.conf.Endpoints
	if c.server != nil {
		endpoints = []string{""} // the client of an embedded server needs no address
	}
	st, err := ask(ctx, c, func(ctx context.Context) (*clientv3.StatusResponse, error) {
		return c.statusOf(ctx, endpoints)
	})
	if err != nil {
		return nil, Down("reading its status", err)
	}
	return st, nil
}

func (c *Conn) statusOf(ctx context.Context, endpoints []string) (*clientv3.StatusResponse, error) {
	ctx, enough := context.WithCancel(ctx)
	defer enough()
	answers := make([]*clientv3.StatusResponse, len(endpoints))
	errs := make([]error, len(endpoints))
	var all sync.WaitGroup
	for i, e := range endpoints {
		all.Go(func() {
			if answers[i], errs[i] = c.client.Status(ctx, e); errs[i] == nil && answers[i].Leader != 0 {
				enough()
			}
		})
	}
	all.Wait() // within the time limit of the call
	var best *clientv3.StatusResponse
	for _, st := range answers {
		if st != nil && (best == nil || best.Leader == 0) {
			best = st
		}
	}
	if best != nil {
		return best, nil
	}
	return nil, errors.Join(errs...)
}

// SlowLately is the duration of the newest slow call, or 0 if no recent call was slow.
func (c *Conn) SlowLately() time.Duration { return c.slow.lately() }
