// Package trailcard renders entries of the audit trail, one line each. It is pure.
package trailcard
