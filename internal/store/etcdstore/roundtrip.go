package etcdstore

import (
	"context"
	"encoding/json"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// RoundTrip is the bot's round trip through Slack, for all replicas: one of them
// marks a message, and whichever Slack tells of it notes that. Times are Unix
// milliseconds, 0 for never.
type RoundTrip struct {
	V       int    `json:"v"`
	Channel string `json:"channel"`
	TS      string `json:"ts"` // the message that is marked, "" for none yet
	On      bool   `json:"on"` // the mark was set, or else taken back
	Sent    int64  `json:"sent"`
	Heard   int64  `json:"heard"`
	// Again says that Slack had to send it more than once.
	Again bool `json:"again,omitempty"`
	// Good is when the last round trip began that came back at once. Missed is
	// when the first after that began that did not.
	Good   int64 `json:"good,omitempty"`
	Missed int64 `json:"missed,omitempty"`

	rev int64 // of the key that it was read from
}

const roundTripVersion = 1

// LoadRoundTrip returns the round trip as it stands.
func (s *Store) LoadRoundTrip(ctx context.Context) (RoundTrip, error) {
	resp, err := s.etcd.Get(ctx, "asking for the round trip through Slack", s.keys.RoundTrip())
	if err != nil || len(resp.Kvs) == 0 {
		return RoundTrip{}, err
	}
	var e RoundTrip
	if err := json.Unmarshal(resp.Kvs[0].Value, &e); err != nil || e.V != roundTripVersion {
		return RoundTrip{}, fmt.Errorf("the stored round trip has a form that is not known here: %.100q", resp.Kvs[0].Value)
	}
	e.rev = resp.Kvs[0].ModRevision
	return e, nil
}

// SaveRoundTrip stores next in place of what LoadRoundTrip returned; false means that
// another replica was first.
func (s *Store) SaveRoundTrip(ctx context.Context, old, next RoundTrip) (bool, error) {
	next.V = roundTripVersion
	b, err := json.Marshal(next)
	if err != nil {
		return false, err
	}
	s.etcd.Background.Add(1)
	resp, err := s.etcd.Send(ctx, "noting the round trip through Slack",
		[]clientv3.Cmp{clientv3.Compare(clientv3.ModRevision(s.keys.RoundTrip()), "=", old.rev)},
		[]clientv3.Op{clientv3.OpPut(s.keys.RoundTrip(), string(b))}, nil)
	return err == nil && resp.Succeeded, err
}
