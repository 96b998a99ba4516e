// Package sshdtest provides a real OpenSSH server on loopback, run by the
// current user, with its own keys. A separate sshd process, which the test may
// stop or kill, serves each connection.
package sshdtest
