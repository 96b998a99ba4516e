package bench

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"dhbot/internal/sim/slacklocal"
)

const (
	watchEvery = 30 * time.Second
	// settled is the wait before the measurement. After it the bot has connected to every host and
	// checked it.
	settled = 3 * watchEvery
	// watchedFor is the time of the measurement: a whole number of rounds, so that each
	// host is checked equally often.
	watchedFor = 4 * watchEvery
)

// watched are the processes of every host.
var watched = []string{"tailer1", "db_query_server", "db_merge_server", "db_tdcp", "db_ltds"}

// BenchmarkMonitoring measures the CPU time and memory that `bot run` needs to monitor 500
// hosts with five processes each, every 30 s.
func BenchmarkMonitoring(b *testing.B) {
	for b.Loop() {
		e := newFleet(b, manyHosts, watched...)
		e.watch = fmt.Sprintf("    watch: {channel: %s, every: %s, quiet: 2m}\n", slacklocal.DemoIncident, watchEvery)
		p, _ := hearing(b, e, buildBot(b))
		time.Sleep(settled)
		memory, cpu, began := p.resident(b), p.cpu(b), time.Now()
		time.Sleep(watchedFor)
		share := float64(p.cpu(b)-cpu) / float64(time.Since(began))
		grown := p.resident(b) / memory
		p.stop(b)
		if said := p.said.String(); strings.Contains(said, "ERROR") {
			b.Errorf("the bot's log has errors:\n%.4000s", said)
		}
		for _, r := range []result{
			{what: "share of a core, 500 hosts watched", metric: "watch500-core", value: share, atMost: 0.25},
			{what: "memory, 500 hosts watched, MB", metric: "watch500-MB", value: memory * grown},
			{what: "memory, after four more rounds / before", metric: "watch500-growth", value: grown, atMost: 1.1},
		} {
			b.ReportMetric(r.value, r.metric)
			fmt.Println(r)
		}
		b.ReportMetric(0, "ns/op") // the time of the whole benchmark means nothing
	}
}

// cpu is the CPU time of the process so far.
func (p *process) cpu(tb testing.TB) time.Duration {
	tb.Helper()
	return processorTime(tb, strconv.Itoa(p.cmd.Process.Pid))
}
