package command

// Code says why a text was asked back.
type Code string

// The closed set of codes.
const (
	UnknownVerb   Code = "unknown verb"
	UnknownName   Code = "unknown name"
	UnknownRun    Code = "unknown run"
	UnknownOption Code = "unknown option" // a parameter that the action does not have
	MissingTarget Code = "missing target"
	MissingParam  Code = "missing parameter"
	WhichCluster  Code = "which cluster"
	HiddenCluster Code = "hidden cluster" // the channel is bound to one that is not to be seen
	NotHere       Code = "does not run there"
	SplitName     Code = "split name" // a name with a space in it, or a host put onto it
	HostFirst     Code = "host first" // a host in the place of a process
	Flag          Code = "flag"
	Joined        Code = "joined" // `and` before something that is no known name
	StrayTarget   Code = "stray target"
	StrayPlace    Code = "stray place"
	When          Code = "time"
	Condition     Code = "condition"
	Negation      Code = "negation"
	Exception     Code = "exception"
	Quote         Code = "quote"
	Talk          Code = "talk" // the bot's name in the middle of a sentence
	TwoCommands   Code = "two commands"
	NoReason      Code = "no reason" // `because` with nothing behind it
)

// Question is a text that was not taken as a command. Nothing was run; its
// text is for the person who typed it.
type Question struct {
	Code Code
	Text string
	// Choices are whole requests that may have been meant, the likeliest first.
	Choices []Choice
}

// Choice is one reading of a text.
type Choice struct {
	Text   string // as a person would type it
	Fields Fields
	// Changes says that choosing it asks for a change.
	Changes bool
}

func (q *Question) Error() string { return q.Text }

// Is makes every Question equal for errors.Is to one of the same code.
func (q *Question) Is(target error) bool {
	other, ok := target.(*Question)
	return ok && other.Code == q.Code
}

// runs says that choices may carry out the change as it was typed. After a
// negation, a time, a condition or a quote no button does.
func (c Code) runs() bool {
	switch c {
	case When, Condition, Negation, Quote, Talk:
		return false
	default:
		return true
	}
}
