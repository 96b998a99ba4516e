// Package engine implements the life cycle of a run. The pure function Next(run, event, now)
// decides each change. The worker holds the lease, sends the steps and observes their effect. The
// interfaces in ports.go, such as Runs and Gate, declare what the package needs from others.
//
// # Files
//
//   - run.go: a run and its states
//   - event.go, next.go: the events, and what each changes
//   - votes.go: casting and counting votes
//   - approvalend.go: which steps may not begin after an approval has ended, and when the end of an
//     approval is announced
//   - submit.go: a new run
//   - continue.go: the rest of an unfinished run
//   - remind.go: when reminders of a waiting request are due, and which mention no one
//   - worker.go, workerrun.go, workerstep.go: executing a run; which run is next, the checks before
//     a run, one step
//   - steps.go: the current step and its result
//   - evidence.go: when the state of a process is kept (before a restart, after a failure)
//   - follow.go: watching the store
//   - form.go: versions of the stored form; ids of runs
//   - refused.go: refusals and their codes
//   - ports.go, engine.go: interfaces; construction, defaults, tries after a conflict
//   - broughtback.go: runs of a restored store
package engine
