package observe

import (
	"fmt"
	"time"

	"dhbot/runbooks"
)

const (
	// logWindow is how far back errors count: from now or, if the process is down or its start
	// failed, from the last line of its log. One log file covers this time (deephaven.io
	// ops-guide/logs/app-log-files).
	logWindow = 15 * time.Minute
	// startGrace is the time after the start of a process in which errors in its log do not count.
	// For example, authentication errors in the Configuration Server's log are normal then
	// (server-installation-20200121.md:298).
	startGrace = 2 * time.Minute
	// heartbeat is the greatest age of the last log line of a live process, because a live process
	// logs ALIVE more often. A recent line alone proves nothing, because the log of a process that
	// has just died also has a recent line.
	heartbeat = 2 * time.Minute
)

// LogSince is the time from which errors in a process's log count, by the bot's clock.
func LogSince(o Observation, now time.Time) time.Time {
	since := now.Add(-logWindow)
	if !o.Started.IsZero() {
		if settled := o.Started.Add(startGrace); settled.After(since) {
			return settled
		}
		return since
	}
	if up, ok := AtLeast(o.Uptime); ok {
		// An uptime counts whole minutes, so this is the latest possible start.
		if settled := o.At.Add(-up + startGrace); settled.After(since) {
			return settled
		}
	}
	return since
}

// LogLook is the result of reading a process's log once.
type LogLook struct {
	Span  LogSpan   // this read and earlier ones
	Log   Log       // the relevant lines
	Since time.Time // errors count from this time on
	// Early is the log between the start of the process and Since. Errors are normal in that
	// time, so only fatal errors count.
	Early Log
	// Before is the time of the last line that an earlier read found while the process was not
	// monitored; zero for none.
	Before time.Time
	At     time.Time // when the log was read, by the bot's clock
}

// LookAt selects the lines of a log that count for a process.
func (s LogSpan) LookAt(o Observation, at time.Time) LogLook {
	look := LogLook{Span: s, Since: LogSince(o, at), At: at}
	if end := s.Last.Add(-logWindow); (o.State == Down || o.State == Failed) && end.Before(look.Since) {
		look.Since = end // the end of the log shows why the process ended, however long ago
	}
	look.Log = s.Since(look.Since)
	if started := o.Started; !started.IsZero() && started.Before(look.Since) && look.Since.Sub(started) <= startGrace {
		early := s
		early.Events = nil
		for _, e := range s.Events {
			if e.At.Before(look.Since) {
				early.Events = append(early.Events, e)
			}
		}
		look.Early = early.Since(early.began(started))
		look.Log.Fatals += look.Early.Fatals
		if look.Log.FirstError == "" && look.Early.Fatals > 0 {
			look.Log.FirstError = look.Early.FirstError
		}
	}
	return look
}

// began is when the log of a process begins: the time of its INITIALIZING line or, without such a
// line, the start of the process minus ClockSlack.
func (s LogSpan) began(started time.Time) time.Time {
	from := started.Add(-ClockSlack)
	for _, e := range s.Events {
		if e.Word == "INITIALIZING" && e.At.After(from) && e.At.Before(started.Add(startGrace)) {
			from = e.At
		}
	}
	return from
}

// WithLog completes a finding with the process's log. Running with errors is Sev 3. A log that
// grows shows that a process runs without its supervisor. A log that ends with SHUTTING_DOWN
// shows that the process does not run. Only a line after look.Before proves growth.
func WithLog(f Finding, o Observation, e Expect, look LogLook) Finding {
	log := look.Log
	if log.Last.IsZero() || e.Maintenance {
		return f
	}
	switch o.State {
	case Up, Trouble:
		f.logged(e, look)
	case NotMonitored, Missing:
		fresh := log.Word != "SHUTTING_DOWN" && o.At.Sub(log.Last) < heartbeat
		switch {
		case f.Severity != runbooks.Unknown && o.State == NotMonitored:
			f.Text += ". Last line of its log " + clock(log.Last)
		case fresh && !look.Before.IsZero() && log.Last.After(look.Before):
			f.withoutSupervision(o, e, fmt.Sprintf("Its log is still growing (last line %s), so it runs", clock(log.Last)))
			f.Evidence.Line = "last line of its log " + clock(log.Last)
		case fresh:
			f.Text += fmt.Sprintf(". The last line of its log is from %s: check again in a minute; if the log has grown, the process runs", clock(log.Last))
		case log.Word == "SHUTTING_DOWN" && o.State == NotMonitored:
			f.Text = o.Quoted()
			f.down(o, e)
			f.Text += fmt.Sprintf(". Its log has SHUTTING_DOWN at %s and no start since", clock(log.At))
		default:
			f.Text += ". Last line of its log " + clock(log.Last)
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

// logged adds the errors of a running process. The text names only the period that was read, in the
// times of the log.
func (f *Finding) logged(e Expect, look LogLook) {
	log := look.Log
	from := look.Since
	if log.First.After(from) {
		from = log.First // the read begins later
	}
	n := log.Errors + log.Fatals
	switch {
	case n == 0 && from.After(log.Last) && look.Early.Errors > 0:
		f.Text += fmt.Sprintf(". %s in its log in the first %d min after its start, up to %s: normal then, and not counted",
			capital(look.Early.Counted()), int(startGrace.Minutes()), clock(log.Last))
	case n == 0 && from.After(log.Last):
		f.Text += ". Its log was read up to " + clock(log.Last)
	default:
		f.Text += fmt.Sprintf(". %s in its log from %s to %s", capital(log.Counted()), clock(earlier(from, log.Last)), clock(log.Last))
	}
	if n > 0 {
		f.Text += ": " + log.FirstError
	}
	if look.Since.After(look.At.Add(-logWindow)) {
		f.Text += fmt.Sprintf(". Not counted: the first %d min after its start", int(startGrace.Minutes()))
	}
	if n == 0 {
		return
	}
	if f.Severity == runbooks.None && !e.Optional {
		f.both(runbooks.Low, FoundErrors, "Running with errors in its log")
		f.Evidence.Line = log.FirstError
		f.LogErrors = true
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// withoutSupervision rates a process that runs without supervision as severity 2. In the incident
// key this is the last condition of that severity, "up with its configuration missing". The
// argument why is a sentence for the text of the finding: how the bot knows that the process
// runs.
func (f *Finding) withoutSupervision(o Observation, e Expect, why string) {
	f.both(runbooks.Moderate, FoundUnsupervised, "Running without supervision")
	if !e.Up && !e.Optional {
		f.both(runbooks.Moderate, FoundUnwanted, "Up when it should be down")
	}
	f.Down = false
	f.Text = fmt.Sprintf("%s. %s; %s does not monitor it and will not start it again", o.Quoted(), why, o.Manager)
}

// clock formats a time of day in the zone of the logs.
func clock(t time.Time) string { return t.UTC().Format("15:04:05 UTC") }
