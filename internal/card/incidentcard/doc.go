// Package incidentcard renders incidents and their handling, escalation,
// maintenance and watches. It is pure.
//
// # Files
//
//   - incident.go: the message of an incident
//   - handling.go: owners, hand-over, mute, notes
//   - escalation.go: notifications of people and the pager
//   - maintenance.go: maintenance and its windows, with their buttons
//   - watch.go: watches
package incidentcard
