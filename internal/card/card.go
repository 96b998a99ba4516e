package card

import (
	"time"

	"dhbot/auth"
	"dhbot/internal/refusal"
)

// SpanKind is how a span is shown.
type SpanKind uint8

// The closed set of span kinds.
const (
	Plain  SpanKind = iota
	Strong          // bold
	Mono            // inline code
	Who             // a person, whose Account is mentioned if the platform has mentions
	When            // a time, shown in the reader's own time zone
	Link            // a text that links to a URL from the platform, never from content
	Group           // a user group of the config, by its id, mentioned if the platform has mentions
)

// Span is a run of characters of one kind.
type Span struct {
	Kind    SpanKind
	Text    string       // for Who the fallback name, for When unused
	Account auth.Account // Who
	At      time.Time    // When
	Clock   bool         // When: time of day only
	URL     string       // Link
}

// Line is one line of text.
type Line []Span

// T returns a plain span, B a bold span, C a span of inline code, and At the span of a time.
func T(s string) Span     { return Span{Text: s} }
func B(s string) Span     { return Span{Kind: Strong, Text: s} }
func C(s string) Span     { return Span{Kind: Mono, Text: s} }
func At(t time.Time) Span { return Span{Kind: When, At: t, Clock: true} }

// L returns a link to a message. The URL comes from the chat platform.
func L(text, url string) Span { return Span{Kind: Link, Text: text, URL: url} }

// P returns the span of a person.
func P(name string, a auth.Account) Span {
	return Span{Kind: Who, Text: name, Account: a}
}

// G returns the span of a user group from the config, given the group's id.
func G(id string) Span { return Span{Kind: Group, Text: id} }

// Card is one message.
type Card struct {
	// Push is the text of the notification, and replaces the card where blocks cannot be shown.
	// It is one line that makes sense without the card.
	Push    string
	Head    Line // the first line, with the essence
	Body    []Element
	Buttons []Button
	Foot    []Line // footer
	// Facts has the content of the card for programs. It may be nil.
	Facts *Facts
	// Code is the reason of a refusal, for programs; "" on other cards.
	Code refusal.Code
	// Private means that only the requester sees the card.
	Private bool
	// Broadcast means that a card in a thread is also shown in the channel.
	Broadcast bool
}

// Element is a Text, Pre or Table.
type Element interface{ element() }

// Text is a paragraph.
type Text struct{ Lines []Line }

// Pre is output, shown unchanged in a fixed-width font.
type Pre struct{ Text string }

// Table has one row for each thing, with the name of the thing in the first column.
type Table struct {
	Header []string
	Rows   [][]Line
}

func (Text) element()  {}
func (Pre) element()   {}
func (Table) element() {}

// Style is the emphasis of a button.
type Style uint8

// The closed set of styles.
const (
	Neutral Style = iota
	Primary
	Danger
)

// Button is a button of a card. Its Value is a run id and digest, or a command with validated
// names. Value never contains free text.
type Button struct {
	Action  string // the tap's name, e.g. "approve"
	Label   string
	Value   string
	Style   Style
	Confirm *Confirm
}

// Confirm is a question that a person must answer before a tap takes effect.
type Confirm struct{ Title, Text, Yes, No string }

// Form is a modal window. It has either inputs and a submit button, or a text with buttons that
// show more.
type Form struct {
	Action string // returned as the tap's action
	Value  string // returned as the tap's value
	Title  string // at most 24 characters
	Body   []Element
	Inputs []Input
	Submit string // "" if there is nothing to submit
	// Typed is the equivalent command, which the bot names if the form cannot open.
	Typed string
	// Buttons are below the body. The answer to a tapped button replaces the form.
	Buttons []Button
}

// Input is one text input of a form.
type Input struct {
	Name, Label, Hint string
	Initial           string // the initial text
	Multiline         bool
	Optional          bool
}
