package faulttest

import (
	"context"
	"fmt"
	"html"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dhbot/internal/card/runcard"
	"dhbot/internal/pause"
	"dhbot/internal/sim/slacklocal"
)

// TestPausedReplica suspends one of two replicas for longer than its lease. At the end, the message
// of each run must show the final state of the run, although a resumed replica could overwrite it
// with an older edit. DHBOT_PAUSED_ROUNDS is the number of rounds, at points spread over a restart.
// Without it, there is only one round, which suspends a replica before the first edit.
func TestPausedReplica(t *testing.T) {
	t.Parallel()
	if only := os.Getenv("DHBOT_PAUSED_POINT"); only != "" {
		at, err := parsePoint(only)
		if err != nil {
			t.Fatal(err)
		}
		pausedAt(t, at)
		return
	}
	points := []point{{"edit before", 1}}
	if n := os.Getenv("DHBOT_PAUSED_ROUNDS"); n != "" {
		rounds, err := strconv.Atoi(n)
		if err != nil || rounds < 1 {
			t.Fatalf("DHBOT_PAUSED_ROUNDS=%q is not a number of rounds", n)
		}
		_, path := round{shape: shared, script: plain, replay: "go test -run Quiet"}.play(t)
		if t.Failed() {
			t.Fatal("a round without faults fails, so the other rounds would show nothing")
		}
		points = spread(path, rounds)
	}
	for i, at := range points {
		t.Run(fmt.Sprintf("%d/%s", i, at), func(t *testing.T) {
			t.Parallel()
			pausedAt(t, at)
		})
	}
}

// spread selects n points of a path. Half of them are at writes of messages, and the other half are
// spread over the path.
func spread(path []crossing, n int) []point {
	var edits, all []point
	for _, c := range path {
		all = append(all, c.point)
		if strings.HasPrefix(c.What, "edit") || strings.HasPrefix(c.What, "post") {
			edits = append(edits, c.point)
		}
	}
	var out []point
	for i := range n {
		from := all
		if i%2 == 0 && len(edits) > 0 {
			from = edits
		}
		out = append(out, from[i*len(from)/n])
	}
	return out
}

// awake is how long a resumed replica gets to send its pending edits.
const awake = 3 * time.Second

func pausedAt(t *testing.T, at point) {
	script := func(ctx context.Context, p *people, r *rand.Rand) {
		plain(ctx, p, r)
		p.repairs.Wait()
		pause.For(ctx, awake)
	}
	p, _ := round{
		shape: shared, seed: 1, script: script, also: (*people).judgeLastWords,
		snares: []snare{{at, fault{name: "SIGSTOP for longer than the lease", do: freezeReplica}}},
		replay: fmt.Sprintf("DHBOT_PAUSED_POINT=%q go test -run PausedReplica", at),
	}.play(t)
	if left := p.watch.untriggered(); len(left) > 0 {
		t.Logf("in this round no replica crossed %v", left)
	}
}

// judgeLastWords checks that the message of each run shows the current state of the run.
func (p *people) judgeLastWords(st state) {
	for _, s := range st.Runs {
		list, err := p.slack.Messages(s.Run.Place.Channel, "")
		if err != nil {
			p.violation("the channel cannot be read: %v", err)
			return
		}
		i := slices.IndexFunc(list, func(m slacklocal.Message) bool { return m.TS == st.Posts[s.Run.ID].TS })
		if i < 0 {
			continue // judgeMessages has reported this problem
		}
		if want := runcard.Run(s.Run).Push; html.UnescapeString(list[i].Text) != want {
			p.violation("the message of %s shows %q, but the run is %q", s.Run.ID, list[i].Text, want)
		}
	}
}
