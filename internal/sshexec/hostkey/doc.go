// Package hostkey decides which host keys are trusted: the keys in a known_hosts file, read as
// OpenSSH reads it. There is no trust on first use.
//
// # Files
//
//   - known.go: reads the file, decides whether a key is trusted, and explains why not
//   - knownlines.go: which lines of the file are used, and why others are not
//   - scan.go: requests a host's keys without trusting them, and compares them with the file
package hostkey
