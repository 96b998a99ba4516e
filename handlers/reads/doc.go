// Package reads handles the verbs that change nothing: status and verify, output
// and logs of hosts, followed logs, dependencies, the audit trail and its
// timeline, lists of runs, locks and people. Each answer of hosts is recorded.
package reads
