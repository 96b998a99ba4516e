package observe

import (
	"fmt"
	"strings"
	"time"

	"dhbot/runbooks"
)

// Expect is what the bot expects of a process, and what it knows from earlier observations.
type Expect struct {
	// Up reports whether the process should be up now (fleet.Cluster.ShouldBeUp).
	Up bool
	// Optional means that the process may be up or down, because no other process depends on it
	// (process-runbooks.md:704, "If etcd is used for ACLs, then this process is not necessary").
	Optional bool
	// Maintenance means that people work on the process, so nothing that its supervisor reports is
	// an incident.
	Maintenance bool
	// Level is the severity of the process's own outage, from the catalog.
	Level runbooks.Severity
	// Since is when the process was first observed down, by the bot's clock; zero at the first
	// observation.
	Since time.Time
	// Stopped names the requester of the run that stopped the process, "" if no run did.
	Stopped string
	// Loop is set if the process crashes repeatedly.
	Loop *Loop
	// StartFailed means that the last attempt to start the process failed. A process that is
	// starting again then counts as down at once, because it is not expected to be up soon.
	StartFailed bool
	// Cycle is the time between two checks by the host's monit, 0 if unknown.
	Cycle time.Duration
	// Grace is how long a process may be starting before it counts as down: one cycle of the
	// supervisor plus the start time-out. Zero means DefaultGrace.
	Grace time.Duration
}

// DefaultGrace is the sum of monit's default cycle on Debian, 120 s, and a start time-out of 60 s.
// The runbooks wait "about two minutes" for a status after a restart
// (server-installation-20200121.md, "Patch").
const DefaultGrace = 3 * time.Minute

// DefaultCycle is the time between two checks by monit with Debian's default settings.
const DefaultCycle = 2 * time.Minute

// StaleAfter returns the age above which monit's status does not count: two cycles, but at least a
// minute. If the cycle is unknown, it uses DefaultCycle.
func StaleAfter(cycle time.Duration) time.Duration {
	if cycle <= 0 {
		cycle = DefaultCycle
	}
	return max(2*cycle, time.Minute)
}

// Loop is a process that crashes and restarts repeatedly.
type Loop struct {
	Restarts int       // the observed restarts
	Since    time.Time // the time of the first restart
}

// Evidence is the basis of a finding.
type Evidence struct {
	Command string `json:"command,omitempty"` // set by the caller
	Line    string `json:"line"`
	// Collected is the time of the supervisor's own check, in its own format.
	Collected string    `json:"collected,omitempty"`
	At        time.Time `json:"at"` // when the answer arrived
}

// Finding is the result of evaluating an observation with the incident key.
type Finding struct {
	// Severity is the severity of the incident. For a process that is down and should be up it is
	// the level of the process's outage; it is Unknown if it could not be determined.
	Severity runbooks.Severity `json:"severity"`
	// Condition is the severity that the text of the incident key gives. It differs from Severity
	// for a process whose own outage is not critical.
	Condition runbooks.Severity `json:"condition"`
	// WorstCase is the worst possible level if Severity is Unknown.
	WorstCase runbooks.Severity `json:"might"`
	// Code identifies the finding for programs. It is stable; the text may change.
	Code Code `json:"code"`
	// Headline is the finding in a few words, Text in one or two sentences.
	Headline string `json:"headline"`
	Text     string `json:"text"`
	// Down means that the process was observed not to run or not to serve, expected or not.
	Down bool `json:"down,omitempty"`
	// Changing means that the process is starting or stopping. Recovering means that it may still
	// need time for this, so the process should be checked again.
	Changing   bool `json:"changing,omitempty"`
	Recovering bool `json:"recovering,omitempty"`
	// Loop marks a crash loop, which needs several observations.
	Loop bool `json:"loop,omitempty"`
	// LogErrors means that the finding is only about errors in the log.
	LogErrors bool     `json:"log_errors,omitempty"`
	Evidence  Evidence `json:"evidence"`
}

// Assess evaluates an observation with the incident key (process-runbooks.md:8-15). By the key, a
// process has severity 0 if it is up as expected or down as scheduled, 1 if it is down and should
// be up, 2 if it is up and should be down or has no configuration, and 3 if it is up with trouble.
// In place of 1, Severity has the level of the process's outage from the catalog. If the state
// could not be determined, Severity is Unknown, and WorstCase is the worst possible level.
func Assess(o Observation, e Expect) Finding {
	f := Finding{Evidence: Evidence{Line: o.Line, Collected: o.Collected, At: o.At}}
	f.Text = o.Quoted()
	if e.Maintenance && o.Known() {
		f.both(runbooks.None, FoundInMaintenance, capital(o.State.String())+", in maintenance")
		f.Down = o.State == Down || o.State == Failed || o.State == Missing || o.Alive == AliveGone
		return f
	}
	if o.Pending != "" {
		f.pending(o, e)
		return f
	}
	if e.Loop != nil && o.Known() && o.State != Missing && (e.Up || e.Optional) {
		f.looping(o, e)
		return f
	}
	switch o.State {
	case Up, Trouble:
		switch {
		case o.Alive == AliveGone:
			f.ended(o, e)
		case o.stale(e.Cycle):
			f.unknown(e, FoundUnproved, "Not confirmed to be running", o.Quoted()+fmt.Sprintf(", as of %s ago; it is not known whether pid %d still runs", o.Age.Round(time.Second), o.PID))
		case o.State == Up:
			f.up(o, e)
		default:
			f.trouble(o, e)
		}
	case Down, Failed, Missing:
		if o.State == Missing && o.Alive == AliveProved {
			f.withoutSupervision(o, e, fmt.Sprintf("Pid %d, seen before, still runs", o.PID))
			break
		}
		f.down(o, e)
	case Starting, Recovering, Stopping:
		f.changing(o, e)
	case NotMonitored:
		f.notMonitored(o, e)
	default:
		f.unknown(e, FoundUnseen, "Could not be observed", o.Why)
	}
	return f
}

// stale reports whether monit's data is too old or of unknown age, and nothing else proves that the
// process runs. Data of systemd is never too old, because systemd reports each change at once.
func (o Observation) stale(cycle time.Duration) bool {
	return o.Manager == runbooks.Monit && o.Alive != AliveProved && (!o.AgeKnown || o.Age > StaleAfter(cycle))
}

// pending handles a request to monit that is not finished. If it lasts longer than a start may
// take, the finding says that it was not done.
func (f *Finding) pending(o Observation, e Expect) {
	f.unknown(e, FoundPending, "Asked to "+o.Pending, o.Quoted()+": requested and not finished; check again")
	f.Changing, f.Recovering = true, true
	if lasted := o.At.Sub(e.Since); !e.Since.IsZero() && lasted > e.grace() {
		f.Recovering = false
		f.Headline = fmt.Sprintf("Asked to %s %s ago, but not done", o.Pending, lasted.Round(time.Second))
		f.Text = o.Quoted() + ". Its " + o.Pending + " hangs, or monit is busy with another process; monit's log on the host shows which"
	}
}

// looping handles a process that is up between two crashes. It counts as down, and other processes
// that depend on it see it as down too.
func (f *Finding) looping(o Observation, e Expect) {
	if e.Optional {
		f.both(runbooks.Low, FoundLoop, "Crash loop (optional)")
	} else {
		f.both(runbooks.Critical, FoundLoop, "Crash loop")
		f.Severity = e.outage()
	}
	f.Loop = true
	f.Down = true
	f.Headline += fmt.Sprintf(": %d restarts in %s", e.Loop.Restarts, o.At.Sub(e.Loop.Since).Round(time.Second))
	f.Text += fmt.Sprintf(". It has been crashing and restarting since %s; the first FATAL or ERROR in its log shows why", clock(e.Loop.Since))
}

// ended handles a process that ended before its supervisor noticed.
func (f *Finding) ended(o Observation, e Expect) {
	f.down(o, e)
	f.Text += fmt.Sprintf(", but pid %d no longer exists: the process has ended, and %s has not noticed yet", o.PID, o.Manager)
	if o.AgeKnown {
		f.Text += fmt.Sprintf(" (its last check was %s before)", o.Age.Round(time.Second))
	}
}

// notMonitored handles monit's status "Not monitored". The process may be stopped, or monit may
// have given it up, or it may run without monitoring (measured: unmonitored). The pid that the bot
// saw earlier, or the run that stopped the process, shows whether it runs. Without both, the result
// is Unknown, unless the process is optional.
func (f *Finding) notMonitored(o Observation, e Expect) {
	switch {
	case o.Alive == AliveProved:
		f.withoutSupervision(o, e, fmt.Sprintf("Pid %d, seen before, still runs", o.PID))
	case e.Optional:
		f.both(runbooks.None, FoundNotMonitored, "Not monitored (optional)")
		f.Down = o.Alive == AliveGone
	case e.Stopped != "":
		f.down(o, e)
	case o.Alive == AliveGone:
		f.down(o, e)
		f.Text += fmt.Sprintf(". Pid %d, seen before, has ended: it was stopped by hand, or given up after repeated failures", o.PID)
	default:
		f.unknown(e, FoundNotMonitored, "Not monitored",
			"Not monitored: stopped by hand, given up after repeated failures, or running without supervision; monit alone cannot tell which")
	}
}

// unknown sets Severity to Unknown, and WorstCase to the worst possible level: a process that
// should be up is down, or a process that should be down is up. During maintenance, or if the
// process is optional, being down is no incident, and the worst case is trouble.
func (f *Finding) unknown(e Expect, code Code, headline, text string) {
	f.Severity, f.Condition = runbooks.Unknown, runbooks.Unknown
	switch {
	case e.Maintenance, e.Optional:
		f.WorstCase = runbooks.Low
	case e.Up:
		f.WorstCase = e.outage()
	default:
		f.WorstCase = runbooks.Moderate
	}
	f.Code, f.Headline, f.Text = code, headline, text
}

func (f *Finding) both(s runbooks.Severity, code Code, headline string) {
	f.Severity, f.Condition = s, s
	f.Code = code
	f.Headline = headline
}

func (f *Finding) up(o Observation, e Expect) {
	switch {
	case !e.Up && !e.Optional:
		f.both(runbooks.Moderate, FoundUnwanted, "Up when it should be down")
	case o.ConfigMissing != "":
		f.both(runbooks.Moderate, FoundUnconfigured, "Up with its configuration missing")
		f.Text += ". " + o.ConfigMissing
	case e.Optional:
		f.both(runbooks.None, FoundRunning, "Running (optional)")
	default:
		f.both(runbooks.None, FoundRunning, "Running")
	}
}

// trouble sets severity 3, as the incident key says, even if a port does not answer. The headline
// then names the port, because for users this is an outage. Trouble of a process that should be
// down is severity 2.
func (f *Finding) trouble(o Observation, e Expect) {
	if !e.Up && !e.Optional {
		f.both(runbooks.Moderate, FoundUnwanted, "Up when it should be down, with trouble")
		return
	}
	f.both(runbooks.Low, FoundTrouble, "Running with trouble")
	if f.Down = o.PortSilent(); f.Down {
		f.Code = FoundPortSilent
		f.Headline = "Port not answering"
		f.Text += ". The process runs but does not answer on its port: for users it is down"
	}
}

func (f *Finding) down(o Observation, e Expect) {
	f.Down = true
	switch {
	case e.Optional:
		f.both(runbooks.None, FoundDown, "Down (optional)")
		return
	case !e.Up:
		f.both(runbooks.None, FoundScheduled, "Down as scheduled")
		return
	}
	f.both(runbooks.Critical, FoundDown, "Down when it should be up")
	f.Severity = e.outage()
	if e.Stopped != "" && o.State != Missing {
		f.Code = FoundStopped
		f.Headline = "Stopped by " + e.Stopped
		return
	}
	switch o.State {
	case Failed:
		f.Text += ". " + capital(o.FailedNote())
	case Missing:
		f.Code = FoundNotKnown
		f.Headline = "Not known to " + string(o.Manager)
		f.Text = fmt.Sprintf("%s has no service called %s on this host, although the config lists the process here. %s", o.Manager, o.Service, whereConfigured(o.Manager))
	default:
		if o.Note != "" {
			f.Text += ". " + capital(o.Note)
		}
	}
}

// changing handles a process that is starting or stopping. Within the grace time it is not an
// incident. After a restart, monit shows "Does not exist" for a whole cycle although the process
// runs. After the grace time the process counts as down. This includes a process that does not
// stop, because it serves no requests.
func (f *Finding) changing(o Observation, e Expect) {
	f.Changing = true
	if e.StartFailed && o.State != Stopping && (e.Up || e.Optional) {
		f.down(o, e)
		f.Text += fmt.Sprintf(". %s, after a failed start; the first ERROR in its logs shows why", capital(o.State.String()))
		return
	}
	if so := o.since(e); (e.Up || e.Optional) && so > e.grace() {
		f.down(o, e)
		longer := "longer than a start takes"
		if o.State == Stopping {
			longer = "longer than a stop takes: it neither serves requests nor exits"
		}
		f.Text += fmt.Sprintf(". %s for %s, %s", capital(o.State.String()), so.Round(time.Second), longer)
		return
	}
	headline := map[State]string{
		Starting:   "Recovering: being started",
		Recovering: "Recovering: just started again",
		Stopping:   "Being stopped",
	}[o.State]
	f.unknown(e, FoundChanging, headline, o.Quoted()+": not up yet, or not yet observed; check again")
	f.Recovering = true
}

// since returns how long a process has been starting or stopping: the time since the bot first
// observed this, or the time that systemd reports if that is longer.
func (o Observation) since(e Expect) time.Duration {
	var so time.Duration
	if !e.Since.IsZero() {
		so = o.At.Sub(e.Since)
	}
	if o.Manager == runbooks.Systemd {
		if says, ok := AtLeast(o.Uptime); ok {
			so = max(so, says)
		}
	}
	return so
}

func (e Expect) grace() time.Duration {
	if e.Grace > 0 {
		return e.Grace
	}
	return DefaultGrace
}

// whereConfigured names the place of a service's configuration, for a service that its supervisor
// does not know.
func whereConfigured(m runbooks.Manager) string {
	if m == runbooks.Monit {
		// process-runbooks.md:496-502: monit does not read NAME.conf.disabled.
		return "The monit file of the process is missing, or disabled by the ending .disabled. If the process should not run here, remove it from the host's processes in the config"
	}
	return "The unit file of the process is missing. If the process should not run here, remove it from the host's processes in the config"
}

// capital is s with an upper-case first letter; s is one of the bot's own texts, in ASCII.
func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// outage is the level of the process's own outage. Every catalog gives a level; without a level,
// an outage counts as critical.
func (e Expect) outage() runbooks.Severity {
	if e.Level == runbooks.Unknown {
		return runbooks.Critical
	}
	return e.Level
}
