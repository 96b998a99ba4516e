// Package sshexec is the SSH client: it runs one command on one host over a pool of warm
// connections, and returns one of remote's closed set of outcomes.
//
// Guarantees:
//   - A command is sent at most once. A connection is replaced if it turns out to
//     be dead before the exec request is written. After that request nothing is
//     sent again. If the end of a changing command is not observed, its outcome is
//     FateUnknown. Only reads that were joined may be sent once more, alone.
//   - A host is trusted only by its known_hosts line; there is no trust on first
//     use.
//   - Every wait has a time limit: for the TCP connection, the handshake, a free
//     session, the command.
//   - Memory is bounded whatever a host sends.
//   - Commands get no terminal, no agent, no environment, and an empty standard
//     input.
//
// # Files
//
//   - config.go: time-outs and limits, such as how many connections a host gets
//   - pool.go, conn.go, maintain.go, moved.go: the pool of connections
//   - dial.go, wire.go, quickack_linux.go, quickack_other.go: a connection until
//     its handshake
//   - login.go, renew.go: logging in, certificates
//   - trust.go: the host keys of connections; package hostkey reads known_hosts
//   - kexinit.go: why a host and the bot have no common algorithm
//   - run.go, session.go, output.go: one command and its output
//   - joined.go: several reads of one host as one line
//   - shell.go, noise.go: what login shells do to a command and its output
//   - failure.go: why a connection failed
package sshexec
