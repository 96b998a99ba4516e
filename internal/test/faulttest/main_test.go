package faulttest

import (
	"flag"
	"os"
	"strconv"
	"testing"
)

// parallelRounds is how many rounds are played at a time, unless -parallel
// says otherwise.
const parallelRounds = 4

// TestMain is also main of the bot processes, which are this binary run again.
func TestMain(m *testing.M) {
	if file := os.Getenv(replicaVar); file != "" {
		os.Exit(replicaMain(file))
	}
	flag.Parse()
	// A round mostly waits: more of them at a time than there are processors.
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		_ = f.Value.Set(strconv.Itoa(parallelRounds)) // a number is one
	}
	os.Exit(m.Run())
}
