package trusted

import "golang.org/x/sys/unix"

// readOnly says that a path lies on a file system that is mounted read-only.
func readOnly(path string) bool {
	var s unix.Statfs_t
	return unix.Statfs(path, &s) == nil && s.Flags&unix.ST_RDONLY != 0
}
