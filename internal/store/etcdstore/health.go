package etcdstore

import (
	"context"
	"fmt"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/engine"
	"dhbot/internal/store/etcdconn"
	"dhbot/internal/store/trail"
)

// Health describes whether the store works and how full it is.
type Health struct {
	State etcdconn.State
	// Why lists problems as sentences for people, for example why the store accepts no changes, or
	// which maintenance has stopped. Notes has sentences that are not problems.
	Why, Notes []string

	Embedded bool
	Version  string // version of etcd
	Leader   bool   // etcd has a leader
	Alive    bool   // this replica's lease is alive
	Alarms   []string
	Size     int64 // size of the database file, bytes
	InUse    int64 // bytes in use
	Quota    int64 // largest size, bytes; 0 if unknown
	Revision int64

	Sealed          uint64    // entries in the trail
	Stored          uint64    // the first entry in the store (earlier ones are archived); 0 for none
	Posted          uint64    // the last posted entry
	Pending         int64     // unsealed records
	LastSeal        time.Time // by this replica, zero for never
	Sealer          string    // the replica that seals, "" for none
	AmbiguousClaims int       // ambiguous claims that are not yet settled

	Epoch     uint64 // of the state; 0 for an unsigned state
	Witnesses []trail.WitnessHealth

	Txns       int64 // transactions of callers, see Store.Txns
	Background int64 // transactions of leases, sealing, posting the trail, archiving and sweeping
}

// nearlyFull is how much of the quota may be used before the bot warns.
const nearlyFull = 0.8

// Health queries the health of the store. An error means that the store did not answer as expected.
// State and Why are set even then.
func (s *Store) Health(ctx context.Context) (Health, error) {
	h := Health{
		State:           etcdconn.Well,
		Embedded:        s.etcd.Embedded(),
		AmbiguousClaims: s.ambiguous.len(),
		Txns:            s.etcd.Callers.Load(),
		Background:      s.etcd.Background.Load(),
	}
	st, err := s.etcd.Status(ctx)
	if err == nil {
		h.Version = st.Version
		h.Leader = st.Leader != 0
		h.Alarms = st.Errors
		h.Size = st.DbSize
		h.InUse = st.DbSizeInUse
		h.Quota = st.DbSizeQuota
		switch {
		case etcdconn.Alarmed(st, pb.AlarmType_CORRUPT):
			h.State = etcdconn.Corrupted
		case !h.Leader:
			h.State = etcdconn.NoLeader
			err = fmt.Errorf("%w: %s", engine.ErrStoreDown, etcdconn.NoLeader.Advice())
		case etcdconn.Alarmed(st, pb.AlarmType_NOSPACE):
			h.State = etcdconn.Full
		}
	}
	if err == nil {
		err = s.contents(ctx, &h)
	}
	if err != nil {
		if h.State == etcdconn.Well || h.State == etcdconn.Full {
			h.State = etcdconn.StateOf(err)
		}
		h.Why = append(h.Why, fmt.Sprintf("it is %s: %v", h.State, err))
		return h, err
	}
	why, notes := s.why(&h)
	h.Why = append(why, h.Why...)
	h.Notes = append(notes, h.Notes...)
	return h, nil
}

// contents reads the store's own counters.
func (s *Store) contents(ctx context.Context, h *Health) error {
	resp, err := s.etcd.Send(ctx, "reading the store's counters", nil, []clientv3.Op{
		clientv3.OpGet(s.keys.Head()),
		clientv3.OpGet(s.keys.Records(), clientv3.WithPrefix(), clientv3.WithCountOnly()),
		clientv3.OpGet(s.keys.LeadsTrail()),
		clientv3.OpGet(s.keys.Replica(s.conf.Replica), clientv3.WithKeysOnly()),
		clientv3.OpGet(s.keys.Checkpoint()),
	}, nil)
	if err != nil {
		return err
	}
	h.Revision = resp.Header.Revision
	if kv := etcdconn.First(resp, 0); kv.ModRevision != 0 {
		e, err := trail.DecodeHead(kv)
		if err != nil {
			return err
		}
		h.Sealed = e.N
	}
	believed := s.Trust(etcdconn.First(resp, 4))
	h.Epoch = believed.Epoch
	h.Why, h.Notes = believed.Why, believed.Notes
	h.Witnesses = believed.Witnesses
	h.Pending = resp.Responses[1].GetResponseRange().Count
	h.Sealer = string(etcdconn.First(resp, 2).Value)
	h.Alive = s.IsMine(etcdconn.First(resp, 3))
	if h.Posted, err = s.TrailPosted(ctx); err != nil {
		return err
	}
	first, _, err := s.FirstStored(ctx)
	h.Stored = first.N
	h.LastSeal = s.LastSeal()
	return err
}

// why returns the fields Why and Notes of Health, for a store that answers.
func (s *Store) why(h *Health) (why, notes []string) {
	if h.State != etcdconn.Well {
		why = append(why, fmt.Sprintf("it is %s; %s", h.State, h.State.Advice()))
	} else if took := s.etcd.SlowLately(); took > 0 {
		h.State = etcdconn.Slow
		notes = append(notes, fmt.Sprintf("it is %s: a call took %v within the last minute; %s", etcdconn.Slow, took.Round(time.Millisecond), etcdconn.Slow.Advice()))
	}
	if !h.Alive {
		why = append(why, "this replica's lease has ended; it changes nothing until it has a new one")
	}
	if err := s.Trouble(); err != nil {
		why = append(why, "the trail is not being sealed: "+err.Error())
	}
	if err := s.trouble.archive.Get(); err != nil {
		why = append(why, "nothing is being archived: "+err.Error())
	}
	if h.Quota > 0 && h.State != etcdconn.Full && float64(h.InUse) > nearlyFull*float64(h.Quota) {
		why = append(why, fmt.Sprintf("it is nearly full: %d of %d bytes are in use; %s", h.InUse, h.Quota, s.CompactionAdvice()))
	}
	if err := s.trouble.newer.Get(); err != nil {
		notes = append(notes, "left to replicas of a newer version: "+err.Error())
	}
	if h.AmbiguousClaims > 0 {
		notes = append(notes, fmt.Sprintf("%d deliveries that did not count are not yet marked as handled", h.AmbiguousClaims))
	}
	return why, notes
}
