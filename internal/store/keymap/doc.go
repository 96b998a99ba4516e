// Package keymap makes the keys of the state in etcd. The doc comment of package etcdstore
// describes their values.
package keymap
