// Package hostkey decides which host keys are trusted: those of a known_hosts file, read as
// OpenSSH reads it. There is no trust on first use.
//
// # Files
//
//   - known.go: reads the file, decides whether a key is trusted, and explains why not
//   - knownlines.go: which lines of the file are used, and why others are not
//   - scan.go: the keys that a host shows, which no one has to trust, compared with the file
package hostkey
