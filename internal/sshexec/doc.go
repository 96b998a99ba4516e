// Package sshexec is the SSH client: it runs one command on one host over a pool of warm
// connections, and returns one of remote's closed set of outcomes.
//
// Guarantees:
//   - A command is sent at most once. A connection found dead before the exec
//     request is written is replaced. After that request nothing is sent again,
//     and a changing command whose end is not observed is FateUnknown.
//   - A host is trusted only by its known_hosts line; there is no trust on first
//     use.
//   - Every wait has a time limit: for the TCP connection, the handshake, a free
//     session, the command.
//   - Memory is bounded whatever a host sends.
//   - Commands get no terminal, no agent, no environment, and an empty standard
//     input.
package sshexec
