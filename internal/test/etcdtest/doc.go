// Package etcdtest starts real etcd clusters of several versions, to test the parsers of etcdctl's
// output. Version 3.4 must be installed from Debian's packages. The source of other versions comes
// from the Go module proxy. They are built once, and kept in the user's cache directory.
package etcdtest
