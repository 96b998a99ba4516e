// Package sshdtest gives tests a real OpenSSH server on loopback, run by the
// current user, with keys of its own. Each connection is served by an sshd
// process that the test may stop or kill.
package sshdtest
