package demo_test

import (
	"flag"
	"log/slog"
	"os"
	"testing"
)

// TestMain runs more tests in parallel than there are processors, unless
// -parallel is set: they mostly wait for hosts and Slack.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		_ = f.Value.Set("8") // 8 is a valid number
	}
	os.Exit(m.Run())
}

// warnings is a bot's log whose warnings and errors are shown if the test fails.
func warnings(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}
