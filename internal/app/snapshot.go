package app

import (
	"context"
	"time"

	"dhbot/internal/engine"
	"dhbot/internal/incident"
	"dhbot/internal/metrics"
	"dhbot/internal/store/etcdconn"
)

// turnsWithin is the time limit of one iteration of the engine's loop. Each call of the store in an
// iteration ends after a few seconds, with or without an answer.
const turnsWithin = time.Minute

// metricsListener is the data for the HTTP listener.
func (b *bot) metricsListener() metrics.Listener {
	b.Metrics.Watch(b.snapshot)
	return metrics.Listener{
		Address: b.Listen.Listen, Pprof: b.Listen.Pprof, Stuck: b.Loops.Stuck,
		Unready: func(ctx context.Context) []string { return b.health(ctx).Why },
		Log:     b.Log.With("part", "metrics"),
	}
}

// snapshot is the current state of the bot.
func (b *bot) snapshot(ctx context.Context) metrics.Snapshot {
	h, slack := b.health(ctx), b.slack.Health()
	s := metrics.Snapshot{
		Ready: h.OK, Hears: slack.Hears(b.Now(), hearsWithin),
		Pending: h.Pending, Capacity: h.Capacity, Reload: b.Reload(),
		Trail: metrics.Trail{Head: h.Head},
	}
	for _, socket := range slack.Sockets {
		if socket.Up {
			s.SocketsUp++
		}
		if socket.Read.After(s.LastHeard) {
			s.LastHeard = socket.Read
		}
	}
	if b.SSHStats != nil {
		s.SSH = b.SSHStats()
	}
	if st := h.Store; st != nil {
		s.Store = &metrics.Store{Up: etcdconn.State(st.State).Serves(), Size: st.Size, InUse: st.InUse, Quota: st.Quota}
		s.Trail.Unsealed = st.Pending
		for _, w := range st.Witnesses {
			s.Trail.Unlodged = append(s.Trail.Unlodged, metrics.Unlodged{Witness: w.Name, Entries: w.Missing})
		}
		if h.Head > st.Posted {
			s.Trail.Unposted = h.Head - st.Posted
		}
	}
	b.countRuns(ctx, &s)
	b.countIncidents(ctx, &s)
	return s
}

func (b *bot) countRuns(ctx context.Context, s *metrics.Snapshot) {
	open, err := b.Store.Open(ctx)
	if err != nil {
		return // unknown values are not shown
	}
	s.Runs = map[string]int{}
	for _, state := range []engine.State{engine.Waiting, engine.Approved, engine.Queued, engine.Running, engine.Paused, engine.Unknown} {
		s.Runs[string(state)] = 0
	}
	for _, st := range open {
		s.Runs[string(st.Run.State)]++
		if st.Run.State == engine.Waiting {
			s.OldestApproval = max(s.OldestApproval, b.Now().Sub(st.Run.RequestedAt))
		}
	}
}

func (b *bot) countIncidents(ctx context.Context, s *metrics.Snapshot) {
	for name := range b.Watches {
		kept, _, err := incident.KeptCluster(ctx, b.Store, name)
		if err != nil {
			continue
		}
		counts := map[int]int{-1: 0, 0: 0, 1: 0, 2: 0, 3: 0}
		for _, i := range kept.Incidents {
			if i.Ended == nil {
				counts[severityNumber(i.Worst())]++
			}
		}
		for level, n := range counts {
			s.Incidents = append(s.Incidents, metrics.Incidents{Cluster: name, Severity: level, Count: n})
		}
	}
}
