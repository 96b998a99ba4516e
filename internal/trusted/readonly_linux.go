package trusted

import "golang.org/x/sys/unix"

// readOnly reports whether a path is on a read-only mount.
func readOnly(path string) bool {
	var s unix.Statfs_t
	return unix.Statfs(path, &s) == nil && s.Flags&unix.ST_RDONLY != 0
}
