package card

import (
	"time"

	"dhbot/auth"
)

// SpanKind says how a span is to be shown.
type SpanKind uint8

// The closed set of span kinds.
const (
	Plain  SpanKind = iota
	Strong          // bold
	Mono            // inline code
	Who             // a person: Account is mentioned where the platform can
	When            // a moment, shown in the reader's own time zone
	Link            // words that lead to a URL of the platform's own, never of content
	Group           // a user group of the config, by its id: mentioned where the platform can
)

// Span is a run of characters of one kind.
type Span struct {
	Kind    SpanKind
	Text    string       // for Who the name to fall back to, for When unused
	Account auth.Account // Who
	At      time.Time    // When
	Clock   bool         // When: time of day only
	URL     string       // Link
}

// Line is one line of text.
type Line []Span

// T is a plain span, B a bold one, C inline code, At a moment.
func T(s string) Span     { return Span{Text: s} }
func B(s string) Span     { return Span{Kind: Strong, Text: s} }
func C(s string) Span     { return Span{Kind: Mono, Text: s} }
func At(t time.Time) Span { return Span{Kind: When, At: t, Clock: true} }

// L is a link to a message of the platform, whose URL the platform gave.
func L(text, url string) Span { return Span{Kind: Link, Text: text, URL: url} }

// P is a person.
func P(name string, a auth.Account) Span {
	return Span{Kind: Who, Text: name, Account: a}
}

// G is a user group of the config.
func G(id string) Span { return Span{Kind: Group, Text: id} }

// Card is one message.
type Card struct {
	// Push is the text of the notification, and what is left where blocks
	// cannot be shown: one line, meaningful by itself.
	Push    string
	Head    Line // the first line, which says it all
	Body    []Element
	Buttons []Button
	Foot    []Line // small print
	// Facts are the same for programs, where there are any.
	Facts *Facts
	// Private asks for an answer that only the asker sees.
	Private bool
	// Broadcast asks that a card in a thread is shown in the channel as well.
	Broadcast bool
}

// Element is a Text, Pre or Table.
type Element interface{ element() }

// Text is a paragraph.
type Text struct{ Lines []Line }

// Pre is output, shown as it is in a fixed-width font.
type Pre struct{ Text string }

// Table has a row per thing; the first column names it.
type Table struct {
	Header []string
	Rows   [][]Line
}

func (Text) element()  {}
func (Pre) element()   {}
func (Table) element() {}

// Style is how a button stands out.
type Style uint8

// The closed set of styles.
const (
	Neutral Style = iota
	Primary
	Danger
)

// Button is something to tap. Value carries a run id and digest or a command
// of the table with validated names, never free text.
type Button struct {
	Action  string // the tap's name, e.g. "approve"
	Label   string
	Value   string
	Style   Style
	Confirm *Confirm
}

// Confirm is asked before a tap counts.
type Confirm struct{ Title, Text, Yes, No string }

// Form is a modal: a few inputs and a button, or without inputs something to
// read, with buttons below that show more of it.
type Form struct {
	Action string // comes back as the tap's action
	Value  string // comes back as the tap's value
	Title  string // at most 24 characters
	Body   []Element
	Inputs []Input
	Submit string // "" where there is nothing to send
	// Typed is the command that does the same, for where the form cannot open.
	Typed string
	// Buttons stand below the body; what they answer takes the form's place.
	Buttons []Button
}

// Input is one text input of a form.
type Input struct {
	Name, Label, Hint string
	Initial           string // what stands in it at first
	Multiline         bool
	Optional          bool
}
