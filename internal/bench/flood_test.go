package bench

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"dhbot/internal/sim/slacklocal"
)

const (
	// floodFrame is a little less than the largest frame that the bot reads.
	floodFrame = 8<<20 - 4<<10
	floods     = 64
	floodedBy  = 4 // at the same time
	// calmFor is how long the bot is left alone after a flood, before its memory is read.
	calmFor = 60 * time.Second
)

// BenchmarkFlood measures the memory of `bot run` before, during and after a flood of commands
// whose frames are as large as the bot reads them.
func BenchmarkFlood(b *testing.B) {
	for b.Loop() {
		p, _ := hearing(b, newEstate(b), buildBot(b))
		time.Sleep(idleFor)
		before := p.resident(b)
		during := p.flood(b)
		time.Sleep(calmFor)
		after := p.resident(b)
		p.stop(b)
		for _, r := range []result{
			{what: "memory at the end of a flood of 8 MB frames, MB", metric: "flood-MB", value: during},
			{what: "memory a minute later / before", metric: "flood-growth", value: after / before, atMost: 1.2},
		} {
			b.ReportMetric(r.value, r.metric)
			fmt.Println(r)
		}
		b.ReportMetric(0, "ns/op") // of the whole: it means nothing
	}
}

// flood sends the commands and returns the memory at its end, in MB.
func (p *process) flood(tb testing.TB) float64 {
	tb.Helper()
	text := "status db_dis " + strings.Repeat("x", floodFrame)
	var sending sync.WaitGroup
	for range floodedBy {
		sending.Go(func() {
			for range floods / floodedBy {
				in := slacklocal.SlashCommand{User: slacklocal.DemoOperator, Channel: slacklocal.DemoIncident, Command: "/dh", Text: text}
				if _, err := p.slack.Slash(in); err != nil {
					tb.Errorf("a command of 8 MB: %v", err)
				}
			}
		})
	}
	sending.Wait()
	return p.resident(tb)
}
