package demo_test

import (
	"flag"
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
