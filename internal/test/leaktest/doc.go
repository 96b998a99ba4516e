// Package leaktest finds the goroutines that a test leaves behind, even while
// other tests run in parallel.
package leaktest
