package app

import (
	"context"
	"errors"
	"testing"

	"dhbot/internal/store/replicas"
)

// A replica that stops leaves Slack to other replicas only if one of them keeps running with the
// same config. If the stop cannot be announced, or the replicas cannot be queried, it stays
// connected.
func TestOthers(t *testing.T) {
	self := replicas.Peer{Name: "a", Self: true, Config: "one"}
	for name, c := range map[string]struct {
		peers      []replicas.Peer
		leave, ask error
		want       bool
	}{
		"alone":              {peers: []replicas.Peer{self}},
		"another":            {peers: []replicas.Peer{self, {Name: "b", Config: "one"}}, want: true},
		"another config":     {peers: []replicas.Peer{self, {Name: "b", Config: "two"}}},
		"both stop":          {peers: []replicas.Peer{self, {Name: "b", Config: "one", Leaving: true}}},
		"one of two":         {peers: []replicas.Peer{self, {Name: "b", Config: "one", Leaving: true}, {Name: "c", Config: "one"}}, want: true},
		"could not announce": {peers: []replicas.Peer{self, {Name: "b", Config: "one"}}, leave: errors.New("down")},
		"could not query":    {ask: errors.New("down")},
	} {
		var did []string
		b := &bot{Config: Config{Hash: "one"}, Edges: Edges{
			Leave: func(context.Context) error { did = append(did, "told"); return c.leave },
			Peers: func(context.Context) ([]replicas.Peer, error) { did = append(did, "asked"); return c.peers, c.ask },
		}}
		if got := b.others(); got != c.want || did[0] != "told" {
			t.Errorf("%s: %v after %q", name, got, did)
		}
	}
	if (&bot{}).others() {
		t.Error("a bot that can have no other replicas has some")
	}
}
