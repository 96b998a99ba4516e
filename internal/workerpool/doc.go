// Package workerpool runs functions on reused goroutines.
package workerpool
