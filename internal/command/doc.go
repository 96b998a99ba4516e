// Package command turns text into a Request. It has the command table, the grammar,
// suggestions, completion, and the form of a Request stored in a button. It queries no
// host, stores nothing and is independent of the chat platform.
//
// Files: table.go and derive.go hold the command table. parse.go selects the reader for
// the verb's object: change.go, read.go, run.go, incident.go. names.go, place.go,
// params.go and reason.go read one part of a command each. question.go has the answer to a
// text that is not understood. suggest.go and guess.go find suggestions. fields.go has the
// form in buttons.
//
// A change is read by position. A word that is no verb, target, place, parameter or marked
// reason either results in a Question (reason.go) or becomes an unmarked reason
// (Request.Unmarked). A read ignores unused words; Request.Left lists them.
package command
