// Package audit defines the records of the audit trail and their canonical encoding. It links them
// by hashes, so that tampering is detectable, and verifies a trail offline.
//
// # Files
//
//   - record.go: records and their kinds
//   - canonical.go: the only form of a record in bytes
//   - chain.go: entries and their hashes
//   - tree.go, heads.go: the Merkle tree and its signed heads
//   - log.go: the interface of the trail
//   - verify.go, batches.go: verification on all processors
//   - meaning.go: checks of what the records mean
//   - export.go, parse.go: exports
//   - query.go: entries selected by time, person, process or run
//   - report.go, table.go: reports for people
package audit
