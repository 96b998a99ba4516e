// Package storetest is the test suite that every store of the bot's state must
// pass.
//
// # Files
//
//   - storetest.go: the interface of a store, the list of tests, what they share
//   - runs.go: runs and locks, also with many writers
//   - trail.go: records, deliveries, posts, deadlines
//   - maintenance.go: maintenance and windows
//   - watchstate.go: the state of watches and incidents
//   - lead.go: the leader
package storetest
