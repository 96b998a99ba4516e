// Package trusted finds accounts, other than root and the bot's own, that could change a file,
// or read a secret in it: by its mode and owner, and by those of every directory and link on
// its path.
package trusted
