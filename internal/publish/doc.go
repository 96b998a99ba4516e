// Package publish keeps Slack in step with the store: each run's message, and the trail in the
// audit channel. It compares stored revisions with posted ones, so nothing is lost with a
// process.
//
// # Files
//
//   - publisher.go, track.go: messages of runs
//   - ports.go: interfaces
//   - overtaken.go: edits of an earlier leader
//   - elsewhere.go: channels that accept no message
//   - thread.go, trail.go: the audit channel
//   - remind.go, mention.go, restored.go: reminders and mentions
package publish
