package slackio

import (
	"cmp"
	"time"
)

// Slack's limits, from its documentation and its answers. If Slack gives no number ("too long",
// seen near 13,000 characters of blocks), this limit is lower.
const (
	maxBlocksJSON  = 11_500 // bytes of a message's blocks as sent
	maxViewBlocks  = 90     // of 100 in a modal
	maxText        = 3_000  // runes of the top-level text of a message with blocks
	maxBareText    = 3_900  // runes of a message without blocks; over 4,000 chat.update fails
	maxContextText = 2_000  // runes of the footer
	maxButtons     = 25
	maxLabel       = 75
	maxActionID    = 255
	maxValue       = 2_000
	maxConfirmHead = 100
	maxConfirmText = 300
	maxConfirmTap  = 30
	maxViewTitle   = 24
	maxHint        = 150 // of 2,000; longer hints are unreadable on a phone
	maxMetadata    = 3_000
	maxInputs      = 20
	maxInitial     = 3_000
	maxURL         = 1_000
)

const (
	claimBudget       = time.Second     // to store a delivery
	settleBudget      = 5 * time.Minute // while the store does not answer; until then the delivery keeps its slot
	answerBudget      = time.Minute     // to show an answer while Slack has problems
	askBudget         = 3 * time.Second // a trigger expires after 3 s
	handlerBudget     = 5 * time.Minute // then a handler's context ends
	callTimeout       = 10 * time.Second
	channelAge        = time.Minute // how long to cache whether a channel is shared
	socketStagger     = time.Second // so that Slack does not refresh both sockets at once
	healthyConnection = 30 * time.Second
	leastDelay        = 250 * time.Millisecond
	mostDelay         = 30 * time.Second
)

// Silence is when a connection without received bytes is replaced: it may be open at this end only.
type Silence struct {
	// Every is the time between two checks; 0 means 2 s.
	Every time.Duration
	// PingAfter is the silence after which each check sends a ping; 0 means 6 s.
	PingAfter time.Duration
	// Most is the silence after which the connection is replaced; 0 means 14 s.
	Most time.Duration
}

func (s Silence) withDefaults() Silence {
	return Silence{cmp.Or(s.Every, 2*time.Second), cmp.Or(s.PingAfter, 6*time.Second), cmp.Or(s.Most, 14*time.Second)}
}

// Pace is the rate of posts and edits. The zero value means Slack's own limits.
type Pace struct {
	// PostEvery is the least time between two posts in one channel; 0 means 1 s. Answers do not
	// wait for it if there are at most PostBurst posts in any PostBurst × PostEvery; 0 means 4.
	// Slack accepts about one a second, and more for a short time.
	PostEvery time.Duration
	PostBurst int
	// EditBurst and EditEvery limit the edits in the whole workspace: EditBurst at once, then one
	// every EditEvery. 0 means 15 and 2 s, which is at most 45 in any minute (Slack allows about
	// 50). A third of the burst is reserved for final edits.
	EditBurst int
	EditEvery time.Duration
}

func (p Pace) withDefaults() Pace {
	if p.PostEvery <= 0 {
		p.PostEvery = time.Second
	}
	if p.PostBurst <= 0 {
		p.PostBurst = 4
	}
	if p.EditBurst <= 0 {
		p.EditBurst = 15
	}
	if p.EditEvery <= 0 {
		p.EditEvery = 2 * time.Second
	}
	return p
}
