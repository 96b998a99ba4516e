// Package etcdconn is the connection to the etcd with the bot's state: embedded in the process
// without any listener, or an external cluster. It does not interpret the stored data. It makes
// each call within a time limit, reports the state of etcd, and starts, locks and stops the
// embedded server.
//
// # Files
//
//   - conn.go: config, limits of a transaction, opening and closing, transactions and reads
//   - calls.go: the time limit of each call; leases, compaction, watches, alarms
//   - server.go: the settings of the embedded server, and how long its start may take; dialling an
//     external cluster
//   - dirlock.go: the lock of the state directory
//   - fatallog.go: what happens after a fatal error of the embedded server, and how long it
//     may take to stop
//   - state.go: the states of the store, the advice for each, when a call is slow
//   - snapshot.go: etcd's snapshots, for backup and restore
//   - zaplog.go: etcd's log lines in our log, and which are harmless
//   - trouble.go, help.go: the current problem of an operation; the first key of an answer,
//     alarms
package etcdconn
