// Package adminsock is the local socket by which other commands of the binary query a running
// bot. The embedded store has no listener, so the commands get health, trail and open runs
// through this socket. Everyone with access to the state directory (mode 0700) may query. No
// query changes anything.
//
// # Files
//
//   - adminsock.go: the path of the socket in a state directory, who may connect, the server
//     and the client
//   - limit.go: limits: connections in total and of each user, the size and time of a request
//   - replay.go: which requests the client sends again, and how often
//   - peer_linux.go, peer_bsd.go: the user of a connection, from the kernel
package adminsock
