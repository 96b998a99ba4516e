// Package statustest answers the reads of a status like hosts, with the states
// that a test sets. Services without a set state are running.
package statustest
