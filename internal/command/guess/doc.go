// Package guess finds the commands that a person may have meant by a text that is not a
// command. A guess is only offered: it is parsed again, and runs only if the person chooses
// it.
//
// # Files
//
//   - guess.go: words that do not begin with a verb, such as common phrases, misspelt
//     verbs, or a name before the verb
//   - mentioned.go: the command that shows a run, process or host named in a message
package guess
