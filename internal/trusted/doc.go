// Package trusted finds accounts, other than root and the bot's own, that could change a file, or
// read a secret in it. It checks the mode and owner of the file, and of every directory and link on
// its path.
//
// # Files
//
//   - trusted.go: whose file or directory is trusted, by mode, owner and link
//   - readonly_linux.go, readonly_other.go: whether a path is on a read-only mount
package trusted
