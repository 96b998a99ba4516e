package command

import (
	"fmt"
	"slices"
)

// Code is the reason for a Question.
type Code string

// All codes.
const (
	UnknownVerb   Code = "unknown verb"
	UnknownName   Code = "unknown name"
	UnknownRun    Code = "unknown run"
	UnknownOption Code = "unknown option" // the action has no such parameter
	MissingTarget Code = "missing target"
	MissingParam  Code = "missing parameter"
	WhichCluster  Code = "which cluster"
	HiddenCluster Code = "hidden cluster" // the channel's cluster is hidden from the requester
	NotHere       Code = "does not run there"
	SplitName     Code = "split name" // a name typed with a space, or joined to a host
	HostFirst     Code = "host first" // a host in the place of a process
	Flag          Code = "flag"
	Joined        Code = "joined" // `and` before an unknown name
	StrayTarget   Code = "stray target"
	StrayPlace    Code = "stray place"
	When          Code = "time"
	Condition     Code = "condition"
	Negation      Code = "negation"
	Exception     Code = "exception"
	Quote         Code = "quote"
	Talk          Code = "talk" // the bot's name in the middle of a sentence
	TwoCommands   Code = "two commands"
	NoReason      Code = "no reason" // `because` without text
)

// Question is the answer to a message that is not a valid command. Nothing was run. Text is
// shown to the requester.
type Question struct {
	Code Code
	Text string
	// Choices are suggested requests, the most likely first.
	Choices []Choice
}

// Choice is one suggested request.
type Choice struct {
	Text   string // as a user would type it
	Fields Fields
	// Changes reports whether the choice requests a change.
	Changes bool
}

// Questionf returns a Question without choices.
func Questionf(code Code, format string, args ...any) *Question {
	return &Question{Code: code, Text: fmt.Sprintf(format, args...)}
}

func (q *Question) Error() string { return q.Text }

// Is makes Questions with the same code equal for errors.Is.
func (q *Question) Is(target error) bool {
	other, ok := target.(*Question)
	return ok && other.Code == q.Code
}

// maxChoices is the maximum number of commands that a Question offers.
const maxChoices = 5

// Add adds a choice unless the Question already has it.
func (q *Question) Add(c Choice) {
	same := func(o Choice) bool { return o.Fields.Encode() == c.Fields.Encode() }
	if len(q.Choices) < maxChoices && !slices.ContainsFunc(q.Choices, same) {
		q.Choices = append(q.Choices, c)
	}
}
