// Package sshconfig reads from an ssh_config(5) file how to reach a host. It runs no program and
// sends no network query. A keyword that would need that (ProxyCommand, Match exec, canonical names)
// is reported as a problem with its line.
//
// # Files
//
//   - keywords.go: which keywords are used, which concern host keys, which are passed over
//   - file.go: reads the lines, includes and Match blocks; what is refused
//   - host.go: the settings of one name: which lines apply, and their % tokens
package sshconfig
