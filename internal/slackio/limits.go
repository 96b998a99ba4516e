package slackio

import (
	"cmp"
	"time"
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

// Silence sets when a connection that receives no bytes is replaced, because such a connection may
// be open at this end only.
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
