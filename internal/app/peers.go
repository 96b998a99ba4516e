package app

import (
	"context"
	"fmt"
	"slices"
	"time"

	"dhbot/internal/pause"
	"dhbot/internal/store/replicas"
)

// mostSkew is how far two replicas' clocks may be apart: deadlines are judged
// by the clock of the replica that looks.
const mostSkew = 2 * time.Second

// peersEvery is how often the replicas are compared.
const peersEvery = 15 * time.Second

// agrees says, in words for people, why this replica must not take anything
// that changes something: it runs by another config than the replica that
// leads. "" means that nothing speaks against it.
func (b *bot) agrees(ctx context.Context) (why string, err error) {
	if b.Stopped != nil {
		if why := b.Stopped(); why != "" {
			return why, nil
		}
	}
	if b.Peers == nil {
		return "", nil
	}
	peers, err := b.Peers(ctx)
	if err != nil {
		return "", err
	}
	for _, p := range peers {
		if p.Leads && !p.Self && p.Config != b.Hash {
			return fmt.Sprintf("this replica (%s) runs by another config than %s on %s, which leads", b.Replica, p.Name, p.Host), nil
		}
	}
	return "", nil
}

// othersWithin bounds the question whether there are other replicas.
const othersWithin = time.Second

// others tells the other replicas that this one stops, and says whether there
// are any that go on and take what this one does not. Of two that stop at the
// same time neither leaves Slack to the other: each announces first, and asks then.
func (b *bot) others() bool {
	if b.Peers == nil || b.Leave == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), othersWithin)
	defer cancel()
	if err := b.Leave(ctx); err != nil {
		return false // not known: stay connected
	}
	peers, err := b.Peers(ctx)
	return err == nil && slices.ContainsFunc(peers, func(p replicas.Peer) bool { return !p.Self && !p.Leaving && p.Config == b.Hash })
}

// apart names what does not fit between the replicas, for `bot health`.
func (b *bot) apart(ctx context.Context) []string {
	if b.Peers == nil {
		return nil
	}
	peers, err := b.Peers(ctx)
	if err != nil {
		return nil // the store speaks for itself
	}
	var out []string
	for _, p := range peers {
		if p.Ahead > mostSkew && !p.Self {
			out = append(out, fmt.Sprintf("the clock of replica %s on %s is at least %s ahead of this one's: set both by the same time server", p.Name, p.Host, p.Ahead.Round(100*time.Millisecond)))
		}
		if p.Config != b.Hash && !p.Self {
			out = append(out, fmt.Sprintf("replica %s on %s runs by another config than this one: restart the one with the old file", p.Name, p.Host))
		}
	}
	return out
}

// watchPeers says in the log what does not fit, once each time it changes.
func (b *bot) watchPeers(ctx context.Context) error {
	said := ""
	for ; ctx.Err() == nil; pause.For(ctx, peersEvery) {
		now := fmt.Sprint(b.apart(ctx))
		if now != said && now != "[]" {
			b.Log.ErrorContext(ctx, "the replicas do not fit together", "what", now)
		}
		said = now
	}
	return nil
}
