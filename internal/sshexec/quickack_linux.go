package sshexec

import (
	"net"
	"syscall"
)

// acknowledgeQuickly turns off delayed TCP acknowledgements. The kernel may turn them on again
// later. An error is ignored, because a failure only costs time.
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
