// Package remote defines one command on one host, and the closed set of its outcomes. It has no
// transport: sshexec produces the results, observe interprets them, and the engine decides with
// them.
package remote
