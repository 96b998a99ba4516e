// Package incidentcard renders incidents and their handling, escalation,
// maintenance and watches. It is pure.
//
// # Files
//
//   - incident.go: the message of an incident with its buttons, and how many items it shows
//   - handling.go: owners, hand-over, mute, notes; lists of incidents
//   - escalation.go: notifications of people and the pager
//   - maintenance.go: maintenance and its windows, with their buttons
//   - watch.go: watches with their buttons; one change, in the thread of a watch or an
//     incident
package incidentcard
