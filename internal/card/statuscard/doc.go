// Package statuscard renders the state of processes, hosts and clusters: one
// process, a host, the board of a cluster or a fleet, and the dependencies of a
// process. Package status assesses the severities; this package only orders,
// selects and counts. It is pure.
//
// # Files
//
//   - status.go: one process or host
//   - board.go: a cluster
//   - fleet.go: counts of hosts
//   - limits.go: limits of a card
//   - upstream.go: dependencies
//   - quiet.go: maintenance
//   - statusfacts.go: a status as data
package statuscard
