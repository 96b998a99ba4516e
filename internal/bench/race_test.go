//go:build race

package bench

// raced reports whether the race detector is on, which multiplies memory and time.
const raced = true
