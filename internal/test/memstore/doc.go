// Package memstore is a store in memory, for tests only. It fulfils the same
// contract as package etcdstore; the suite in storetest checks both packages.
// It works inside testing/synctest.
//
// # Files
//
//   - memstore.go: construction, deliveries, the lease, sent steps
//   - runs.go: runs and locks
//   - log.go: the trail, and the messages of runs
//   - maintenance.go: maintenance
//   - watchstate.go: the state of watches and incidents
package memstore
