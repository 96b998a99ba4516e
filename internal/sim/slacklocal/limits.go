package slacklocal

import (
	"sync"
	"time"
)

// rate is a rate limit: n calls in any period as long as the field per. Slack promises at least n calls a minute,
// but this server allows exactly n.
type rate struct {
	n   int
	per time.Duration
}

// These are the rate limits of the Web API. For posted messages, Slack allows about one per second
// and channel, with short bursts. Here the limit is four in any four seconds.
var (
	tier2  = rate{20, time.Minute}
	tier3  = rate{50, time.Minute}
	tier4  = rate{100, time.Minute}
	posted = rate{4, 4 * time.Second}
)

// limits counts calls by key, for example a method, or a method and a channel.
type limits struct {
	now  func() time.Time
	mu   sync.Mutex
	past map[string][]time.Time
}

func newLimits(now func() time.Time) *limits {
	return &limits{now: now, past: map[string][]time.Time{}}
}

// take counts one call. If the call exceeds the rate, ok is false and wait is the time to wait. It
// is in whole seconds and at least one second, as in Retry-After. A refused call does not count.
func (l *limits) take(key string, r rate) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	past := l.past[key]
	for len(past) > 0 && now.Sub(past[0]) >= r.per {
		past = past[1:]
	}
	if len(past) >= r.n {
		l.past[key] = past
		left := r.per - now.Sub(past[len(past)-r.n])
		return max(time.Second, (left + time.Second - 1).Truncate(time.Second)), false
	}
	l.past[key] = append(past, now)
	return 0, true
}
