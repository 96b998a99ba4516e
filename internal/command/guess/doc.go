// Package guess finds the commands that a person may have meant by a text that is none. A
// guess is only offered: it is parsed again, and runs when the person chooses it.
//
// # Files
//
//   - guess.go: words that begin with no verb: common phrases, misspelt verbs, a name first
//   - mentioned.go: the run, process or host that a message about something else names
package guess
