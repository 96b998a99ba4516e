// Package buildinfo describes the binary: version and commit.
package buildinfo
