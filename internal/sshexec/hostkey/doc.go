// Package hostkey decides which host keys are trusted: those of a known_hosts file, read as
// OpenSSH reads it. There is no trust on first use.
//
// Files: known.go is the file and the check of a key, knownlines.go its lines that can be
// used, scan.go shows the keys of a host that nobody has to trust.
package hostkey
