// Package incidentcard renders incidents, how people handle them, escalation,
// maintenance and watches. It is pure.
package incidentcard
