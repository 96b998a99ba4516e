// Package publish keeps Slack in step with the store: each run's message, and the trail in the
// audit channel. It compares stored revisions with posted ones, so nothing is lost when a process
// stops.
//
// # Files
//
//   - publisher.go, track.go: messages of runs: when they are compared, how they are edited
//   - ports.go: interfaces, and what is stored about a message
//   - overtaken.go: edits of an earlier leader
//   - elsewhere.go: runs whose channel accepts no message
//   - thread.go, trail.go: the audit channel: threads of runs, how many entries in a message
//   - remind.go: posting and closing reminders
//   - mention.go, restored.go: when the requester is mentioned: approval, end, a restore
package publish
