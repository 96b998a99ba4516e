// Package complete returns the words that may come next in an unfinished command, for the
// completion of a shell.
package complete
