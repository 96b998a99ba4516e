// Package status determines the state of processes: it queries hosts, reads logs, and compares the
// answers with the expected state. All surfaces use its result, so that none of them shows a better
// state than another. The surfaces are `status`, `verify`, Home, the monitor, and the check at the
// end of a sequence.
//
// # Files
//
//   - look.go, supervised.go: querying hosts
//   - shared.go: reads that several callers share
//   - logs.go, unitlog.go: reading logs: how much, how often
//   - etcd.go, summary.go: reads of etcd and of monit summary
//   - judge.go: from an observation to a finding
//   - facts.go: runs and maintenance; how long after a step of a run its targets are no
//     incident
//   - cycle.go: how often a host's monit checks, and from which age its answer does not count
//   - crashloop.go: how many observed restarts are a crash loop
//   - upstream.go, cause.go: dependencies: which failure is the cause of which
//   - assessor.go: which processes are assessed, commands at a time on a host, defaults of the
//     limits
//   - board.go: the result
//   - seen.go: the result in the form of the monitor; when lost hosts are one problem
//   - allup.go: the check at the end of a sequence
package status
