// Package parser reads a command.Request from text. A text that is no command is answered
// with a command.Question, which offers what may have been meant.
//
// Files: parse.go finds the verb and selects the reader for its object: change.go,
// read.go, run.go, incident.go. names.go, place.go, params.go, pattern.go and reason.go
// read one part of a command each, resolve.go binds what was read to the fleet. unknown.go
// answers a text without a verb. suggest.go adds choices to a Question. prefill.go reads
// the message of another person.
//
// A change is read by position. A word that is no verb, target, place, parameter or marked
// reason either results in a Question (package meaning) or becomes an unmarked reason
// (Request.Unmarked). A read ignores unused words; Request.Left lists them.
package parser
