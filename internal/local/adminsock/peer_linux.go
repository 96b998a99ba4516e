package adminsock

import (
	"errors"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// peer is the user who opened a connection.
func peer(conn net.Conn) (uid int, err error) {
	s, ok := conn.(syscall.Conn)
	if !ok {
		return 0, errors.New("not a socket of the system")
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *unix.Ucred
	var asked error
	err = raw.Control(func(fd uintptr) { cred, asked = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	if err := errors.Join(err, asked); err != nil {
		return 0, err
	}
	return int(cred.Uid), nil
}
