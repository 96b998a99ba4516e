// Package statustest answers the reads of a status like hosts, with the states
// that a test sets. Other services are running.
package statustest
