package bench

import (
	"fmt"
	"testing"
	"time"

	"dhbot/internal/sim/slacklocal"
	"dhbot/internal/store/etcdstore"
)

const (
	manyInFlight = 100
	// Commands of a round, alone and with many in flight.
	roundAlone = 60
	roundMany  = 300
	// The sides take turns for so long, and at least so often.
	turnsFor = 60 * time.Second
	atLeast  = 4
	// boltRounds is how often Bolt takes its turn.
	boltRounds = 6
)

// BenchmarkStatus measures a warm `/dh status PROCESS` beside the bare loop,
// and what the bot costs when it does nothing.
func BenchmarkStatus(b *testing.B) {
	for b.Loop() {
		e := newEstate(b)
		var store *etcdstore.Store
		ours := newSide(b, "dhbot", func(local *slacklocal.Server) { store = startOurs(b, e, local).Store })
		plain := newSide(b, "bare loop", func(local *slacklocal.Server) { startBare(b, e, local, 0) })
		capped := newSide(b, "bare loop, 8 at a time", func(local *slacklocal.Server) { startBare(b, e, local, 8) })
		sides := []*side{ours, plain, capped}
		txns := compare(b, e, store, ours, plain, capped)
		if hasBolt() {
			sides = append(sides, besideBolt(b, e, ours))
		}
		start, idle := life(b, e)
		results := verdict(ours, plain, txns, start, idle)
		if bolt := sides[len(sides)-1]; bolt != capped {
			last := ours.rounds[1][len(ours.rounds[1])-boltRounds:] // beside Bolt's
			results = append(results, result{
				what: "reply median, 1 in flight, ours / Bolt", metric: "bolt1-ratio", value: ratio(last, bolt.rounds[1], reply50), atMost: 0.45,
			})
		}
		for _, r := range results {
			b.ReportMetric(r.value, r.metric)
		}
		b.ReportMetric(0, "ns/op") // of the whole: it means nothing
		fmt.Println(table(sides, results))
	}
}

// compare lets the sides take turns and returns how many transactions a read
// of ours has cost.
func compare(tb testing.TB, e *estate, store *etcdstore.Store, ours, plain, capped *side) float64 {
	tb.Helper()
	for _, s := range []*side{ours, plain, capped} {
		s.round(tb, e, manyInFlight, channels) // to warm things up
		clear(s.rounds)
	}
	before, reads := store.Txns(), 0
	began := time.Now()
	for i := 0; i < atLeast || time.Since(began) < turnsFor; i++ {
		first, second := ours, plain
		if i%2 == 1 {
			first, second = plain, ours
			capped.round(tb, e, manyInFlight, roundMany)
		}
		first.round(tb, e, 1, roundAlone)
		second.round(tb, e, 1, roundAlone)
		first.round(tb, e, manyInFlight, roundMany)
		second.round(tb, e, manyInFlight, roundMany)
		reads += roundAlone + roundMany
	}
	return float64(store.Txns()-before) / float64(reads)
}

// besideBolt lets Bolt take turns with ours. With many in flight it runs into
// Slack's 3 s for an ack, so that there is nothing to compare.
func besideBolt(tb testing.TB, e *estate, ours *side) *side {
	tb.Helper()
	bolt := newSide(tb, "Bolt, ControlMaster", func(local *slacklocal.Server) { startBolt(tb, e, local) })
	bolt.round(tb, e, 1, roundAlone) // makes the connections
	clear(bolt.rounds)
	for range boltRounds {
		bolt.round(tb, e, 1, roundAlone)
		ours.round(tb, e, 1, roundAlone)
	}
	return bolt
}

// life measures `bot run` itself: how long until it hears Slack, and what
// memory it takes when nothing happens.
func life(tb testing.TB, e *estate) (start, idle float64) {
	tb.Helper()
	bot := buildBot(tb)
	var took []float64
	for i := range starts {
		p, d := hearing(tb, e, bot)
		took = append(took, milliseconds(d))
		if i == starts-1 {
			time.Sleep(idleFor)
			idle = p.resident(tb)
		}
		p.stop(tb)
	}
	return median(took), idle
}

// verdict holds what was measured against what is wanted.
func verdict(ours, plain *side, txns, start, idle float64) []result {
	beside := func(inFlight int, figure func(figures) float64) float64 {
		return ratio(ours.rounds[inFlight], plain.rounds[inFlight], figure)
	}
	return []result{
		{what: "reply median, 1 in flight, ours / bare", metric: "reply1-ratio", value: beside(1, reply50), atMost: 1.05},
		{what: "reply median, 100 in flight, ours / bare", metric: "reply100-ratio", value: beside(manyInFlight, reply50), atMost: 1.15},
		{what: "replies a second, 100 in flight, ours / bare", metric: "rate100-ratio", value: beside(manyInFlight, rate), atLeast: 0.92},
		{what: "ack p99, 100 in flight, ours / bare", metric: "ack100-ratio", value: beside(manyInFlight, ack99), atMost: 0.10},
		{what: "etcd transactions for a read", metric: "txns/read", value: txns, atMost: 2},
		{what: "start on a fresh store until Slack is heard, ms", metric: "start-ms", value: start, atMost: 150},
		{what: "memory of an idle bot, MB", metric: "idle-MB", value: idle, atMost: 45},
	}
}

// TestSides proves that both sides do what the benchmark measures, and that a
// read costs at most two transactions.
func TestSides(t *testing.T) {
	e := newEstate(t)
	var store *etcdstore.Store
	ours := newSide(t, "dhbot", func(local *slacklocal.Server) { store = startOurs(t, e, local).Store })
	plain := newSide(t, "bare loop", func(local *slacklocal.Server) { startBare(t, e, local, 0) })
	const reads = 2 * manyInFlight
	before := store.Txns()
	ours.round(t, e, manyInFlight, reads)
	if n := store.Txns() - before; n > 2*reads {
		t.Errorf("%d reads cost %d transactions, want at most two each", reads, n)
	}
	plain.round(t, e, manyInFlight, reads)
}
