// Package escalation notifies more people if an incident has no owner for too long, or if nobody
// decides on a Sev 1 request. The first stage mentions people in Slack, and the second alerts a
// pager. The package runs on the leader, and claims each stage in the store first, so that only one
// replica carries it out. An alert is sent at most once. A mention is repeated until Slack accepts
// it.
//
// # Files
//
//   - escalation.go: when a stage is due
//   - subject.go: what is escalated (incidents, and requests that wait for approval)
//   - stage.go: who is mentioned or paged, and the stored outcome
//   - alert.go: the text and the level of an alert; its JSON is in package pager
package escalation
