// Package etcdtest starts real etcd clusters of several versions, to test the
// parsers of etcdctl's output. 3.4 is Debian's package; other versions are
// built once from the Go module proxy and kept in the user's cache directory.
package etcdtest
