//go:build race

package bench

// raced reports whether the race detector is on. It multiplies memory and time.
const raced = true
