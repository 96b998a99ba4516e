// Package leaktest finds the goroutines that a test has left behind, also where others
// run beside it.
package leaktest
