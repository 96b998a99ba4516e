// Package publish keeps what people see in step with what is stored: each
// run's one message, and the trail in the audit channel. It reconciles stored
// revisions with posted ones, so that nothing is lost with a process.
package publish

import (
	"context"
	"errors"

	"dhbot/internal/card"
	"dhbot/internal/engine"
)

// Post is the message of a run, and the revision it shows. An empty TS says
// that posting was begun and its end not noted, so that a message may stand
// in the channel that nothing points to.
type Post struct {
	Channel string `json:"channel"`
	TS      string `json:"ts"` // the platform's id of the message
	Rev     int64  `json:"rev"`
	// Again says that an older copy may stand above, which this one says.
	Again bool `json:"again,omitempty"`
	// Told says that the requester was told beside it that a restore closed the run.
	Told bool `json:"told,omitempty"`
	// Decided and Ended say that the requester was mentioned beside it when the run was
	// approved, and at its end.
	Decided bool `json:"decided,omitempty"`
	Ended   bool `json:"ended,omitempty"`
}

// Thread is where the trail of a run stands in the audit channel.
type Thread struct {
	Channel string `json:"channel"`
	TS      string `json:"ts"` // of the message that the run's entries hang on
	// Linked says that the run's own message leads there.
	Linked bool `json:"linked,omitempty"`
}

// Posts remembers which message shows which run.
type Posts interface {
	// Post returns a run's message; ok is false where there is none yet.
	Post(ctx context.Context, run string) (p Post, ok bool, err error)
	SetPost(ctx context.Context, run string, p Post) error
	// MarkBehind notes that a run's message may show an older form, so that the leader
	// edits it once more. Any replica may, also one that has just lost the lead.
	MarkBehind(ctx context.Context, run string) error
	// Thread returns where a run's trail stands; ok is false where there is
	// none yet.
	Thread(ctx context.Context, run string) (t Thread, ok bool, err error)
	SetThread(ctx context.Context, run string, t Thread) error
	// TrailPosted is the number of the last trail entry that was posted.
	TrailPosted(ctx context.Context) (uint64, error)
	SetTrailPosted(ctx context.Context, n uint64) error
}

// Errors of a Board that say that trying the same again cannot help.
var (
	// ErrGone: the message to edit is not there any more, or cannot be edited.
	ErrGone = errors.New("the message is gone")
	// ErrNoPlace: nothing can be put in that channel.
	ErrNoPlace = errors.New("the channel does not take messages")
)

// Messenger is where messages are put. It keeps to the platform's limits by
// itself: a call may wait for its turn.
type Messenger interface {
	// Post puts a new message and returns its id.
	Post(ctx context.Context, at engine.Place, c card.Card) (ts string, err error)
	// Edit replaces a message; final edits go before others.
	Edit(ctx context.Context, channel, ts string, c card.Card, final bool) error
	// TellRequester shows a card to the requester of a run alone,
	// where they asked if that works, else as a direct message.
	TellRequester(ctx context.Context, r engine.Run, c card.Card) error
	// Link is the URL by which people open a message.
	Link(ctx context.Context, channel, ts string) (url string, err error)
}
