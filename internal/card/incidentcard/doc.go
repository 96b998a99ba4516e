// Package incidentcard renders incidents, how people handle them, escalation,
// maintenance and watches. It is pure.
//
// # Files
//
//   - incident.go: the message of an incident
//   - handling.go: owners, hand-over, mute, notes
//   - escalation.go: who was notified
//   - maintenance.go: maintenance and its windows, with their buttons
//   - watch.go: watches
package incidentcard
