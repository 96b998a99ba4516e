//go:build !linux

package archive

import (
	"io/fs"
	"time"
)

// identity is unknown here, so segments are read and verified for each query.
type identity struct {
	lasting bool
	changed time.Time
}

func identityOf(fs.FileInfo) identity { return identity{} }
