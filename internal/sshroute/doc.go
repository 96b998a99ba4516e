// Package sshroute describes the route to a host over SSH: the address, the jump hosts, and the
// credentials and algorithms to offer. It reads and dials nothing.
package sshroute
