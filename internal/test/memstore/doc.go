// Package memstore keeps runs, records, claims and posts in memory. It obeys
// the same contracts as package etcdstore, which the suite in storetest holds
// both to, and forgets everything with the process: it is for tests, where it
// works inside testing/synctest, and for nothing else.
package memstore
