// Package etcd parses the output of etcdctl and etcdutl 3.2 to 3.7 about one of Deephaven's
// clusters: the members, which of them answer, anomalies, and the remaining votes. It is pure.
//
// A field that an answer lacks is absent, never 0: older versions send fewer fields. A list is
// either parsed completely or an error: one line that is neither known nor output of a login shell
// makes it an error.
package etcd
