// Package remote defines one command on one host, and the closed set of its outcomes. It has no
// transport: sshexec produces the results, observe interprets them, and the engine decides.
//
// # Files
//
//   - remote.go: a command, its outcomes in the words that people read, its result
//   - classify.go: messages of monit and systemd that mean no answer or an unknown fate, with
//     the fix; the order of all checks
//   - sudo.go: messages by which sudo refuses, with the fix; its warnings
//   - login.go: messages of a login that runs no command, or of a host without env, timeout or
//     sudo, with the fix
//   - noise.go: lines of a login shell that are not part of an answer
//   - together.go: several reads as one line
package remote
