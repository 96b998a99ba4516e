package proof

import (
	"fmt"
	"time"

	"dhbot/internal/observe"
	"dhbot/internal/observe/complaint"
	"dhbot/internal/redact"
	"dhbot/internal/remote"
	"dhbot/runbooks"
)

// State says how far an answer verifies the effect of a step.
type State string

// These are all states. The zero value proves nothing.
const (
	NotYet  State = "not yet" // read again
	Met     State = "met"
	Noted   State = "noted"   // done; Text names what was not observed
	Never   State = "never"   // failed, and another read will not help
	Unknown State = "unknown" // not certain: read again; at the end the outcome is unknown
)

// Verdict is what one answer proves about a step.
type Verdict struct {
	State State
	// Text is for people: one line, redacted.
	Text string
	// OldPID and NewPID are the pids of the process before and after the step, 0 if unknown.
	OldPID, NewPID int
	// Seen is the encoded observation, for later steps of the same target. It is nil if there is
	// none.
	Seen []byte
}

// EvaluateExec evaluates the answer to a command that was sent once. The state is Met if the step's
// check succeeded, and Never if the command certainly failed. It is Unknown if the command may have
// run, but no one saw how it ended.
func EvaluateExec(step runbooks.Step, r remote.Result) Verdict {
	switch r.Outcome {
	case remote.Answered:
		return answeredExec(step, r)
	case remote.NoOutcome, remote.SudoRefused, remote.SupervisorSilent, remote.Unreachable,
		remote.HostKeyWrong, remote.LoginRefused:
		// Here the request certainly had no effect. A supervisor that may act on it later, such as
		// a frozen monit, gives FateUnknown instead: see remote.Classify.
		return Verdict{State: Never, Text: "nothing was changed: " + complaint.NotAnswered(r)}
	case remote.TimedOut, remote.FateUnknown:
		return Verdict{State: Unknown, Text: "unknown whether it ran: " + complaint.NotAnswered(r)}
	default:
		return Verdict{State: Unknown, Text: fmt.Sprintf("unknown: the outcome %q has no meaning here", r.Outcome)}
	}
}

// answeredExec evaluates the check of a step that the host answered. An accepted request proves
// nothing yet, so a wait step follows.
func answeredExec(step runbooks.Step, r remote.Result) Verdict {
	switch {
	case r.Signal != "":
		return Verdict{State: Unknown, Text: "unknown whether it ran: ended by signal " + redact.Line(r.Signal, observe.LineLimit)}
	case r.Exit == 124 || r.Exit == 137:
		// timeout(1) exits with one of these codes when it stops a command at its time limit.
		return Verdict{State: Unknown, Text: fmt.Sprintf("unknown whether it ran: stopped at its time limit of %s", step.Timeout.D())}
	case r.Exit != 0:
		return Verdict{State: Never, Text: fmt.Sprintf("failed with exit code %d: %s", r.Exit, complaint.Of(r))}
	}
	switch step.Check {
	case runbooks.ExitZero, runbooks.Lines:
		return Verdict{State: Met, Text: "done"}
	case runbooks.Silent:
		if said := redact.Line(r.Stdout.String(), observe.LineLimit); said != "" {
			// Text alone is not a failure, because a login shell may print something before the
			// command does. remote.Classify recognizes the messages of a client that did not reach
			// its server.
			return Verdict{State: Met, Text: "accepted; it also printed: " + said}
		}
		return Verdict{State: Met, Text: "accepted"}
	default:
		return Verdict{State: Unknown, Text: fmt.Sprintf("unknown: commands have no check %q", step.Check)}
	}
}

// Evaluate evaluates one answer to the read of a wait step. before is the latest Seen that is not
// nil of the earlier wait steps of the same target, or nil if there is none. since is when the exec
// step of the target started, or zero. For Ready it is by the host's clock, otherwise by the bot's.
//
// After NotYet or Unknown the caller reads again until the time of the step is over, and then calls
// TimedOut.
func Evaluate(step runbooks.Step, before []byte, r remote.Result, since time.Time) Verdict {
	switch step.Until {
	case runbooks.Ready:
		return ready(r, before, since)
	case runbooks.Gone:
		return gone(r, before)
	}
	if !step.Until.AboutProcess() {
		v := byOutput(step, before, r, since)
		v.Text = redact.Line(v.Text, textLimit)
		return v
	}
	now := observe.Observe(step.Manager, step.Service, r)
	v := Verdict{State: Unknown, Text: "unknown: " + now.Why}
	if now.Known() {
		w := watch{now: now, since: since}
		var old memory
		old, w.compared = recall(before)
		w.old = old.Observation
		v = w.judge(step.Until)
		v.OldPID, v.NewPID = w.old.PID, now.PID
		v.Seen = remember(memory{Observation: now, Already: step.Until == runbooks.Running && w.already(), Members: old.Members})
	}
	v.Text = redact.Line(v.Text, textLimit)
	return v
}

// textLimit is the greatest length of a verdict's text, in runes.
const textLimit = 600

// TimedOut evaluates a wait step whose time is over. last is the last verdict of the step, or the
// zero Verdict if the host never answered in time.
func TimedOut(step runbooks.Step, before []byte, last Verdict) Verdict {
	v := last
	within := step.Within.D().Round(time.Second)
	switch {
	case last.State == Met || last.State == Noted || last.State == Never:
		return last
	case step.Until == runbooks.Ready:
		// An earlier step has already verified that the process restarted.
		v.State, v.Text = Noted, fmt.Sprintf("up, but not ready within %s: %s", within, orNothing(last.Text))
	case step.Until == runbooks.EtcdMembers:
		v.State, v.Text = Noted, "the members could not be listed, so each endpoint of the client counts as one: "+orNothing(last.Text)
	case step.Until == runbooks.Answers || step.Until == runbooks.Supervised:
		// Nothing has been sent yet.
		v.State, v.Text = Never, fmt.Sprintf("no usable answer within %s, so nothing was changed: %s", within, orNothing(last.Text))
	case last.State == NotYet && step.Until == runbooks.EtcdSpare:
		v.State, v.Text = Noted, fmt.Sprintf("for %s: %s", within, last.Text)
	case last.State == NotYet && (step.Until == runbooks.EtcdServes || step.Until == runbooks.EtcdCaughtUp):
		// The result must be Unknown, because then no other member may be changed.
		v.State, v.Text = Unknown, fmt.Sprintf("not back in the cluster within %s, as far as known: %s", within, last.Text)
	case last.State == NotYet:
		v.State, v.Text = Never, still(step, last, within)
		if old, ok := recall(before); ok {
			v.OldPID = old.PID
		}
	case !step.Until.AboutProcess():
		v.State, v.Text = Unknown, fmt.Sprintf("%s, for %s", orNothing(last.Text), within)
	default:
		v.State, v.Text = Unknown, fmt.Sprintf("unknown: its outcome could not be observed within %s: %s", within, orNothing(last.Text))
	}
	v.Text = redact.Line(v.Text, textLimit)
	return v
}

// still describes how far a target got before the time-out.
func still(step runbooks.Step, last Verdict, within time.Duration) string {
	want := map[runbooks.Condition]string{
		runbooks.Restarted: "restarted", runbooks.Running: "up", runbooks.Stopped: "stopped", runbooks.Gone: "stopped",
	}[step.Until]
	if want == "" {
		want = string(step.Until)
	}
	return fmt.Sprintf("still not %s after %s: %s", want, within, last.Text)
}

func orNothing(text string) string {
	if text == "" {
		return "no answer came"
	}
	return text
}
