package archive

import (
	"io/fs"
	"syscall"
	"time"
)

// identity distinguishes a file, and each version of the file, from all other files and versions.
// It includes the time of the last change (ctime), which only the kernel sets. A program can set
// the modification time back, but not this time.
type identity struct {
	lasting  bool // the identity differs after any change of the file
	dev, ino uint64
	size     int64
	changed  time.Time
}

func identityOf(info fs.FileInfo) identity {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return identity{}
	}
	return identity{true, uint64(s.Dev), s.Ino, s.Size, time.Unix(s.Ctim.Unix())}
}
