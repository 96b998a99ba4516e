package etcd

import (
	"slices"
	"strings"

	"dhbot/internal/remote"
)

// Snapshot is the output of `snapshot status FILE --write-out json`, of etcdctl up to 3.5 or of
// etcdutl since. It proves that the file can be read as a database. Only a restore verifies the
// file's checksum (measured: changed bytes inside go unnoticed).
type Snapshot struct {
	Revision  int64 `json:"revision"`
	TotalKey  int64 `json:"totalKey"`
	TotalSize int64 `json:"totalSize"`
}

// ReadSnapshot parses the status of a snapshot. moved means that this etcdctl has no such command:
// since 3.6 only etcdutl has it, and etcdctl prints its help and exits with 0.
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
