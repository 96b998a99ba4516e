// Package statuscard renders the state of processes, hosts and clusters: one
// process, a host, the board of a cluster or a fleet, and the dependencies of a
// process. Package status assesses the severities; this package only orders,
// selects and counts. It is pure.
//
// # Files
//
//   - status.go: one process or several, `verify`, and the buttons for what is wrong
//   - board.go: the board of a cluster, with its order, counts and buttons
//   - fleet.go: the lines of hosts
//   - limits.go: the maximum number of processes, hosts and names on a card
//   - upstream.go: dependencies, and processes that failed because of a dependency
//   - quiet.go: maintenance, and other rows that are not incidents
//   - statusfacts.go: a status as data
package statuscard
