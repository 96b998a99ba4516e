package probe

import (
	"fmt"
	"time"

	"dhbot/runbooks"
)

const (
	// logWindow is how far back errors in a log count: as far as one file of
	// it reaches (deephaven.io ops-guide/logs/app-log-files).
	logWindow = 15 * time.Minute
	// startGrace is how long after its start a process may log errors:
	// authentication errors in the Configuration Server's log are normal then
	// (server-installation-20200121.md:298).
	startGrace = 2 * time.Minute
	// heartbeat is how old the last line of a log may be for its process to be
	// alive: it says ALIVE more often than that. By itself such a line proves
	// nothing, since a process that has just died has one too.
	heartbeat = 2 * time.Minute
)

// LogSince is the moment from which errors in a process's log count, by the
// bot's clock.
func LogSince(o Observation, now time.Time) time.Time {
	since := now.Add(-logWindow)
	if up, ok := atLeast(o.Uptime); ok {
		// An uptime counts whole minutes, so this start is the latest there
		// can have been.
		if settled := o.At.Add(-up + startGrace); settled.After(since) {
			return settled
		}
	}
	return since
}

// WithLog completes a finding with what the process's log says since LogSince
// (ReadLog): running with errors is Sev 3, and a log that goes on tells that a
// process runs which its supervisor does not watch. before is the last line that
// an earlier look saw while nobody watched the process, zero where there was
// none: only a line after it proves that the log goes on.
func WithLog(f Finding, o Observation, e Expect, log Log, since, before time.Time) Finding {
	if log.Last.IsZero() || e.Maintenance {
		return f
	}
	fresh := log.Word != "SHUTTING_DOWN" && o.At.Sub(log.Last) < heartbeat
	switch o.State {
	case Up, Trouble:
		f.logged(e, log, since)
	case NotMonitored, Missing:
		switch {
		case fresh && !before.IsZero() && log.Last.After(before):
			f.unsupervised(o, e, log)
		case fresh:
			f.Text += fmt.Sprintf(". The last line of its log is of %s: look again in a minute, and if the log has gone on, it runs", clock(log.Last))
		}
	case Starting, Stopping, Recovering, Down, Failed:
		f.Text += ". Last line of its log " + clock(log.Last)
		if log.FirstError != "" {
			f.Text += ": " + log.FirstError
		}
	case Unseen:
	default:
	}
	return f
}

// logged adds the errors of a process that runs.
func (f *Finding) logged(e Expect, log Log, since time.Time) {
	if log.First.After(since) {
		since = log.First // what was read reaches no further back
	}
	f.Text += fmt.Sprintf(". %s in its log since %s", capital(log.errors()), clock(since))
	if log.Errors+log.Fatals == 0 {
		return
	}
	f.Text += ": " + log.FirstError
	if f.Severity == runbooks.None && !e.Spare {
		f.both(runbooks.Low, "Running with errors in its log")
		f.Evidence.Line = log.FirstError
	}
}

// unsupervised is the last row of the key's 2: up with its configuration
// missing. That nobody watches a process is read as such.
func (f *Finding) unsupervised(o Observation, e Expect, log Log) {
	headline := "Running without supervision"
	if !e.Up && !e.Spare {
		headline = "Up when it should be down"
	}
	f.both(runbooks.Moderate, headline)
	f.Text = fmt.Sprintf("%s. Its log goes on (last line %s), so it runs; %s does not watch it and will not start it again", quoted(o), clock(log.Last), o.Manager)
	f.Evidence.Line = "last line of its log " + clock(log.Last)
}

// clock is a time of day in the zone of the logs.
func clock(t time.Time) string { return t.UTC().Format("15:04:05 UTC") }
