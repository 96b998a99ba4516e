// Package statuscard renders the state of processes, hosts and clusters: one
// process, a host, the board of a cluster or a fleet, and the dependencies of a
// process. Package status assesses the severities; this package only orders,
// selects and counts. It is pure.
//
// # Files
//
//   - status.go: one process or several, `verify`, and the buttons for what is wrong
//   - board.go: a cluster: its order, its counts, its buttons
//   - fleet.go: the lines of hosts
//   - limits.go: most processes, hosts and names on a card
//   - upstream.go: dependencies, and processes that failed because of one
//   - quiet.go: maintenance, and other rows that are no incident
//   - statusfacts.go: a status as data
package statuscard
