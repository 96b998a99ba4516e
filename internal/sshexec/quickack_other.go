//go:build !linux

package sshexec

import "net"

// acknowledgeQuickly does nothing where the system has no such option.
func acknowledgeQuickly(net.Conn) {}
