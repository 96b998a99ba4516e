//go:build race

package bench

// raced says that the race detector is on, which takes many times the memory and time.
const raced = true
