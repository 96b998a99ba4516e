// Package keymap makes the keys under which the bot stores its state in etcd. The doc comment of
// package etcdstore describes the values.
package keymap
