package bench

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"dhbot/internal/sim/slacklocal"
	"dhbot/internal/test/testenv"
)

const (
	// floodFrame is a little less than the largest frame that the bot reads, in bytes.
	floodFrame = 8<<20 - 4<<10
	floods     = 64
	floodedBy  = 4 // concurrent senders
	// calmFor is the pause after a flood before the memory is read.
	calmFor = 60 * time.Second
)

// BenchmarkFlood measures the memory of `bot run` before, during and after a flood of commands
// in frames of the largest size that the bot reads.
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
		b.ReportMetric(0, "ns/op") // the time of the whole benchmark means nothing
	}
}

// flood sends the commands and returns the memory at the end of the flood, in MB.
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

// TestFlood checks that the bot returns its memory to the system after a flood. The Go runtime
// alone would return the memory only after the test has given up.
func TestFlood(t *testing.T) {
	testenv.NeedRealPrograms(t)
	const spare = 40 // MB
	p, _ := hearing(t, newEstate(t), buildBot(t))
	defer p.stop(t)
	before := p.resident(t)
	if during := p.flood(t); during < before+spare*5/4 {
		t.Fatalf("the flood raised the memory only from %.0f to %.0f MB", before, during)
	}
	began := time.Now()
	for p.resident(t) > before+spare {
		if time.Since(began) > 110*time.Second {
			t.Fatalf("the memory is %.0f MB after the flood, and was %.0f MB before", p.resident(t), before)
		}
		time.Sleep(time.Second)
	}
}
