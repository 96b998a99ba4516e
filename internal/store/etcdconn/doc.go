// Package etcdconn is the connection to the etcd with the bot's state: embedded in the process
// without any listener, or an external cluster. It does not know the stored data. It makes each
// call within a time limit, reports the state of etcd, and starts, locks and stops the embedded
// server.
package etcdconn
