package archive

import (
	"io/fs"
	"syscall"
	"time"
)

// identity differs between any two files, and between any two versions of a file. It includes the
// time of the last change (ctime), because programs cannot set this time, unlike the modification
// time.
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
