// Package etcd parses the output of etcdctl and etcdutl 3.2 to 3.7 about one of Deephaven's
// clusters: the members, which of them answer, anomalies, and the remaining votes. It is pure.
//
// A field that an answer lacks is absent, never 0: older versions send fewer fields. Parsing a
// list succeeds only if every line is known, or is output of a login shell.
//
// # Files
//
//   - status.go: `endpoint status`: its fields by version, and when a member counts as behind
//   - health.go: `endpoint health`: which message means that a member serves, refuses or is
//     silent
//   - members.go: `member list`
//   - alarms.go: `alarm list`, and which alarm is the most serious
//   - snapshot.go: `snapshot status`
//   - votes.go: which members vote, and their replies to `endpoint health`
//   - compare.go: anomalies between members, with their limits: the quota, sizes, data, raft
//   - rows.go: status and health of each member as one row
//   - complaint.go: the error message in etcdctl's output, and messages of etcdctl 2
//   - address.go: which member a name or an endpoint means
//   - decode.go: JSON among the lines of a login shell; a number of bytes in words
package etcd
