// Package grammartest is a small grammar for tests: two clusters, prod with three
// hosts and qa with one.
package grammartest
