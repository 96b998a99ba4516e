// Package redact makes output of hosts and text of people safe to show: it removes escape
// sequences and control characters, and replaces known formats of secrets by "<redacted>". It
// runs before every sink: message, file, log and record.
package redact
