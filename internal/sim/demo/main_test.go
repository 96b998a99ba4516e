package demo_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain plays more tests at a time than there are processors, unless -parallel
// says otherwise: they mostly wait for hosts and Slack.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		_ = f.Value.Set("8") // a number is one
	}
	os.Exit(m.Run())
}
