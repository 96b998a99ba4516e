// Package observe reads what supervisors and logs said about a process: an
// Observation of it, a Finding by the incident key, and the Verdict on whether
// a step did what it was for. It is pure: it is handed results and times, and
// does no I/O.
//
// What the texts mean was measured on monit 5.33, systemd 252 and the older
// forms that the runbooks show; the tools' own outputs are in testdata. Three
// rules hold throughout: an answer that is not understood is neither up nor
// down, a name must match exactly (monit itself takes names as patterns), and
// whatever stands before or around the expected text, such as the output of a
// login shell, is not read.
package observe

import (
	"fmt"
	"time"

	"dhbot/internal/redact"
	"dhbot/internal/remote"
	"dhbot/runbooks"
)

// State is what a process is doing, as far as its supervisor knows.
type State uint8

// The closed set of states. The zero value is Unseen: what could not be
// observed is neither up nor down.
const (
	Unseen       State = iota // could not ask, or not understood; Why says which
	Up                        // runs, and nothing is wrong with it
	Trouble                   // runs, and its supervisor finds something wrong
	Starting                  // being started
	Stopping                  // being stopped
	Recovering                // found dead and just started again: not checked since
	Down                      // does not run
	Failed                    // does not run, and could not be started
	NotMonitored              // monit does not watch it: it may run or not
	Missing                   // the supervisor answered that it does not know it
)

var stateText = map[State]string{
	Unseen: "unknown", Up: "up", Trouble: "up, with trouble", Starting: "starting", Stopping: "stopping",
	Recovering: "just started again", Down: "down", Failed: "start failed", NotMonitored: "not monitored",
	Missing: "unknown to its supervisor",
}

// String is the state in the words people read.
func (s State) String() string {
	if t, ok := stateText[s]; ok {
		return t
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// MarshalText writes the state as its words.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote; other text is an error.
func (s *State) UnmarshalText(b []byte) error {
	for k, v := range stateText {
		if v == string(b) {
			*s = k
			return nil
		}
	}
	return fmt.Errorf("probe: unknown state %q", b)
}

// Observation is one answer about one process, or why there is none.
type Observation struct {
	Manager runbooks.Manager `json:"manager"`
	Service string           `json:"service"`
	// Outcome is whether the supervisor could be asked at all.
	Outcome remote.Outcome `json:"outcome"`
	State   State          `json:"state"`
	// Why says, when State is Unseen, what stood in the way.
	Why string `json:"why,omitempty"`
	// Status is the supervisor's own word, e.g. "OK - restart pending" or
	// "active (running)".
	Status string `json:"status,omitempty"`
	// Pending is what monit was asked and has not finished: "start", "stop",
	// "restart", "monitor", "unmonitor"; "" when nothing is.
	Pending string `json:"pending,omitempty"`
	PID     int    `json:"pid,omitempty"` // 0 when none is known
	// Uptime is the supervisor's own text: "4h 3m" (monit counts minutes).
	Uptime string `json:"uptime,omitempty"`
	// Collected is when monit last looked, or when the unit entered its
	// state, in the supervisor's own words and in the host's time zone, which
	// monit does not name: two of them from one host can be compared for
	// being the same, and no more.
	Collected string `json:"collected,omitempty"`
	// Age is how long before the answer the supervisor itself had looked, by
	// the host's own clock, where AgeKnown.
	Age      time.Duration `json:"age,omitempty"`
	AgeKnown bool          `json:"age_known,omitempty"`
	// Alive is whether the pid was found among the host's processes, and
	// Started when that process began, by the bot's clock.
	Alive   Alive     `json:"alive,omitempty"`
	Started time.Time `json:"started,omitzero"`
	// Trouble says what is wrong, where the supervisor says more than Status.
	Trouble string `json:"trouble,omitempty"`
	// Note is what the state means, where the supervisor's words alone do not
	// say it: why it does not run, and whether it will be started again.
	Note string `json:"note,omitempty"`
	// ConfigMissing says, of a process that runs, that its supervisor has lost
	// its configuration; "" where it has not.
	ConfigMissing string `json:"config_missing,omitempty"`
	// Line is the evidence: the decisive line of the answer, cleaned.
	Line string `json:"line,omitempty"`
	// At is when the answer had arrived, by the bot's clock.
	At time.Time `json:"at"`
}

// Known says that the supervisor answered and the answer was understood.
func (o Observation) Known() bool { return o.State != Unseen }

// Settled says that the supervisor is not in the middle of something.
func (o Observation) Settled() bool {
	return o.Known() && o.Pending == "" && o.State != Starting && o.State != Stopping
}

// Observe reads the answer to a status command: `monit status SERVICE`,
// `systemctl status UNIT` or `systemctl show UNIT`. The commands are those of
// process-runbooks.md ("Check Process is running"), mariadb's and dh-etcd's
// those of its sections "MariaDB" and "Etcd".
func Observe(manager runbooks.Manager, service string, r remote.Result) Observation {
	o := Observation{Manager: manager, Service: service, Outcome: r.Outcome, At: r.Ended}
	if r.Outcome != remote.Answered {
		o.Why = notAnswered(r)
		o.Line = redact.Line(o.Why, lineLimit)
		return o
	}
	switch manager {
	case runbooks.Monit:
		o.readMonit(r)
	case runbooks.Systemd:
		o.readSystemd(r)
	default:
		o.Why = fmt.Sprintf("no reader for the answers of a supervisor called %q", manager)
	}
	if o.State == Unseen && o.Why == "" {
		o.Why = "the answer was not understood"
	}
	if o.Line == "" {
		o.Line = redact.Line(o.Why, lineLimit)
	}
	return o
}

// missing says that the supervisor does not know the process, in its words.
func (o *Observation) missing(words string) {
	o.State = Missing
	o.Status, o.Line = words, words
}

// lineLimit bounds an evidence line, wordsLimit what a host wrote that is not
// understood, in runes.
const (
	lineLimit  = 200
	wordsLimit = 400
)

// notAnswered is why there is no answer, in one sentence.
func notAnswered(r remote.Result) string {
	if r.Detail == "" {
		return r.Outcome.String()
	}
	return r.Outcome.String() + ": " + redact.Line(r.Detail, textLimit)
}
