package slackio

import (
	"fmt"
	"sync"
	"time"

	"dhbot/handlers/call"
	"dhbot/internal/logging"
	"dhbot/internal/slackio/blockkit"
	"dhbot/internal/slackio/rate"
)

const (
	// slowWorthSaying is the shortest pause that is announced to the waiting person, if Slack's
	// rate limits delay an answer.
	slowWorthSaying = 3 * time.Second
	// slowWindow is how long a pause is still announced after a command was handled, because the
	// card of the run is posted a moment later.
	slowWindow = 5 * time.Second
)

// slowed are the slash commands whose answers a pause would delay. Their senders can be told of
// the pause at the response URL, which has other rate limits.
type slowed struct {
	mu      sync.Mutex
	waiting map[*delivery]bool
}

func newSlowed() *slowed { return &slowed{waiting: map[*delivery]bool{}} }

// watchSlow announces pauses to the sender of a slash command until stop is called, and for a
// moment after.
func (e *Edge) watchSlow(d *delivery) (stop func()) {
	if d.Via != call.Slash || d.ResponseURL == "" {
		return func() {}
	}
	e.slowed.mu.Lock()
	e.slowed.waiting[d] = true
	e.slowed.mu.Unlock()
	e.paused(e.limiter.NotBefore(rate.MethodPost).Sub(e.now()))
	return func() {
		time.AfterFunc(slowWindow, func() {
			e.slowed.mu.Lock()
			defer e.slowed.mu.Unlock()
			delete(e.slowed.waiting, d)
		})
	}
}

// paused announces a pause to the waiting people, once to each.
func (e *Edge) paused(left time.Duration) {
	if left < slowWorthSaying {
		return
	}
	e.slowed.mu.Lock()
	defer e.slowed.mu.Unlock()
	for d := range e.slowed.waiting {
		delete(e.slowed.waiting, d)
		text := fmt.Sprintf("Slack's rate limit: “%s” was received, and the answer comes in about %s.", blockkit.Cut(blockkit.Clean(d.Text), blockkit.MaxConfirmText), left.Round(time.Second))
		select {
		case e.notices <- notice{d, text}:
		default:
			e.log.Warn("a person could not be told about Slack's rate limit", logging.CommandKey, d.Key)
		}
	}
}
