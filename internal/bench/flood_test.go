package bench

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"dhbot/internal/sim/slacklocal"
	"dhbot/internal/test/sshdtest"
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

// TestFlood: the memory of a flood goes back to the system. Without the release it stays for
// longer than the test waits.
func TestFlood(t *testing.T) {
	if os.Getenv(sshdtest.RealEnv) != "1" {
		t.Skip("takes a minute: " + sshdtest.RealEnv + "=1")
	}
	const spare = 40 // MB
	p, _ := hearing(t, newEstate(t), buildBot(t))
	defer p.stop(t)
	before := p.resident(t)
	if during := p.flood(t); during < before+2*spare {
		t.Fatalf("the flood took the memory only from %.0f to %.0f MB", before, during)
	}
	began := time.Now()
	for p.resident(t) > before+spare {
		if time.Since(began) > 75*time.Second {
			t.Fatalf("%.0f MB are left of a flood, it was %.0f before", p.resident(t), before)
		}
		time.Sleep(time.Second)
	}
}
