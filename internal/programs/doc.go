// Package programs knows the effect of a command on a host: which programs, with which options,
// only read; which write their own file; which destroy. An unknown command counts as a change.
// The package is pure.
//
// # Files
//
//   - programs.go: the effects, and what stands before a program: sudo, env, timeout,
//     variables
//   - judges.go: the known programs, and what their arguments do
//   - options.go: how options are read; directories of programs, and where a new file is
//     harmless
package programs
