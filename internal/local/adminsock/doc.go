// Package adminsock is the local socket by which other commands of the binary query a running
// bot: its embedded store has no listener, so health, trail and open runs come from here.
// Access to the state directory (mode 0700) is enough to query. Nothing here changes anything.
package adminsock
