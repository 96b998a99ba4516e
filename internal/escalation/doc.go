// Package escalation notifies other people when no one owns an incident, or approves or denies
// a Sev 1 request, within the configured time: first people in Slack, then a pager. The leader
// runs it. Each stage is claimed in the store first, so it happens at most once.
package escalation
