package status

import (
	"fmt"
	"slices"
	"strings"

	"dhbot/internal/observe"
)

// Cause is a dependency that does not work, and so affects other processes.
type Cause struct {
	Process string
	Hosts   []string
	State   observe.State
	Loop    bool // the dependency crashes and restarts repeatedly
}

// String returns the cause as a clause, for example "configuration_server on infra-1 is down".
func (c Cause) String() string {
	word, ok := map[observe.State]string{
		observe.Up: "dead", observe.Down: "down", observe.Failed: "down and could not be started", observe.Starting: "being started",
		observe.Stopping: "being stopped", observe.Recovering: "still recovering from a restart", observe.NotMonitored: "down and not monitored",
		observe.Missing: "unknown to its supervisor", observe.Trouble: "not answering on its port",
	}[c.State]
	if !ok {
		word = c.State.String()
	}
	if c.Loop {
		word = "in a crash loop"
	}
	return fmt.Sprintf("%s on %s is %s", c.Process, strings.Join(c.Hosts, ", "), word)
}

// Because joins causes into a clause, for example "configuration_server on infra-1 is down".
func Because(causes []Cause) string {
	parts := make([]string, len(causes))
	for i, c := range causes {
		parts[i] = c.String()
	}
	return strings.Join(parts, ", and ")
}

// Causes returns the unmet dependencies of the board and the causes of its rows, without
// duplicates.
func (b Board) Causes() []Cause {
	out := slices.Clone(b.Unmet)
	for _, r := range b.Rows {
		for _, c := range r.Causes {
			if !slices.ContainsFunc(out, func(o Cause) bool { return o.String() == c.String() }) {
				out = append(out, c)
			}
		}
	}
	return out
}
