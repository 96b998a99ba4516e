// Package parser reads a command.Request from text. A text that is not a command is
// answered with a command.Question, which offers the commands that may have been meant.
//
// A change is read by position. Any word other than a verb, target, place, parameter or
// marked reason either results in a Question (package meaning) or becomes an unmarked
// reason (Request.Unmarked). A read ignores unused words; Request.Left lists them.
//
// # Files
//
//   - parse.go: finds the verb and the function that reads its object; questions in plain
//     English, topics
//   - change.go: a command that changes something, read by position; targets, words that join
//     names
//   - read.go: a command that only reads; words without meaning, the maximum number of
//     processes
//   - run.go, incident.go: a command about a run, or an incident
//   - names.go: a process at the front of some words, and which cluster is meant
//   - place.go: hosts and clusters: `on`, `everywhere`, `except`
//   - params.go: parameters, flags (dry run, help), durations
//   - pattern.go: names with a `*`
//   - reason.go: the reason, marked or not; other targets and commands in a reason
//   - resolve.go: binds what was read to the fleet
//   - unknown.go: a text without a verb
//   - suggest.go: the choices of a Question, and how often a misspelt choice is corrected
//     again
//   - prefill.go: the likely command for a message of another person
package parser
