//go:build !race

package bench

// raced reports whether the race detector is on.
const raced = false
