// Package command turns text into a Request: the command table, the grammar,
// suggestions, completion, and the stored form of a Request that a button
// carries. It is pure: it asks no host, stores nothing and knows no platform.
//
// Files: table.go and derive.go hold the command table; normalise.go and
// token.go read what keyboards and chats make of typing; opening.go reads what
// stands before a verb; parse.go goes from there to the reader of the verb's
// object (change.go, read.go, run.go); names.go, place.go, params.go and
// reason.go read one part of a command each; question.go is what is asked back;
// suggest.go finds what was probably meant; fields.go is the form in buttons.
//
// A change is read by position. A word that is no verb, target, place, parameter
// or marked reason is either questioned (reason.go) or counts as a reason without
// a mark (Request.Unmarked). A read ignores words that it does not need;
// Request.Left lists them.
package command
