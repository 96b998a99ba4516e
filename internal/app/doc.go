// Package app connects all packages into the running bot. It gets its clients (Slack, SSH,
// store) as values, so tests and the demo run the same program as `bot run`.
package app
