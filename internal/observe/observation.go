package observe

import (
	"fmt"
	"time"

	"dhbot/internal/observe/complaint"
	"dhbot/internal/redact"
	"dhbot/internal/remote"
	"dhbot/runbooks"
)

// State is the state of a process, as far as its supervisor knows.
type State uint8

// The closed set of states. The zero value is Unseen: a process that could not be observed is
// neither up nor down.
const (
	Unseen       State = iota // no answer, or not parsed; Why has the reason
	Up                        // runs without problems
	Trouble                   // runs, and its supervisor reports a problem
	Starting                  // being started
	Stopping                  // being stopped
	Recovering                // found dead and just restarted; not checked since
	Down                      // does not run
	Failed                    // does not run, and could not be started
	NotMonitored              // not monitored by monit; may run or not
	Missing                   // the supervisor answered that it does not know the process
)

var stateText = map[State]string{
	Unseen: "unknown", Up: "up", Trouble: "up, with trouble", Starting: "starting", Stopping: "stopping",
	Recovering: "just started again", Down: "down", Failed: "start failed", NotMonitored: "not monitored",
	Missing: "unknown to its supervisor",
}

// String returns the state in the words that people read.
func (s State) String() string {
	if t, ok := stateText[s]; ok {
		return t
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// MarshalText encodes the state as its words.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText decodes the output of MarshalText; other text is an error.
func (s *State) UnmarshalText(b []byte) error {
	for k, v := range stateText {
		if v == string(b) {
			*s = k
			return nil
		}
	}
	return fmt.Errorf("observe: unknown state %q", b)
}

// Observation is one answer about one process, or the reason why there is no answer.
type Observation struct {
	Manager runbooks.Manager `json:"manager"`
	Service string           `json:"service"`
	// Outcome is whether the supervisor could be queried at all.
	Outcome remote.Outcome `json:"outcome"`
	State   State          `json:"state"`
	// Why is the reason if State is Unseen.
	Why string `json:"why,omitempty"`
	// Status is the supervisor's own status, e.g. "OK - restart pending" or "active (running)".
	Status string `json:"status,omitempty"`
	// Pending is the unfinished request to monit: "start", "stop", "restart", "monitor",
	// "unmonitor"; "" for none.
	Pending string `json:"pending,omitempty"`
	PID     int    `json:"pid,omitempty"` // 0 if unknown
	// Uptime is the supervisor's own text: "4h 3m" (monit counts minutes).
	Uptime string `json:"uptime,omitempty"`
	// Collected is when monit last checked, or when the unit entered its state, in the supervisor's
	// format and in the host's time zone, which monit does not name. Two values of one host can
	// only be compared for equality.
	Collected string `json:"collected,omitempty"`
	// Age is how old the supervisor's own last check was when the answer arrived, by the host's
	// clock. It is set only if AgeKnown is true.
	Age      time.Duration `json:"age,omitempty"`
	AgeKnown bool          `json:"age_known,omitempty"`
	// Alive is whether the pid was in the host's list of processes. Started is when that process
	// began, by the bot's clock.
	Alive   Alive     `json:"alive,omitempty"`
	Started time.Time `json:"started,omitzero"`
	// Trouble is the problem that the supervisor reports, or "". It may be the same as Status.
	Trouble string `json:"trouble,omitempty"`
	// Note explains the state if the supervisor's words alone do not: why the process does not run,
	// and whether it will be started again.
	Note string `json:"note,omitempty"`
	// ConfigMissing explains how the supervisor has lost the configuration of a running process;
	// "" if the supervisor still has the configuration.
	ConfigMissing string `json:"config_missing,omitempty"`
	// Line is the evidence: the decisive line of the answer, redacted.
	Line string `json:"line,omitempty"`
	// At is when the answer arrived, by the bot's clock.
	At time.Time `json:"at"`
}

// Known reports whether the supervisor answered and the answer was parsed.
func (o Observation) Known() bool { return o.State != Unseen }

// Settled reports whether the supervisor has no change in progress.
func (o Observation) Settled() bool {
	return o.Known() && o.Pending == "" && o.State != Starting && o.State != Stopping
}

// Observe parses the answer to a status command: `monit status SERVICE`, `systemctl status UNIT` or
// `systemctl show UNIT`. The commands are those of process-runbooks.md ("Check Process is running";
// for mariadb and dh-etcd its sections "MariaDB" and "Etcd").
func Observe(manager runbooks.Manager, service string, r remote.Result) Observation {
	o := Observation{Manager: manager, Service: service, Outcome: r.Outcome, At: r.Ended}
	if r.Outcome != remote.Answered {
		o.Why = complaint.NotAnswered(r)
		o.Line = redact.Line(o.Why, LineLimit)
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
		o.Why = "the answer could not be parsed"
	}
	if o.Line == "" {
		o.Line = redact.Line(o.Why, LineLimit)
	}
	return o
}

// missing records that the supervisor does not know the process. words is the supervisor's text.
func (o *Observation) missing(words string) {
	o.State = Missing
	o.Status, o.Line = words, words
}

// LineLimit limits an evidence line, in runes.
const LineLimit = 200

// Quoted returns the name of the supervisor and its status in quotation marks, for a sentence.
func (o Observation) Quoted() string {
	text := fmt.Sprintf("%s: %q", o.Manager, o.Status)
	if o.Trouble != "" && o.Trouble != o.Status {
		text += " (" + o.Trouble + ")"
	}
	return text
}

// FailedNote explains whether a failed process will be started again.
func (o Observation) FailedNote() string {
	if o.Note != "" {
		return o.Note
	}
	return "the process could not be started; the supervisor may try again; the supervisor's log on the host has the reason"
}
