package etcd

import (
	"slices"
	"strings"

	"dhbot/internal/remote"
)

// Snapshot is what `snapshot status FILE --write-out json` prints, in etcdctl up to 3.5 and in
// etcdutl. It proves that the file can be read as a database, but not that its data is intact: tests
// with real versions show that only a restore verifies the checksum.
type Snapshot struct {
	Revision  int64 `json:"revision"`
	TotalKey  int64 `json:"totalKey"`
	TotalSize int64 `json:"totalSize"`
}

// ReadSnapshot parses the status of a snapshot. The result moved means that this etcdctl cannot
// show the status. Since 3.6 only etcdutl can, and etcdctl prints its help with exit code 0.
func ReadSnapshot(r remote.Result) (s Snapshot, moved bool, err error) {
	lines := append(unread(r.Stdout), unread(r.Stderr)...)
	if slices.ContainsFunc(lines, func(line string) bool {
		return strings.HasSuffix(line, "Manages etcd node snapshots") || strings.HasPrefix(line, `Error: unknown command "status" for "etcdctl snapshot"`)
	}) {
		return s, true, nil
	}
	if r.Exit != 0 {
		return s, false, failed(r)
	}
	return s, false, decode(r, &s, "totalKey")
}
