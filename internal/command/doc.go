// Package command defines what a command is: the command table, a Request, the Question
// that answers a text that is not a command, and the form of a Request stored in a button.
// Package parser makes Requests and Questions from text. Package command queries no host,
// stores nothing and is independent of the chat platform.
//
// # Files
//
//   - table.go: the rows of the command table, with verbs, aliases, objects and what each
//     verb requires
//   - derive.go: the rows that come from the catalogs, and their aliases
//   - request.go: the Request, and its class
//   - question.go: the codes of a Question, and how many choices it offers
//   - fields.go: the form in a button, and a command as typed
//   - names.go: which process, host or cluster of the fleet a spelling means
package command
