package leaktest

import (
	"context"
	"runtime/pprof"
	"testing"
)

// What was begun under a label is found as long as it runs, through those that others
// began; what was not, never.
func TestLabelled(t *testing.T) {
	release := make(chan struct{})
	ended := make(chan struct{})
	go func() { <-release }() // another test's
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels("test", t.Name())))
	begun := make(chan struct{})
	go func() {
		go func() { close(begun); <-release; close(ended) }()
	}()
	<-begun
	pprof.SetGoroutineLabels(context.Background())
	for len(labelled(t)) != 1 { // the one between has ended by itself
	}
	close(release)
	<-ended
	for len(labelled(t)) != 0 {
	}
}
