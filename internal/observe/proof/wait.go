package proof

import (
	"encoding/json"
	"fmt"
	"time"

	"dhbot/internal/observe"
	"dhbot/internal/observe/complaint"
	"dhbot/internal/observe/etcd"
	"dhbot/internal/remote"
	"dhbot/runbooks"
)

// settle is how long after a request no state counts as a failure, because the supervisor may not
// have begun to act.
const settle = 10 * time.Second

// watch is an observation of a target in a wait step, which may be before or after an action, with
// the observation of an earlier step.
type watch struct {
	old      observe.Observation // observed before the action
	compared bool                // old is set
	now      observe.Observation
	since    time.Time // when the action was started; zero without an action
}

// memory is what a wait step stores for later wait steps of the same target.
type memory struct {
	observe.Observation
	// Already means that the process was running before the action, and still has the same pid.
	Already bool `json:"already,omitempty"`
	// Members is the list of members that etcd itself returned, if a step has read it.
	Members []etcd.Listed `json:"members,omitempty"`
}

// remember encodes an observation, so that the engine can store it.
func remember(m memory) []byte {
	b, err := json.Marshal(m)
	if err != nil {
		return nil // every field has a JSON form; without Seen no later step is verified
	}
	return b
}

// Unwatched reports whether a wait step saw a process that the supervisor knew but did not monitor.
// Such a process needs a start, because a restart does not help.
func Unwatched(seen []byte) bool {
	m, ok := recall(seen)
	return ok && m.State == observe.NotMonitored
}

// PID returns the pid of the running process that a wait step saw, or 0.
func PID(seen []byte) int {
	m, _ := recall(seen)
	return m.PID
}

func recall(seen []byte) (memory, bool) {
	var m memory
	if len(seen) == 0 || json.Unmarshal(seen, &m) != nil {
		return memory{}, false
	}
	return m, m.Known()
}

func (w watch) judge(until runbooks.Condition) Verdict {
	switch until {
	case runbooks.Answers:
		return Verdict{State: Met, Text: "answers: " + w.says()}
	case runbooks.Supervised:
		return w.supervised()
	case runbooks.Restarted:
		return w.restarted()
	case runbooks.Running:
		return w.running()
	case runbooks.Stopped:
		return w.stopped()
	default:
		return Verdict{State: Never, Text: fmt.Sprintf("unknown wait condition %q", until)}
	}
}

// says returns the supervisor's status with the pid, for example `monit: "OK", pid 4711`.
func (w watch) says() string {
	text := w.now.Quoted()
	if w.now.PID > 0 {
		text += fmt.Sprintf(", pid %d", w.now.PID)
	}
	return text
}

// supervised is the check before a restart: monit must monitor the process. Otherwise monit's
// restart only resumes the monitoring. It exits with 0, reports OK and logs "restart action done",
// but the process is the same (measured: restart-unmonitored).
func (w watch) supervised() Verdict {
	switch {
	case w.now.Pending != "":
		return Verdict{State: NotYet, Text: "another request is in progress: " + w.says()}
	case w.now.State == observe.NotMonitored:
		return Verdict{State: Never, Text: fmt.Sprintf(
			"not restarted: %s is not monitored, and a restart would only resume its monitoring; use start", w.now.Service)}
	case w.now.State == observe.Missing:
		return Verdict{State: Never, Text: fmt.Sprintf("not restarted: %s does not know %s on this host", w.now.Manager, w.now.Service)}
	default:
		return Verdict{State: Met, Text: "answers: " + w.says()}
	}
}

// fresh reports whether the supervisor has collected new data since the observation before the
// action. It only checks that the supervisor's two times differ, because the host's clock may be
// set back, and monit's times have no zone.
func (w watch) fresh() bool { return w.now.Collected != "" && w.now.Collected != w.old.Collected }

// early reports whether a bad state may still be the state from before the action.
func (w watch) early() bool { return w.now.At.Sub(w.since) < settle }

// restarted checks whether a restart is proved: no action is pending, and the process is up, with
// another pid and newer data. That the restart command in process-runbooks.md succeeds proves
// nothing: it exits at once with code 0, before anything has happened.
func (w watch) restarted() Verdict {
	if !w.compared {
		return Verdict{State: Never, Text: "restart not verified: there is no earlier observation to compare with"}
	}
	if v, ok := w.failing(); ok {
		return v
	}
	if w.now.State != observe.Up && w.now.State != observe.Trouble {
		return Verdict{State: NotYet, Text: w.says()}
	}
	if w.old.State == observe.NotMonitored {
		return w.watchedAgain()
	}
	if w.now.PID == 0 {
		return Verdict{State: NotYet, Text: "no pid to compare: " + w.says()}
	}
	if w.now.PID == w.old.PID {
		return w.samePID()
	}
	change := w.pids()
	switch {
	case !w.fresh():
		return Verdict{State: NotYet, Text: change + ", but " + string(w.now.Manager) + " has not checked again yet"}
	case w.now.PortSilent():
		return Verdict{State: NotYet, Text: change + ", but its port does not answer: " + w.says()}
	case w.now.State == observe.Trouble:
		return Verdict{State: Noted, Text: change + ", but " + w.says()}
	default:
		return Verdict{State: Met, Text: change}
	}
}

// pids is "pid 4711 → 4812".
func (w watch) pids() string {
	if w.old.PID == 0 {
		return fmt.Sprintf("pid none → %d", w.now.PID)
	}
	return fmt.Sprintf("pid %d → %d", w.old.PID, w.now.PID)
}

// samePID detects a restart that only seems to succeed: the stop program failed, and after its
// time-out monit reports OK for the same process (measured: restart-stop-fails).
func (w watch) samePID() Verdict {
	text := fmt.Sprintf("not restarted: same pid %d as before", w.now.PID)
	if w.early() || !w.fresh() {
		return Verdict{State: NotYet, Text: text + " so far"}
	}
	return Verdict{State: Never, Text: text + "; it was probably not stopped (its stop program failed or timed out); read monit's log on the host"}
}

// watchedAgain detects a restart that only seems to succeed: monit reports OK, but the earlier pid
// of the process is unknown, because monit did not monitor the process before.
func (w watch) watchedAgain() Verdict {
	if up, ok := observe.AtLeast(w.now.Uptime); ok && up > w.now.At.Sub(w.since)+settle {
		return Verdict{State: Never, Text: fmt.Sprintf(
			"not restarted: monit only resumed its monitoring; pid %d has been up %s, longer than since the request", w.now.PID, w.now.Uptime)}
	}
	return Verdict{State: Never, Text: fmt.Sprintf(
		"probably not restarted: it was not monitored before, so pid %d may be the old process", w.now.PID)}
}

// failing detects a state that will not improve on its own, once the time settle is over.
func (w watch) failing() (Verdict, bool) {
	if w.now.Pending != "" {
		return Verdict{State: NotYet, Text: w.says()}, true
	}
	if w.early() || !w.fresh() && w.now.State == w.old.State {
		return Verdict{}, false
	}
	switch w.now.State {
	case observe.Failed:
		return Verdict{State: Never, Text: "start failed: " + w.says() + "; " + w.now.FailedNote()}, true
	case observe.NotMonitored:
		return Verdict{State: Never, Text: "not up: " + w.says() + ": monit gave up on it after repeated failures, or a person stopped it"}, true
	case observe.Missing:
		return Verdict{State: Never, Text: "not up: " + w.now.Quoted()}, true
	default:
		return Verdict{}, false
	}
}

func (w watch) running() Verdict {
	if v, ok := w.failing(); ok {
		return v
	}
	switch {
	case w.now.State != observe.Up && w.now.State != observe.Trouble:
		return Verdict{State: NotYet, Text: w.says()}
	case w.now.PortSilent():
		return Verdict{State: NotYet, Text: "its port does not answer: " + w.says()}
	case w.now.State == observe.Trouble:
		return Verdict{State: Noted, Text: fmt.Sprintf("running, pid %d, but %s", w.now.PID, w.now.Quoted())}
	case w.already():
		return Verdict{State: Met, Text: fmt.Sprintf("was running already, pid %d", w.now.PID)}
	default:
		return Verdict{State: Met, Text: fmt.Sprintf("running, pid %d", w.now.PID)}
	}
}

// already reports whether the process that ran before the action is still running.
func (w watch) already() bool { return w.compared && w.old.PID > 0 && w.old.PID == w.now.PID }

// stopped checks whether a stop is proved. A report by systemd is a proof. A report by monit is
// not, because monit 5.33 says "Not monitored" even if the stop program failed and the process
// still runs (measured). monit's report is a proof if an earlier step saw that the process is gone.
func (w watch) stopped() Verdict {
	switch {
	case w.now.Pending != "":
		return Verdict{State: NotYet, Text: w.says()}
	case w.now.State == observe.NotMonitored && w.compared && w.old.State == observe.Down:
		return Verdict{State: Met, Text: "stopped, and monit no longer monitors it"}
	case w.now.State == observe.NotMonitored:
		return Verdict{State: Noted, Text: "monit has finished the stop and no longer monitors it; monit does not report whether the process has ended"}
	case w.now.State == observe.Down:
		return Verdict{State: Met, Text: "stopped: " + w.now.Quoted()}
	case w.now.State == observe.Failed && w.now.Manager == runbooks.Systemd:
		return Verdict{State: Noted, Text: "stopped, but not cleanly: " + w.now.Quoted()}
	case w.now.State == observe.Missing && !w.early():
		return Verdict{State: Never, Text: "unknown whether it stopped: " + w.now.Quoted()}
	default:
		return Verdict{State: NotYet, Text: w.says()}
	}
}

// ready evaluates the application's own log, because monit reports OK long before the application
// is ready (measured: restart-slow-app, 20 s). A log may have one of several names. tail then shows
// the file that exists, and exits with code 1 because the others do not.
func ready(r remote.Result, before []byte, since time.Time) Verdict {
	v := Verdict{State: NotYet, Seen: before}
	old, known := recall(before)
	if known {
		v.OldPID, v.NewPID = 0, old.PID
	}
	log := observe.ReadLog(r.Stdout.String(), since.Add(-observe.ClockSlack))
	switch {
	case known && old.Already:
		v.State, v.Text = Met, "it was running before, so there is no new RUNNING to wait for"
	case r.Outcome != remote.Answered:
		v.State, v.Text = Unknown, "the log could not be read: "+complaint.NotAnswered(r)
	case r.Exit != 0 && log.Last.IsZero():
		v.Text = "the log could not be read: " + complaint.Of(r)
	default:
		v.State, v.Text = readiness(log)
	}
	return v
}

// readiness evaluates the lines that an application has logged since its restart.
func readiness(l observe.Log) (State, string) {
	switch {
	case l.Word == "RUNNING":
		return Met, "ready: RUNNING in its log, " + l.Counted() + " since"
	case l.Word != "":
		return NotYet, fmt.Sprintf("the last state in its log is %s, with %s since then", l.Word, l.Counted())
	case l.Undated > 0 && l.Last.IsZero():
		return NotYet, "the times in its log have no zone, so they cannot be compared"
	case l.Last.IsZero():
		return NotYet, "its log has no readable line"
	default:
		return NotYet, "its log has no RUNNING since the start; " + l.Counted()
	}
}
