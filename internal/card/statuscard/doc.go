// Package statuscard renders the state of processes, hosts and clusters: one
// process, a host, the board of a cluster or a fleet, and what a process depends
// on. The severities come from package status; this package decides only what is
// shown first and what is counted. It is pure.
//
// # Files
//
//   - status.go: one process or host
//   - board.go: a cluster
//   - fleet.go: hosts in counts
//   - limits.go: how much is named
//   - upstream.go: dependencies
//   - quiet.go: maintenance
//   - statusfacts.go: a status as data
package statuscard
