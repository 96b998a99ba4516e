// Package programs knows the effect of a command on a host: which programs, with which options,
// only read; which write their own file; which destroy. An unknown command counts as a change.
// The package is pure.
package programs
