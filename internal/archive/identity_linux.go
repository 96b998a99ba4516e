package archive

import (
	"io/fs"
	"syscall"
	"time"
)

// identity distinguishes a file, and each version of it, from all others. It has the time of the
// last change, which only the kernel sets: unlike the modification time, no program can set it
// back.
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
