// Package memstore is a store in memory, for tests only. It has the same
// contracts as package etcdstore; the suite in storetest checks both. It works
// inside testing/synctest.
package memstore
