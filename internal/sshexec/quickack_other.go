//go:build !linux

package sshexec

import "net"

// acknowledgeQuickly does nothing, because this system has no such option.
func acknowledgeQuickly(net.Conn) {}
