package etcdstore

import (
	"context"
	"encoding/json"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// RoundTrip is the newest test of the way through Slack, which all replicas share. One replica adds
// a reaction to a message, or removes it. The replica that gets Slack's event about it records the
// time. Times are Unix milliseconds, 0 for never.
type RoundTrip struct {
	V       int    `json:"v"`
	Channel string `json:"channel"`
	TS      string `json:"ts"` // the message with the reaction, "" for none yet
	On      bool   `json:"on"` // the reaction was added, not removed
	Sent    int64  `json:"sent"`
	Heard   int64  `json:"heard"`
	// Again means that Slack had to send the event more than once.
	Again bool `json:"again,omitempty"`
	// Good is when the last successful round trip began. Missed is when the first failed round trip
	// since then began.
	Good   int64 `json:"good,omitempty"`
	Missed int64 `json:"missed,omitempty"`

	rev int64 // revision of the key when it was read
}

const roundTripVersion = 1

// LoadRoundTrip returns the current round trip.
func (s *Store) LoadRoundTrip(ctx context.Context) (RoundTrip, error) {
	resp, err := s.etcd.Get(ctx, "reading the round trip through Slack", s.keys.RoundTrip())
	if err != nil || len(resp.Kvs) == 0 {
		return RoundTrip{}, err
	}
	var e RoundTrip
	if err := json.Unmarshal(resp.Kvs[0].Value, &e); err != nil || e.V != roundTripVersion {
		return RoundTrip{}, fmt.Errorf("the stored round trip has a form that this version does not know: %.100q", resp.Kvs[0].Value)
	}
	e.rev = resp.Kvs[0].ModRevision
	return e, nil
}

// SaveRoundTrip replaces old, which LoadRoundTrip returned, by next. It returns false if another
// replica has stored another value in the meantime.
func (s *Store) SaveRoundTrip(ctx context.Context, old, next RoundTrip) (bool, error) {
	next.V = roundTripVersion
	b, err := json.Marshal(next)
	if err != nil {
		return false, err
	}
	s.etcd.Background.Add(1)
	resp, err := s.etcd.Send(ctx, "storing the round trip through Slack",
		[]clientv3.Cmp{clientv3.Compare(clientv3.ModRevision(s.keys.RoundTrip()), "=", old.rev)},
		[]clientv3.Op{clientv3.OpPut(s.keys.RoundTrip(), string(b))}, nil)
	return err == nil && resp.Succeeded, err
}
