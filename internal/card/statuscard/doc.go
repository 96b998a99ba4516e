// Package statuscard renders the state of processes, hosts and clusters: one
// process, a host, the board of a cluster or a fleet, and what a process depends
// on. The severities come from package status; this package decides only what is
// shown first and what is counted. It is pure.
package statuscard
