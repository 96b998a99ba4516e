// Package redact makes output of hosts and text of people safe to show: it removes escape
// sequences and control characters, and replaces known formats of secrets by "<redacted>". It
// runs before every sink: message, file, log and record.
//
// # Files
//
//   - clean.go: control characters
//   - escapes.go: escape sequences of terminals
//   - secrets.go: the search for secrets
//   - shapes.go: secrets by the name of their field
//   - tools.go: secrets by the program that prints them, and forms of tokens
//   - value.go: values that are not secrets
//   - blocks.go: private keys
//   - hints.go: words, at least one of which is in every line with a secret
//   - gitleaks.go, generate.go: rules from gitleaks
package redact
