// Package guess finds the commands that a person may have meant by a text that is none. A
// guess is only offered: it is parsed again, and runs when somebody chooses it.
//
// Files: guess.go reads words which begin with no verb, mentioned.go a message about
// something else.
package guess
