//go:build !linux

package archive

import (
	"io/fs"
	"time"
)

// identity is always unknown on this system, so every query reads and verifies its segments.
type identity struct {
	lasting bool
	changed time.Time
}

func identityOf(fs.FileInfo) identity { return identity{} }
