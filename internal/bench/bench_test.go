package bench

import (
	"fmt"
	"testing"
	"time"

	"dhbot/internal/app"
	"dhbot/internal/sim/slacklocal"
	"dhbot/internal/store/etcdstore"
)

const (
	manyInFlight = 100
	// A round is roundAlone commands, one after the other, or roundMany commands, with manyInFlight
	// of them in flight.
	roundAlone = 60
	roundMany  = 300
	// The compared programs take turns until turnsFor has passed, and at least atLeast times.
	turnsFor = 60 * time.Second
	atLeast  = 4
	// boltRounds is the number of rounds for Bolt, which is Slack's own framework.
	boltRounds = 6
)

// BenchmarkStatus compares the bot with bare loops that answer the same `/dh status PROCESS` over
// open connections. It also measures the start time and the memory of an idle bot.
func BenchmarkStatus(b *testing.B) {
	for b.Loop() {
		e := newEstate(b)
		var edges *app.Opened
		var sent *recorder
		ours := newSide(b, "dhbot", func(local *slacklocal.Server) { edges, sent = startOurs(b, e, local) })
		reads := record(b, e, ours, sent)
		bare := func(name string, atOnce int, lines map[string][]line) *side {
			return newSide(b, name, func(local *slacklocal.Server) { startBare(b, e, local, atOnce, lines) })
		}
		same := bare("bare loop, same reads", 0, reads)
		one := bare("bare loop, one command", 0, e.oneCommand())
		capped := bare("same reads, 8 at a time", 8, reads)
		sides := []*side{ours, same, one, capped}
		txns := compare(b, e, edges.Store, sides)
		if hasBolt() {
			sides = append(sides, besideBolt(b, e, ours))
		}
		start, idle := life(b, e)
		results := verdict(ours, same, one, txns, start, idle)
		if bolt := sides[len(sides)-1]; bolt != capped {
			last := ours.rounds[1][len(ours.rounds[1])-boltRounds:] // the rounds that are next to the rounds of Bolt in time
			results = append(results, result{
				what: "reply median, 1 in flight, ours / Bolt", metric: "bolt1-ratio", value: ratio(last, bolt.rounds[1], reply50), atMost: 0.45,
			})
		}
		for _, r := range results {
			b.ReportMetric(r.value, r.metric)
		}
		b.ReportMetric(0, "ns/op") // the time of the whole benchmark means nothing
		fmt.Println(table(sides, results))
	}
}

// compare lets the sides take turns. It returns how many store transactions the bot made per read.
func compare(tb testing.TB, e *estate, store *etcdstore.Store, sides []*side) float64 {
	tb.Helper()
	for _, s := range sides {
		s.round(tb, e, manyInFlight, channels) // a warm-up
		clear(s.rounds)
	}
	before, reads := store.Txns(), 0
	began := time.Now()
	for i := 0; i < atLeast || time.Since(began) < turnsFor; i++ {
		for _, n := range []struct{ inFlight, commands int }{{1, roundAlone}, {manyInFlight, roundMany}} {
			for k := range sides {
				sides[(i+k)%len(sides)].round(tb, e, n.inFlight, n.commands)
			}
		}
		reads += roundAlone + roundMany
	}
	return float64(store.Txns()-before) / float64(reads)
}

// besideBolt lets Bolt and the bot take turns, with one command in flight. With many commands in
// flight, Bolt misses Slack's limit of 3 s for an acknowledgement, so there is nothing to compare.
func besideBolt(tb testing.TB, e *estate, ours *side) *side {
	tb.Helper()
	bolt := newSide(tb, "Bolt, ControlMaster", func(local *slacklocal.Server) { startBolt(tb, e, local) })
	bolt.round(tb, e, 1, roundAlone) // opens the connections
	clear(bolt.rounds)
	for range boltRounds {
		bolt.round(tb, e, 1, roundAlone)
		ours.round(tb, e, 1, roundAlone)
	}
	return bolt
}

// life measures `bot run` itself: the time until the bot is connected to Slack, in ms, and
// the memory of the idle bot, in MB.
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

// verdict compares the measurements with the targets. The side same is a bare loop that sends the
// same lines as the bot, so the ratio to it shows the cost of the bot itself. The side one sends
// only the status command, so the ratio to it also includes the bot's additional reads.
func verdict(ours, same, one *side, txns, start, idle float64) []result {
	beside := func(to *side, inFlight int, figure func(figures) float64) float64 {
		return ratio(ours.rounds[inFlight], to.rounds[inFlight], figure)
	}
	return []result{
		{what: "reply median, 1 in flight, ours / same reads", metric: "reply1-ratio", value: beside(same, 1, reply50), atMost: 1.05},
		{what: "reply median, 100 in flight, ours / same reads", metric: "reply100-ratio", value: beside(same, manyInFlight, reply50), atMost: 1.15},
		{what: "replies a second, 100 in flight, ours / same reads", metric: "rate100-ratio", value: beside(same, manyInFlight, rate), atLeast: 0.92},
		{what: "ack p99, 100 in flight, ours / same reads", metric: "ack100-ratio", value: beside(same, manyInFlight, ack99), atMost: 0.10},
		{what: "reply median, 1 in flight, ours / one command", metric: "one1-ratio", value: beside(one, 1, reply50), atMost: 1.05},
		{what: "reply median, 100 in flight, ours / one command", metric: "one100-ratio", value: beside(one, manyInFlight, reply50), atMost: 1.15},
		{what: "replies a second, 100 in flight, ours / one command", metric: "onerate-ratio", value: beside(one, manyInFlight, rate), atLeast: 0.92},
		{what: "etcd transactions for a read", metric: "txns/read", value: txns, atMost: 2},
		{what: "start on a fresh store until the first Slack event, ms", metric: "start-ms", value: start, atMost: 150},
		{what: "memory of an idle bot, MB", metric: "idle-MB", value: idle, atMost: 45},
	}
}

// TestSides checks that the bot and the bare loop answer the commands of the benchmark, and
// that a read costs at most two transactions.
func TestSides(t *testing.T) {
	e := newEstate(t)
	var store *etcdstore.Store
	var sent *recorder
	ours := newSide(t, "dhbot", func(local *slacklocal.Server) {
		var edges *app.Opened
		edges, sent = startOurs(t, e, local)
		store = edges.Store
	})
	lines := record(t, e, ours, sent)
	same := newSide(t, "bare loop", func(local *slacklocal.Server) { startBare(t, e, local, 0, lines) })
	const reads = 2 * manyInFlight
	before := store.Txns()
	ours.round(t, e, manyInFlight, reads)
	if n := store.Txns() - before; n > 2*reads {
		t.Errorf("%d reads cost %d transactions, want at most two each", reads, n)
	}
	same.round(t, e, manyInFlight, reads)
}
