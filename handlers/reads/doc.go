// Package reads handles the verbs that change nothing: status and verify, output and logs
// of hosts, followed logs, dependencies, the audit trail and timeline, and lists of runs,
// locks and people. Each read of a host is recorded.
//
// # Files
//
//   - status.go: status and verify, and the record of a read
//   - deps.go: deps
//   - read.go: output of hosts: what of it is shown to whom, and what becomes a file
//   - readseveral.go: one read of several processes
//   - judgeread.go: reads that show a verdict or a table of etcd's members, not the output
//   - hostlimiter.go: makes commands wait for each other on one host; status.PerHost says
//     how many may run there at a time
//   - follow.go: how long a log is followed, how often it is read, how many logs at a time
//   - trail.go: audit and timeline, their default and longest period, the maximum number of
//     entries, who sees which record
//   - list.go: show, runs, locks, health
//   - people.go: people: whose accounts are active
package reads
