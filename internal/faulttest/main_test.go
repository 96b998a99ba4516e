package faulttest

import (
	"os"
	"testing"
)

// TestMain is also main of the bot processes, which are this binary run again.
func TestMain(m *testing.M) {
	if file := os.Getenv(replicaVar); file != "" {
		os.Exit(replicaMain(file))
	}
	os.Exit(m.Run())
}
