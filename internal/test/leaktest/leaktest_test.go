package leaktest

import (
	"context"
	"runtime/pprof"
	"testing"
)

// A goroutine started under a label is found while it runs, even through a
// chain of goroutines. Others are not found.
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
	for len(labelled(t)) != 1 { // the goroutine between has ended
	}
	close(release)
	<-ended
	for len(labelled(t)) != 0 {
	}
}
