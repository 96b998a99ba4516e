// Package engine implements the life of a run. The pure function Next(run, event, now) decides each
// change. The worker holds the lease, sends the steps and observes their effect. The package
// declares the interfaces that it needs: Runs, Executor and Gate.
package engine
