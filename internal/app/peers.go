package app

import (
	"context"
	"fmt"
	"slices"
	"time"

	"dhbot/internal/pause"
	"dhbot/internal/store/replicas"
)

// mostSkew is the largest allowed difference of two replicas' clocks. It is small because each
// replica checks deadlines with its own clock.
const mostSkew = 2 * time.Second

// peersEvery is how often the replicas are compared.
const peersEvery = 15 * time.Second

// agrees returns the reason why this replica may not accept changes, for people, or "" if it may.
// It may not while changes are stopped, or while its config differs from the leader's.
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
			return fmt.Sprintf("this replica (%s) does not have the same config as the leader, %s on %s", b.Replica, p.Name, p.Host), nil
		}
	}
	return "", nil
}

// othersWithin limits the query for other replicas.
const othersWithin = time.Second

// others announces to the other replicas that this replica is stopping, and reports whether any of
// them with the same config continues to receive events. If that is unknown, it returns false. The
// announcement comes first, so that two replicas that stop at the same time do not rely on each
// other.
func (b *bot) others() bool {
	if b.Peers == nil || b.Leave == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), othersWithin)
	defer cancel()
	if err := b.Leave(ctx); err != nil {
		return false // unknown: stay connected
	}
	peers, err := b.Peers(ctx)
	return err == nil && slices.ContainsFunc(peers, func(p replicas.Peer) bool { return !p.Self && !p.Leaving && p.Config == b.Hash })
}

// apart lists differences between the replicas, for `bot health`.
func (b *bot) apart(ctx context.Context) []string {
	if b.Peers == nil {
		return nil
	}
	peers, err := b.Peers(ctx)
	if err != nil {
		return nil // the store reports its own problem
	}
	var out []string
	for _, p := range peers {
		if p.Ahead > mostSkew && !p.Self {
			out = append(out, fmt.Sprintf("the clock of replica %s on %s is at least %s ahead of this replica's clock: use the same time server for both", p.Name, p.Host, p.Ahead.Round(100*time.Millisecond)))
		}
		if p.Config != b.Hash && !p.Self {
			out = append(out, fmt.Sprintf("replica %s on %s does not have the same config as this replica: restart the replica that still uses the old file", p.Name, p.Host))
		}
	}
	return out
}

// watchPeers logs differences between the replicas, once for each change.
func (b *bot) watchPeers(ctx context.Context) error {
	said := ""
	for ; ctx.Err() == nil; pause.For(ctx, peersEvery) {
		now := fmt.Sprint(b.apart(ctx))
		if now != said && now != "[]" {
			b.Log.ErrorContext(ctx, "the replicas differ", "what", now)
		}
		said = now
	}
	return nil
}
