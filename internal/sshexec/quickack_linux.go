package sshexec

import (
	"net"
	"syscall"
)

// acknowledgeQuickly turns the delay of TCP acknowledgements off until the
// kernel turns it on again, which it does by itself. It is a wish: where it
// cannot be had, nothing is lost but time.
func acknowledgeQuickly(c net.Conn) {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
	})
}
