// Package statustest simulates hosts. It answers the reads of a status with the states that a
// test sets. A service without a set state is running.
package statustest
