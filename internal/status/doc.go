// Package status determines the state of processes: it queries hosts, reads logs, and compares the
// answers with the expected state. Every surface that shows a state (`status`, `verify`, Home, the
// monitor, the check at the end of a sequence) uses its result, so no surface shows a better state
// than another.
//
// # Files
//
//   - look.go, supervised.go: querying hosts
//   - shared.go: reads that several callers share
//   - logs.go, unitlog.go: reading logs
//   - etcd.go, summary.go: reads of etcd and of monit summary
//   - judge.go, facts.go, cycle.go: facts about a process, to a row
//   - crashloop.go: restarts seen: what is a crash loop
//   - upstream.go, cause.go: dependencies
//   - board.go, assessor.go: the result
//   - seen.go: the result in the form of the monitor
//   - allup.go: the check at the end of a sequence
package status
