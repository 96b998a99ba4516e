//go:build darwin || freebsd

package adminsock

import "golang.org/x/sys/unix"

// userOf returns the id of the user at the other end of a socket.
func userOf(socket int) (uid int, err error) {
	cred, err := unix.GetsockoptXucred(socket, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(cred.Uid), nil
}
