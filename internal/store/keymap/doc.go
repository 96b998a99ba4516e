// Package keymap makes the keys of the state in etcd; the doc comment of package etcdstore
// describes the value of each.
package keymap
