// Package grammartest has a small grammar for tests with two clusters: prod with three
// hosts, and qa with one.
package grammartest
