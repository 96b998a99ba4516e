package call

import (
	"context"
	"time"

	"dhbot/auth"
	"dhbot/internal/card"
	"dhbot/internal/card/outputcard"
	"dhbot/internal/command"
)

// Via says how a message came.
type Via string

// The closed set of ways in.
const (
	Slash    Via = "slash"
	Mention  Via = "mention"
	Button   Via = "button"
	Form     Via = "form" // a submitted modal
	Terminal Via = "terminal"
	Home     Via = "home"     // the app's own page, which asks by itself
	Shortcut Via = "shortcut" // typed into the window that a shortcut of the platform opens
)

// Message is one thing a person said or tapped.
type Message struct {
	// Key names the delivery: the same for a redelivery, different for two
	// honest taps. It is "" where the delivery could not be made durable.
	Key string
	// Unclaimed says that the delivery was not made durable because it only
	// reads (Parsed.OnlyReads): nothing may be changed for it.
	Unclaimed bool

	Via     Via
	Account auth.Account
	// Origin is the user of the machine that a terminal was used by, as the
	// kernel says: "uid 1001"; "" elsewhere.
	Origin  string
	Channel string
	// ChannelShared says that people of other organisations are in the
	// channel.
	ChannelShared bool
	// Outside says that the bot is not a member of the channel, and so cannot
	// show anything there.
	Outside bool
	// Alone says that the channel is the person's own conversation with the
	// bot, where no one else sees what is shown.
	Alone  bool
	Thread string
	// Parsed is nil where nothing was parsed on arrival.
	Parsed *Parsed
	Text   string // slash and mention: what was typed, without the bot's name
	// Talk says that the message names the bot somewhere else than at its
	// beginning: it may be about the bot, and not to it.
	Talk bool
	// Edited says that Text is the new text of an older message.
	Edited bool
	// Yes says that the requester at a terminal wants no question about what
	// would run; Proposal that they have seen it (Outcome.Proposal).
	Yes      bool
	Proposal string
	Tap      Tap // button and form
	At       time.Time
}

// Parsed is what a slash command was understood as when it arrived.
type Parsed struct {
	// OnlyReads says that it asks for no more than a plain read. Such a message
	// need not be durable before it is acknowledged: if it is lost, so is an
	// answer and nothing else.
	OnlyReads bool
	// Request is valid for readers of every name of Grammar; nil where the text
	// was not understood.
	Request *command.Request
	Grammar *command.Grammar
}

// Tap is a button tapped, or a form submitted.
type Tap struct {
	Action string // card.Button.Action
	Value  string // card.Button.Value
	// Fields are a form's inputs by name.
	Fields map[string]string
	// Trigger lets the platform open a form in answer, for about 3 s.
	Trigger string
}

// Reply is how a handler answers. Show posts the card, and when called again
// edits what it posted. Whisper shows a card to the asker only. Ask opens a
// form in answer to a tap.
type Reply interface {
	Show(ctx context.Context, c card.Card) error
	Ephemeral(ctx context.Context, c card.Card) error
	Ask(ctx context.Context, f card.Form) error
	// Attach puts a file into the thread of what was shown.
	Attach(ctx context.Context, f outputcard.File) error
	// Direct sends a card, and files with it, to the asker alone, where it
	// stays: as a direct message.
	Direct(ctx context.Context, c card.Card, files ...outputcard.File) error
}
