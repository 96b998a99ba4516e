// Package etcdtest starts real etcd clusters of several versions, to test the
// output of their clients. 3.4 is Debian's package; other versions are built
// once from the Go module proxy and kept in the user's cache directory.
package etcdtest
