// Package credential holds the bot's SSH credentials: keys in files, OpenSSH user certificates next
// to them, and keys and certificates of an ssh-agent. It offers them in the order of the config,
// and explains afterwards which were offered, which were not, and why.
package credential
