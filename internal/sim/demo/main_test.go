package demo_test

import (
	"flag"
	"log/slog"
	"os"
	"testing"
)

// TestMain runs more tests in parallel than there are processors, unless -parallel is set,
// because the tests mostly wait for hosts and Slack.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		_ = f.Value.Set("8") // 8 is a valid number
	}
	os.Exit(m.Run())
}

// warnings returns a log for a bot. If the test fails, the warnings and errors in the log are
// shown.
func warnings(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}
