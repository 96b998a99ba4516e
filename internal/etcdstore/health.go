package etcdstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/engine"
)

// Health is how the store is.
type Health struct {
	State State
	// Why says, in sentences for people, what is wrong: why the store takes no
	// changes, or what of its upkeep does not go on. Notes are worth knowing.
	Why, Notes []string

	Embedded bool
	Version  string // etcd's
	Leader   bool   // there is one
	Alive    bool   // this replica's lease is
	Alarms   []string
	Size     int64 // bytes of the database file
	InUse    int64 // bytes of it that hold data
	Quota    int64 // most bytes, 0 where the server does not say
	Revision int64

	Sealed   uint64    // entries in the trail
	Stored   uint64    // the first of them that is in the store; those before are archived; 0 for none
	Posted   uint64    // the last of them that was posted
	Pending  int64     // records that wait to be sealed
	LastSeal time.Time // by this replica, zero for never
	Sealer   string    // the replica that seals, "" for none
	Doubts   int       // deliveries that did not count and are not marked so yet

	Txns       int64 // transactions for callers, see Store.Txns
	Background int64 // transactions of leases, sealing, posting the trail, archiving and sweeping
}

// nearlyFull is the part of the quota from which on people are warned.
const nearlyFull = 0.8

// Health asks the store how it is. An error means that it does not answer, or
// not as it should; State and Why are set all the same.
func (s *Store) Health(ctx context.Context) (Health, error) {
	h := Health{State: Well, Embedded: s.server != nil, Doubts: s.doubts.len(), Txns: s.txns.Load(), Background: s.background.Load()}
	st, err := s.status(ctx)
	if err == nil {
		h.Version, h.Leader, h.Alarms = st.Version, st.Leader != 0, st.Errors
		h.Size, h.InUse, h.Quota = st.DbSize, st.DbSizeInUse, st.DbSizeQuota
		switch {
		case alarmed(st, pb.AlarmType_CORRUPT):
			h.State = Corrupted
		case !h.Leader:
			h.State = NoLeader
			err = fmt.Errorf("%w: %s", engine.ErrStoreDown, NoLeader.Advice())
		case alarmed(st, pb.AlarmType_NOSPACE):
			h.State = Full
		}
	}
	if err == nil {
		err = s.contents(ctx, &h)
	}
	if err != nil {
		if h.State == Well || h.State == Full {
			h.State = stateOf(err)
		}
		h.Why = append(h.Why, fmt.Sprintf("it is %s: %v", h.State, err))
		return h, err
	}
	h.Why, h.Notes = s.why(&h)
	return h, nil
}

// contents reads what the store says of itself.
func (s *Store) contents(ctx context.Context, h *Health) error {
	resp, err := s.send(ctx, "reading its own state", nil, []clientv3.Op{
		clientv3.OpGet(s.keys.head()),
		clientv3.OpGet(s.keys.records(), clientv3.WithPrefix(), clientv3.WithCountOnly()),
		clientv3.OpGet(s.keys.leader()),
		clientv3.OpGet(s.keys.replica(s.conf.Replica), clientv3.WithKeysOnly()),
	}, nil)
	if err != nil {
		return err
	}
	h.Revision = resp.Header.Revision
	if kv := firstOf(resp, 0); kv.ModRevision != 0 {
		e, err := decodeHead(kv)
		if err != nil {
			return err
		}
		h.Sealed = e.N
	}
	h.Pending = resp.Responses[1].GetResponseRange().Count
	h.Sealer = string(firstOf(resp, 2).Value)
	l := s.lease.Load()
	h.Alive = l != nil && firstOf(resp, 3).CreateRevision == l.rev
	if h.Posted, err = s.TrailPosted(ctx); err != nil {
		return err
	}
	first, _, err := s.firstStored(ctx)
	h.Stored = first.N
	s.sealer.mu.Lock()
	h.LastSeal = s.sealer.last
	s.sealer.mu.Unlock()
	return err
}

// why names what is wrong in a store that answers, and what is worth knowing.
func (s *Store) why(h *Health) (why, notes []string) {
	if h.State != Well {
		why = append(why, fmt.Sprintf("it is %s; %s", h.State, h.State.Advice()))
	} else if took := s.trouble.slow.lately(); took > 0 {
		h.State = Slow
		notes = append(notes, fmt.Sprintf("it is %s: a call took %v within the last minute; %s", Slow, took.Round(time.Millisecond), Slow.Advice()))
	}
	if !h.Alive {
		why = append(why, "this replica's lease has ended, so it changes nothing until it has taken a new one")
	}
	if err := s.trouble.seal.get(); err != nil {
		why = append(why, "the trail is not being sealed: "+err.Error())
	}
	if err := s.trouble.archive.get(); err != nil {
		why = append(why, "nothing is being archived: "+err.Error())
	}
	if h.Quota > 0 && h.State != Full && float64(h.InUse) > nearlyFull*float64(h.Quota) {
		why = append(why, fmt.Sprintf("it is nearly full: %d of %d bytes are in use; %s", h.InUse, h.Quota, s.roomAdvice()))
	}
	if err := s.trouble.newer.get(); err != nil {
		notes = append(notes, "left to the newer replicas: "+err.Error())
	}
	if h.Doubts > 0 {
		notes = append(notes, fmt.Sprintf("%d deliveries that did not count have yet to be marked so", h.Doubts))
	}
	return why, notes
}

// status is the answer of the first member that has a leader, or else of any
// that answers in time.
func (s *Store) status(ctx context.Context) (*clientv3.StatusResponse, error) {
	endpoints := s.conf.Endpoints
	if s.server != nil {
		endpoints = []string{""} // the client in process needs no address
	}
	st, err := ask(ctx, s, func(ctx context.Context) (*clientv3.StatusResponse, error) {
		return s.statusOf(ctx, endpoints)
	})
	if err != nil {
		return nil, down("asking how it is", err)
	}
	return st, nil
}

func (s *Store) statusOf(ctx context.Context, endpoints []string) (*clientv3.StatusResponse, error) {
	ctx, enough := context.WithCancel(ctx)
	defer enough()
	answers := make([]*clientv3.StatusResponse, len(endpoints))
	errs := make([]error, len(endpoints))
	var all sync.WaitGroup
	for i, e := range endpoints {
		all.Go(func() {
			if answers[i], errs[i] = s.client.Status(ctx, e); errs[i] == nil && answers[i].Leader != 0 {
				enough()
			}
		})
	}
	all.Wait() // within the time of the call
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
