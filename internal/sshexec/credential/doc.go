// Package credential holds the bot's SSH credentials: keys in files, OpenSSH user certificates next
// to them, and keys and certificates of an ssh-agent. It offers them to a host in the order of the
// config. After a login, it explains which it offered, and why it did not offer the others.
//
// # Files
//
//   - credential.go: opening the credentials of a config; user certificates and when they end
//   - keyfile.go: keys and certificates in files, and which files are refused
//   - agent.go: keys of an ssh-agent, and the certificate that selects one
//   - offer.go: what is offered to a host, in which order, and what was refused
package credential
