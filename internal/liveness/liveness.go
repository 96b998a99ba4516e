package liveness

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// Checker knows every running loop. The zero value is ready for use.
type Checker struct {
	mu    sync.Mutex
	loops map[*Loop]struct{}
}

// Loop is one loop that must run regularly.
type Loop struct {
	of    *Checker
	name  string
	limit time.Duration

	last time.Time // guarded by of.mu; monotonic
}

// Loop registers a loop. Until it calls Done, the loop must call Beat at least once within every
// limit.
func (c *Checker) Loop(name string, limit time.Duration) *Loop {
	l := &Loop{of: c, name: name, limit: limit, last: time.Now()}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.loops == nil {
		c.loops = map[*Loop]struct{}{}
	}
	c.loops[l] = struct{}{}
	return l
}

// Beat records that the loop still runs.
func (l *Loop) Beat() {
	l.of.mu.Lock()
	defer l.of.mu.Unlock()
	l.last = time.Now()
}

// Done records that the loop has ended normally.
func (l *Loop) Done() {
	l.of.mu.Lock()
	defer l.of.mu.Unlock()
	delete(l.of.loops, l)
}

// Stuck describes each loop that is overdue at now. An empty list means that the bot is alive.
func (c *Checker) Stuck(now time.Time) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for l := range c.loops {
		if age := now.Sub(l.last); age > l.limit {
			out = append(out, fmt.Sprintf("the %s loop has not run for %s", l.name, age.Round(time.Second)))
		}
	}
	slices.Sort(out)
	return out
}
