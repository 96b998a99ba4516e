package call

import (
	"context"
	"time"

	"dhbot/auth"
	"dhbot/internal/card"
	"dhbot/internal/card/outputcard"
	"dhbot/internal/command"
)

// Via is how a message arrived.
type Via string

// All sources.
const (
	Slash    Via = "slash"
	Mention  Via = "mention"
	Button   Via = "button"
	Form     Via = "form" // a submitted modal
	Terminal Via = "terminal"
	Home     Via = "home"     // the Home tab, which queries without a command
	Shortcut Via = "shortcut" // typed into the window of a shortcut
)

// Message is one command or tap of a person.
type Message struct {
	// Key identifies the delivery: equal for a redelivery, different for two taps. It is "" if
	// the delivery could not be stored.
	Key string
	// Unclaimed means that the delivery was not stored because it only reads
	// (Parsed.OnlyReads). The handler must not change anything.
	Unclaimed bool

	Via     Via
	Account auth.Account
	// Origin is the local user at a terminal as the kernel reports it, such as "uid 1001". It
	// is "" for other messages.
	Origin  string
	Channel string
	// ChannelShared means that people of other organisations are in the channel.
	ChannelShared bool
	// Outside means that the bot is not a member of the channel, so it cannot post there.
	Outside bool
	// Alone means that the channel is the person's direct message with the bot, which no one
	// else sees.
	Alone  bool
	Thread string
	// Parsed is nil if nothing was parsed on arrival.
	Parsed *Parsed
	Text   string // slash and mention: the typed text, without the bot's name
	// Talk means that the message mentions the bot, but not at the beginning. Such a message
	// may be about the bot, and not a command.
	Talk bool
	// Edited means that Text is the new text of an older message.
	Edited bool
	// Yes skips the confirmation at a terminal. Proposal is the plan that the requester
	// has seen (Outcome.Proposal).
	Yes      bool
	Proposal string
	Tap      Tap // button and form
	At       time.Time
}

// Parsed is a slash command or a mention as it was parsed on arrival.
type Parsed struct {
	// OnlyReads means that the command is a plain read. Such a slash command need not be stored
	// before it is acknowledged, because only an answer is missing if the command is lost.
	OnlyReads bool
	// Request was parsed with every name of Grammar, so it is valid only for people who may
	// read all these names. It is nil if the text could not be parsed.
	Request *command.Request
	Grammar *command.Grammar
}

// Tap is a tapped button, or a submitted form.
type Tap struct {
	Action string // card.Button.Action
	Value  string // card.Button.Value
	// Fields are a form's inputs by name.
	Fields map[string]string
	// Trigger is a token for opening a form as the answer. It is valid for about 3 s.
	Trigger string
}

// Reply is how a handler answers. Show posts the card, and edits it when called again.
// Ephemeral shows a card to the author only. Ask opens a form as the answer to a tap.
type Reply interface {
	Show(ctx context.Context, c card.Card) error
	Ephemeral(ctx context.Context, c card.Card) error
	Ask(ctx context.Context, f card.Form) error
	// Attach puts a file into the thread of the shown card.
	Attach(ctx context.Context, f outputcard.File) error
	// Direct sends a card, and files, as a direct message to the author.
	Direct(ctx context.Context, c card.Card, files ...outputcard.File) error
}
