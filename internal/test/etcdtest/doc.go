// Package etcdtest starts real etcd clusters of several versions, for the tests
// of what their clients say. Debian's etcd stands for 3.4; others are built
// from the Go module proxy, once, and kept in the user's cache directory.
package etcdtest
