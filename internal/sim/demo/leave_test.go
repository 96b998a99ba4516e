package demo_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"dhbot/internal/sim/demo"
)

// A bot that has ended has left nothing running: no goroutine of the bot, its
// store, its sockets or its connections.
func TestEveryGoroutineEnds(t *testing.T) {
	lines, err := demo.ParseScript(strings.NewReader("operator: /dh status db_dis\nexpect Sev 0\noperator: /dh restart db_ltds\nexpect 90s Done\n"))
	if err != nil {
		t.Fatal(err)
	}
	play := func() {
		o := demo.Options{Generation: "current", Pace: 0.1, Log: slog.New(slog.DiscardHandler)}
		err := demo.Run(t.Context(), o, func(ctx context.Context, d *demo.Demo) error {
			stage := d.Stage()
			stage.Out = io.Discard
			return demo.Play(ctx, stage, lines)
		})
		if err != nil {
			t.Fatal(err)
		}
		http.DefaultClient.CloseIdleConnections()
	}
	play() // what is made once in a process may stay
	before := runtime.NumGoroutine()
	play()
	for end := time.Now().Add(2 * time.Minute); runtime.NumGoroutine() > before; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			buf := make([]byte, 1<<20)
			t.Fatalf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
		}
	}
}
