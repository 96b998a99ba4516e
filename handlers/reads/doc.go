// Package reads handles the verbs that change nothing: status and verify, output and logs
// of hosts, followed logs, dependencies, the audit trail and timeline, and lists of runs,
// locks and people. Each read of a host is recorded.
package reads
