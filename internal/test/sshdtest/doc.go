// Package sshdtest provides a real OpenSSH server on loopback, which runs as the current user and
// has its own keys. Each connection has a separate sshd process, which a test may stop or kill.
package sshdtest
