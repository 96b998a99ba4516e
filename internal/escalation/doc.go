// Package escalation notifies other people about an incident without an owner, or a Sev 1
// request without a decision, after the configured time: first people in Slack, then a
// pager. The leader runs it. Each stage is claimed in the store first, so that only one replica
// carries it out. An alert is sent at most once; a mention is repeated until Slack accepts it.
//
// # Files
//
//   - escalation.go: when a stage is due
//   - subject.go: what is escalated (incidents, and requests that wait for approval)
//   - stage.go: who is mentioned or paged, and the stored outcome
//   - alert.go: the text and the level of an alert; its JSON is in package pager
package escalation
