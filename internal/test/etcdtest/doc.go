// Package etcdtest starts real etcd clusters of several versions, to test the parsers of etcdctl's
// output. Version 3.4 must be installed from Debian's packages. Other versions are built from
// source once, and kept in the user's cache directory.
package etcdtest
