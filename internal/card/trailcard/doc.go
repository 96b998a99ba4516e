// Package trailcard renders entries of the audit trail as cards, one line for each entry. It is
// pure.
package trailcard
