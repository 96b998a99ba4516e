package demo_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"dhbot/internal/sim/demo"
	"dhbot/internal/test/leaktest"
)

// After a bot has ended, none of its goroutines is left, including those of its store, sockets
// and connections.
func TestEveryGoroutineEnds(t *testing.T) {
	t.Parallel()
	lines, err := demo.ParseScript(strings.NewReader("operator: /dh status db_dis\nexpect Sev 0\noperator: /dh restart db_ltds\nexpect 90s Done\n"))
	if err != nil {
		t.Fatal(err)
	}
	play := func() {
		o := demo.Options{Generation: "current", Pace: 0.1, Log: warnings(t)}
		err := demo.Run(t.Context(), o, func(ctx context.Context, d *demo.Demo) error {
			stage := d.Stage()
			stage.Out = io.Discard
			return demo.Play(ctx, stage, lines)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	play() // objects created once per process may stay
	leaktest.Goroutines(t)
	play()
}
