package publish

import (
	"context"
	"errors"

	"dhbot/internal/card"
	"dhbot/internal/engine"
)

// Post says which message shows a run, and which revision it shows. An empty TS means that
// posting began, but its end was not stored. Then the channel may have a message that the store
// does not know.
type Post struct {
	Channel string `json:"channel"`
	TS      string `json:"ts"` // the platform's id of the message
	Rev     int64  `json:"rev"`
	// Again means that the channel may have an older copy of the message. The message says so.
	Again bool `json:"again,omitempty"`
	// Told means that the requester was told in the message's thread that a restore closed the run.
	Told bool `json:"told,omitempty"`
	// Decided and Ended mean that the requester was mentioned in the message's thread for the
	// approval and for the end of the run.
	Decided bool `json:"decided,omitempty"`
	Ended   bool `json:"ended,omitempty"`
}

// Thread is the thread of a run's records in the audit channel.
type Thread struct {
	Channel string `json:"channel"`
	TS      string `json:"ts"` // of the first message of the thread
	// Linked means that the run's own message links to the thread.
	Linked bool `json:"linked,omitempty"`
}

// Posts stores the messages of runs.
type Posts interface {
	// Post returns a run's message. ok is false if there is none yet.
	Post(ctx context.Context, run string) (p Post, ok bool, err error)
	SetPost(ctx context.Context, run string, p Post) error
	// MarkBehind stores that a run's message may show an older form, so that the leader edits
	// it once more. Any replica may call it, even one that has just lost the lead.
	MarkBehind(ctx context.Context, run string) error
	// Thread returns the thread of a run's records. ok is false if there is none yet.
	Thread(ctx context.Context, run string) (t Thread, ok bool, err error)
	SetThread(ctx context.Context, run string, t Thread) error
	// TrailPosted is the number of the last posted trail entry.
	TrailPosted(ctx context.Context) (uint64, error)
	SetTrailPosted(ctx context.Context, n uint64) error
}

// Permanent errors of a Messenger.
var (
	// ErrGone means that the message to edit no longer exists, or cannot be edited.
	ErrGone = errors.New("the message is gone")
	// ErrNoPlace means that the channel accepts no messages from the bot.
	ErrNoPlace = errors.New("the channel accepts no messages")
)

// ErrNoAnswer means that the platform did not answer in time. It may have done what was
// requested.
var ErrNoAnswer = errors.New("no answer from Slack in time")

// Messenger posts messages. It keeps the platform's rate limits, so a call may wait.
type Messenger interface {
	// Post posts a new message and returns its id.
	Post(ctx context.Context, at engine.Place, c card.Card) (ts string, err error)
	// Edit replaces a message. An edit with final set is sent before other edits.
	Edit(ctx context.Context, channel, ts string, c card.Card, final bool) error
	// TellRequester shows a card only to the requester of a run: in the channel of the request
	// if possible, else as a direct message.
	TellRequester(ctx context.Context, r engine.Run, c card.Card) error
	// Link is the URL of a message.
	Link(ctx context.Context, channel, ts string) (url string, err error)
}
