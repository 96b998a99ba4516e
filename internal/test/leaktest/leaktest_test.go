package leaktest

import (
	"context"
	"runtime/pprof"
	"testing"
)

// A goroutine that was started with the label of a test, even through a chain of
// goroutines, is found while it runs. Other goroutines are not found.
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
	for len(labelled(t)) != 1 { // until the goroutine that started it has ended
	}
	close(release)
	<-ended
	for len(labelled(t)) != 0 {
	}
}
