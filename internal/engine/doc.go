// Package engine implements the life of a run. The pure function Next(run, event, now) decides each
// change. The worker holds the lease, sends the steps and observes their effect. The package
// declares the interfaces that it needs: Runs, Executor and Gate.
//
// # Files
//
//   - run.go: a run and its states
//   - event.go, next.go: what an event changes
//   - votes.go: casting and counting votes
//   - approvalend.go: when an approval ends
//   - submit.go: a new run
//   - continue.go: the rest of an unfinished run
//   - remind.go: reminders of waiting requests
//   - worker.go, workerrun.go, workerstep.go: executing a run
//   - steps.go: the current step and its result
//   - evidence.go: what is kept before a restart
//   - follow.go: watching the store
//   - form.go: versions of the stored form
//   - refused.go: refusals and their codes
//   - ports.go, engine.go: interfaces and construction
//   - broughtback.go: runs of a restored store
package engine
