package probe

import (
	"fmt"
	"strings"
	"time"

	"dhbot/runbooks"
)

// Expect is what is known of a process beforehand.
type Expect struct {
	// Up says that the process should be up now (fleet.Cluster.ShouldBeUp).
	Up bool
	// Spare says that up and down are both fine: nothing needs the process
	// (process-runbooks.md:704, "If etcd is used for ACLs, then this process
	// is not necessary").
	Spare bool
	// Maintenance says that people work on it: whatever its supervisor says
	// is no incident.
	Maintenance bool
	// Level is the level of the process's own outage (the catalog's).
	Level runbooks.Severity
	// Since is when the process was first seen not up, by the bot's clock;
	// zero when this is the first look.
	Since time.Time
	// Grace is how long being started may take before it counts as down: a
	// cycle of the supervisor and the start time-out. Zero means
	// DefaultGrace.
	Grace time.Duration
}

// DefaultGrace is monit's default cycle on Debian, 120 s, and a start time-out
// of 60 s: the runbooks wait "about two minutes" for a status after a restart
// (server-installation-20200121.md, "Patch").
const DefaultGrace = 3 * time.Minute

// Evidence is what a finding rests on.
type Evidence struct {
	Command string `json:"command,omitempty"` // filled in by who asked
	Line    string `json:"line"`
	// Collected is when the supervisor itself last looked, in its words.
	Collected string    `json:"collected,omitempty"`
	At        time.Time `json:"at"` // when the answer had arrived
}

// Finding is an observation judged by the incident key.
type Finding struct {
	// Severity is the number that counts: where the process is down and
	// should be up, the level of its own outage; Unknown where it could not
	// be told.
	Severity runbooks.Severity `json:"severity"`
	// Condition is the number by the letter of the incident key. It differs
	// from Severity for a process whose own outage is not critical.
	Condition runbooks.Severity `json:"condition"`
	// Might is, when Severity is Unknown, the level it might be.
	Might runbooks.Severity `json:"might"`
	// Headline is the finding in a few words, Text in a sentence or two.
	Headline string `json:"headline"`
	Text     string `json:"text"`
	// Recovering says that the process is on its way up or down: look again.
	Recovering bool     `json:"recovering,omitempty"`
	Evidence   Evidence `json:"evidence"`
}

// Assess judges an observation by the incident key (process-runbooks.md:8-15):
// 0 up as expected, or down as scheduled; 1 down when it should be up, which
// counts with the process's own level; 2 up when it should be down, or up with
// its configuration missing; 3 up with trouble. What could not be told is
// Unknown and names the level it might be.
func Assess(o Observation, e Expect) Finding {
	f := Finding{Evidence: Evidence{Line: o.Line, Collected: o.Collected, At: o.At}}
	f.Text = quoted(o)
	if e.Maintenance && o.Known() {
		f.both(runbooks.None, capital(o.State.String())+", in maintenance")
		return f
	}
	if o.Pending != "" {
		f.unknown(e, "Asked to "+o.Pending, quoted(o)+": asked for and not finished; look again")
		f.Recovering = true
		return f
	}
	switch o.State {
	case Up:
		f.up(o, e)
	case Trouble:
		f.trouble(o, e)
	case Down, Failed, Missing:
		f.down(o, e)
	case Starting, Recovering, Stopping:
		f.changing(o, e)
	case NotMonitored:
		if e.Spare {
			f.both(runbooks.None, "Not monitored, and not needed")
			break
		}
		f.unknown(e, "Not monitored",
			"Not monitored: stopped by hand, given up after repeated failures, or running without supervision; monit alone cannot tell which")
	default:
		f.unknown(e, "Could not be observed", o.Why)
	}
	return f
}

// quoted is the supervisor's own word, as evidence in a sentence.
func quoted(o Observation) string {
	text := fmt.Sprintf("%s: %q", o.Manager, o.Status)
	if o.Trouble != "" && o.Trouble != o.Status {
		text += " (" + o.Trouble + ")"
	}
	return text
}

// unknown names the level it might be: down when it should be up, up when it
// should be down, or, where down is no incident, up with trouble.
func (f *Finding) unknown(e Expect, headline, text string) {
	f.Severity, f.Condition = runbooks.Unknown, runbooks.Unknown
	switch {
	case e.Maintenance, e.Spare:
		f.Might = runbooks.Low
	case e.Up:
		f.Might = e.outage()
	default:
		f.Might = runbooks.Moderate
	}
	f.Headline, f.Text = headline, text
}

func (f *Finding) both(s runbooks.Severity, headline string) {
	f.Severity, f.Condition, f.Headline = s, s, headline
}

func (f *Finding) up(o Observation, e Expect) {
	switch {
	case !e.Up && !e.Spare:
		f.both(runbooks.Moderate, "Up when it should be down")
	case o.ConfigMissing != "":
		f.both(runbooks.Moderate, "Up with its configuration missing")
		f.Text += ". " + o.ConfigMissing
	case e.Spare:
		f.both(runbooks.None, "Running, and not needed")
	default:
		f.both(runbooks.None, "Running")
	}
}

// trouble is 3 by the letter of the key, also where a port does not answer:
// for users that is an outage, so it stands in the first words.
func (f *Finding) trouble(o Observation, e Expect) {
	if !e.Up && !e.Spare {
		f.both(runbooks.Moderate, "Up when it should be down, with trouble")
		return
	}
	f.both(runbooks.Low, "Running with trouble")
	if portSilent(o) {
		f.Headline = "Port not answering"
		f.Text += ". The process runs and does not answer on its port: for its users it is down"
	}
}

func (f *Finding) down(o Observation, e Expect) {
	switch {
	case e.Spare:
		f.both(runbooks.None, "Down, and not needed")
		return
	case !e.Up:
		f.both(runbooks.None, "Down as scheduled")
		return
	}
	f.Severity, f.Condition = e.outage(), runbooks.Critical
	f.Headline = "Down when it should be up"
	switch o.State {
	case Failed:
		f.Text += ". It could not be started; the supervisor may try again"
	case Missing:
		f.Headline = "Not known to " + string(o.Manager)
		f.Text = fmt.Sprintf("%s answers that it has no service called %s on this host, though it should run here. %s", o.Manager, o.Service, whereConfigured(o.Manager))
	}
}

// changing is not an incident before the grace is over. A process that monit
// has just started again shows "Does not exist" for a whole cycle although it
// already runs; one that never gets further is down.
func (f *Finding) changing(o Observation, e Expect) {
	grace := e.Grace
	if grace <= 0 {
		grace = DefaultGrace
	}
	if (e.Up || e.Spare) && o.State != Stopping && !e.Since.IsZero() && o.At.Sub(e.Since) > grace {
		f.down(o, e)
		f.Text += fmt.Sprintf(". So for %s, longer than a start takes", o.At.Sub(e.Since).Round(time.Second))
		return
	}
	headline := map[State]string{Starting: "Recovering: being started", Recovering: "Recovering: just started again", Stopping: "Being stopped"}[o.State]
	f.unknown(e, headline, quoted(o)+": not up yet, or not seen to be; look again")
	f.Recovering = true
}

// whereConfigured says where to look for the configuration of a service that
// its supervisor does not know.
func whereConfigured(m runbooks.Manager) string {
	if m == runbooks.Monit {
		// process-runbooks.md:496-502: monit does not read NAME.conf.disabled.
		return "Its monit file is missing, or disabled by the ending .disabled; if it should not run here, take it out of the host's processes in the config"
	}
	return "Its unit file is missing; if it should not run here, take it out of the host's processes in the config"
}

// capital begins a sentence with one of our own words.
func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// outage is the process's own level. A catalog always states one; should it
// not, an outage counts as critical.
func (e Expect) outage() runbooks.Severity {
	if e.Level == runbooks.Unknown {
		return runbooks.Critical
	}
	return e.Level
}
