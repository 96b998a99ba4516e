package faulttest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// embedded and shared are the worlds in which every crash point is tried. After a crash, the next
// process of the same replica continues in embedded. In shared, another replica can continue.
var (
	embedded = shape{Replicas: 1}
	shared   = shape{Replicas: 2, Members: 1}
)

// TestQuiet plays a round without faults.
func TestQuiet(t *testing.T) {
	t.Parallel()
	for _, s := range []shape{embedded, shared} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			p, path := round{shape: s, script: plain, replay: "go test -run Quiet"}.play(t)
			// A busy machine may delay the acknowledgement of a request by over 3 s. Then people
			// repeat the request.
			if n, asks := executions(p.hosts.Executed()), p.asks(); n != 2 && len(asks) == 2 {
				t.Errorf("%d commands changed something, want 2: %+v, %+v", n, asks, p.hosts.Executed())
			}
			t.Logf("%d crossings of %d kinds", len(path), len(kinds(path)))
		})
	}
}

// kinds returns each kind of crossing once, in the order in which the kinds first appear.
func kinds(path []crossing) []string {
	var out []string
	for _, c := range path {
		if !slices.Contains(out, c.What) {
			out = append(out, c.What)
		}
	}
	return out
}

// parsePoint parses "commit approved after 1".
func parsePoint(s string) (point, error) {
	i := strings.LastIndexByte(s, ' ')
	if i < 0 {
		return point{}, fmt.Errorf("%q is not a point", s)
	}
	n, err := strconv.Atoi(s[i+1:])
	return point{s[:i], n}, err
}

// shortPoints are the crash points of the short version. A replica crashes after it acknowledged a
// delivery and before it handled the delivery, after it sent a command and before it recorded the
// end, after it recorded the start of a step and before it began the step, and after it edited a
// message and before it recorded the edit.
var shortPoints = map[shape][]point{
	embedded: {{"send after", 1}, {"handle before", 1}},
	shared:   {{"commit step started after", 1}, {"edit after", 1}},
}

// TestPoints kills a replica at crash points, in both worlds. The short version tries a few points.
// The long version tries every crossing of a round without other faults.
func TestPoints(t *testing.T) {
	t.Parallel()
	if only := os.Getenv("DHBOT_FAULT_POINT"); only != "" {
		at, err := parsePoint(only)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []shape{embedded, shared} {
			t.Run(s.String(), func(t *testing.T) { die(t, s, at) })
		}
		return
	}
	for _, s := range []shape{embedded, shared} {
		points := shortPoints[s]
		if long() {
			points = nil
			_, path := round{shape: s, script: plain, replay: "go test -run Quiet"}.play(t)
			if t.Failed() {
				t.Fatal("a round without faults fails, so the other rounds would show nothing")
			}
			for _, c := range path {
				points = append(points, c.point)
			}
		}
		for _, at := range points {
			t.Run(fmt.Sprintf("%s/%s", s, at), func(t *testing.T) {
				t.Parallel()
				die(t, s, at)
			})
		}
	}
}

func die(t *testing.T, s shape, at point) {
	back := 300 * time.Millisecond
	if s == shared && rand.IntN(2) == 0 {
		back = -1 // the other replica has to finish the round
	}
	var wait time.Duration
	if !long() {
		wait = 6 * time.Second // a request that waits behind a lost request stays in the queue that long
	}
	p, _ := round{
		shape: s, script: plain, snares: []snare{{at, kill(back)}}, startTTL: wait,
		replay: fmt.Sprintf("DHBOT_FAULT_POINT=%q go test -run Points", at),
	}.play(t)
	if left := p.watch.untriggered(); len(left) > 0 {
		t.Logf("in this round no replica crossed %v", left)
	}
}
