package etcdstore

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/fleet"
	"dhbot/internal/store/etcdconn"
	"dhbot/internal/store/keymap"
)

// maintenance is the stored value of a maintenance announcement. Its key names the target.
type maintenance struct {
	V      int    `json:"v"`
	From   int64  `json:"from"` // Unix milliseconds
	Until  int64  `json:"until"`
	By     string `json:"by"`
	Reason string `json:"reason,omitempty"`
	// For a maintenance window:
	Waits    bool   `json:"waits,omitempty"`
	Approver string `json:"approver,omitempty"`
	Origin   string `json:"origin,omitempty"`
}

// Maintenance returns all maintenance announcements, sorted by cluster and target.
func (s *Store) Maintenance(ctx context.Context) ([]fleet.Maintenance, error) {
	resp, err := s.etcd.Get(ctx, "reading the announced maintenance", s.keys.Maintenances(), clientv3.WithPrefix())
	if err != nil {
		return nil, err
	}
	return s.decodeMaintenances(resp.Kvs)
}

// openWork has the results of Open and Maintenance, read at the same revision of the store.
type openWork struct {
	rev       int64
	open      []engine.Stored
	announced []fleet.Maintenance
}

// OpenWork returns the results of Open and Maintenance, read at the same revision. Callers must not
// modify the runs, because an embedded store returns the same runs to all callers until something
// changes.
func (s *Store) OpenWork(ctx context.Context) ([]engine.Stored, []fleet.Maintenance, error) {
	if h := s.openWork.Load(); h != nil && h.rev == s.etcd.Revision() {
		return slices.Clone(h.open), slices.Clone(h.announced), nil
	}
	found, rev, err := s.etcd.Look(ctx, "reading open runs and maintenance", s.keys.Opens(), s.keys.Maintenances())
	if err != nil {
		return nil, nil, err
	}
	open, err := s.openOf(ctx, found[0], rev)
	if err != nil {
		return nil, nil, err
	}
	announced, err := s.decodeMaintenances(found[1])
	if err != nil {
		return nil, nil, err
	}
	s.openWork.Store(&openWork{rev, slices.Clone(open), slices.Clone(announced)})
	return open, announced, nil
}

func (s *Store) decodeMaintenances(kvs []*etcdconn.KeyValue) ([]fleet.Maintenance, error) {
	list := make([]fleet.Maintenance, 0, len(kvs))
	for _, kv := range kvs {
		m, err := s.decodeMaintenance(kv)
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	slices.SortFunc(list, fleet.Maintenance.Compare)
	return list, nil
}

func (s *Store) decodeMaintenance(kv *etcdconn.KeyValue) (fleet.Maintenance, error) {
	about := strings.Split(strings.TrimPrefix(string(kv.Key), s.keys.Maintenances()), "/")
	var m maintenance
	if err := json.Unmarshal(kv.Value, &m); err != nil || len(about) != 3 {
		return fleet.Maintenance{}, fmt.Errorf("the stored maintenance %s cannot be read: %.100q", kv.Key, kv.Value)
	}
	if m.V != 1 {
		return fleet.Maintenance{}, fmt.Errorf("the stored maintenance %s has form %d, which a newer bot wrote", kv.Key, m.V)
	}
	if about[2] == keymap.EveryHost {
		about[2] = ""
	}
	out := fleet.Maintenance{
		Cluster: about[0], Process: about[1], Host: about[2],
		From: time.UnixMilli(m.From).UTC(), Until: time.UnixMilli(m.Until).UTC(), By: m.By, Reason: m.Reason,
	}
	if out.Process == keymap.EveryProcess {
		out.Process = ""
		out.Waits, out.Approver, out.Origin, out.Rev = m.Waits, m.Approver, m.Origin, kv.ModRevision
	}
	return out, nil
}

// SetMaintenance replaces the maintenance announcement for a target, stores its record and settles
// the claim, in one transaction. If m is a maintenance window and the stored window was changed
// since m.Rev, it changes nothing and returns engine.ErrConflict.
func (s *Store) SetMaintenance(ctx context.Context, m fleet.Maintenance, r audit.Record, claim string) error {
	value, err := json.Marshal(maintenance{
		V: 1, From: m.From.UnixMilli(), Until: m.Until.UnixMilli(), By: m.By, Reason: m.Reason,
		Waits: m.Waits, Approver: m.Approver, Origin: m.Origin,
	})
	if err != nil {
		return err
	}
	return s.announce(ctx, m, r, claim, func(key string) clientv3.Op { return clientv3.OpPut(key, string(value)) })
}

// EndMaintenance removes the maintenance announcement for a target, if there is one. The same
// transaction stores the record and settles the claim.
func (s *Store) EndMaintenance(ctx context.Context, m fleet.Maintenance, r audit.Record, claim string) error {
	return s.announce(ctx, m, r, claim, func(key string) clientv3.Op { return clientv3.OpDelete(key) })
}

func (s *Store) announce(
	ctx context.Context, m fleet.Maintenance, r audit.Record, claim string, change func(key string) clientv3.Op,
) error {
	key, err := s.keys.Maintenance(m)
	if err != nil {
		return err
	}
	l, err := s.Loosely(claim, r)
	if err != nil {
		return err
	}
	var cmps []clientv3.Cmp
	if m.IsWindow() {
		cmps = append(cmps, clientv3.Compare(clientv3.ModRevision(key), "=", m.Rev))
	}
	resp, err := s.etcd.Txn(ctx, "storing an announcement of maintenance", cmps, append([]clientv3.Op{change(key)}, l.Ops...), nil)
	if err == nil && !resp.Succeeded {
		err = fmt.Errorf("maintenance of %s in %s: %w", m.Target(), m.Cluster, engine.ErrConflict)
	}
	return err
}
