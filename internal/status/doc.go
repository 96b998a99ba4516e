// Package status determines the state of processes: it queries hosts, reads logs, and compares the
// answers with the expected state. Every surface that shows a state (`status`, `verify`, Home, the
// monitor, the check at the end of a sequence) uses its result, so no surface shows a better state
// than another.
package status
