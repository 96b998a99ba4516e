package status

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"dhbot/internal/fleet"
	"dhbot/internal/incident"
	"dhbot/internal/observe"
	"dhbot/internal/redact"
	"dhbot/internal/remote"
	"dhbot/runbooks"
)

// seenRunes limits each text in a result, in characters.
const seenRunes = 300

// Look checks a scope for the monitor. It runs few concurrent commands, and returns the result both
// as a board and in the form of the monitor. The function notUp returns since when a target has
// been starting or stopping. Look returns an error if the store does not answer, because the
// effects of runs are then unknown.
func (a *Assessor) Look(ctx context.Context, sc incident.Scope, notUp func(runbooks.Target) time.Time) (Board, []incident.Seen, error) {
	b, err := a.Assess(ctx, Query{Scope: sc, Background: true, NotUp: notUp})
	if err != nil {
		return b, nil, err
	}
	if b.Unrecorded {
		return b, nil, fmt.Errorf("the state store does not answer, so the effects of runs are unknown")
	}
	return b, a.seen(b, sc.Process != ""), nil
}

// seen returns the result of a check in the form of the monitor, with one incident.Seen for each
// target.
//
// A host that could not be queried is one problem, not a problem of each process. If most hosts are
// lost at once, they are one problem too. A process is held back from being an incident if a run
// works on it or if it is down because of a dependency. A target in maintenance is no incident,
// whatever its state. If oneProcess is set, the check is about a single process, which is not held
// back because of other targets.
func (a *Assessor) seen(b Board, oneProcess bool) []incident.Seen {
	var out []incident.Seen
	silent := map[string][]Row{}
	all := map[string]int{}
	for _, r := range b.Rows {
		s := a.seenRow(b, r)
		all[r.Host]++
		if oneProcess {
			s = aboutItself(s)
		} else if s.Hold == "" && r.Maintenance == nil && !r.Observation.Known() {
			silent[r.Host] = append(silent[r.Host], r)
			s.Hold, s.Behind = "not seen: "+r.Host+" could not be queried", []runbooks.Target{{Host: r.Host}}
		}
		out = append(out, s)
	}
	hosts := slices.Sorted(maps.Keys(silent))
	gone := slices.DeleteFunc(slices.Clone(hosts), func(h string) bool { return len(silent[h]) < all[h] || !unreached(silent[h]) })
	together := !oneProcess && len(gone) >= manyHosts && 2*len(gone) >= len(all)
	for _, h := range hosts {
		s := seenHost(b, h, silent[h], all[h])
		if together && slices.Contains(gone, h) {
			s.Hold, s.Behind = "unknown, like most hosts", []runbooks.Target{incident.ManyHosts}
		}
		out = append(out, s)
	}
	if together {
		out = append(out, a.seenNetwork(b, gone, silent))
	}
	for _, h := range b.Hosts {
		if silent[h.Host] != nil {
			continue
		}
		s := incident.Seen{
			Target:   runbooks.Target{Host: h.Host},
			Severity: h.Severity,
			Headline: h.Headline,
			Text:     redact.Line(h.Text, seenRunes),
			At:       b.At,
		}
		if m := b.window(h.Host); m != nil {
			s.Severity, s.Headline = runbooks.None, "In maintenance, announced by "+m.By
		}
		out = append(out, s)
	}
	return out
}

// window returns the current maintenance window of a whole host, or nil.
func (b Board) window(host string) *fleet.Maintenance {
	for _, m := range b.Maintenance {
		if m.IsWindow() && m.Covers(b.Cluster, "", host, b.At) {
			return &m
		}
	}
	return nil
}

// manyHosts is how many hosts must be lost at once to count as one problem. They must also be at
// least half of all hosts.
const manyHosts = 3

// unreached reports whether the bot could not connect to the host of the rows.
func unreached(rows []Row) bool {
	return !slices.ContainsFunc(rows, func(r Row) bool {
		return r.Observation.Outcome != remote.Unreachable && r.Observation.Outcome != remote.TimedOut &&
			r.Observation.Outcome != remote.NoOutcome
	})
}

func (a *Assessor) seenRow(b Board, r Row) incident.Seen {
	s := incident.Seen{
		Target: r.Target(), Severity: r.Severity(), WorstCase: r.WorstCase(),
		Headline: r.Finding.Headline, Text: redact.Line(r.Finding.Text, seenRunes), Command: redact.Line(r.Command, seenRunes),
		Verb:       NextVerb(r),
		At:         b.At,
		Recovering: r.Finding.Recovering,
		Changing:   r.Finding.Changing,
		Proved:     r.Finding.Loop,
		Outage:     r.Finding.Condition == runbooks.Critical,
	}
	switch {
	case r.Held != "":
		s.Hold = "open run: " + r.Held
	case r.Maintenance != nil:
		s.Severity = runbooks.None
		s.Recovering = false
		s.Headline = "In maintenance, announced by " + r.Maintenance.By
	case len(r.Causes) > 0:
		var why []string
		for _, c := range r.Causes {
			why = append(why, c.String())
			for _, h := range c.Hosts {
				s.Behind = append(s.Behind, runbooks.Target{Process: c.Process, Host: h})
			}
		}
		s.Hold = "because " + strings.Join(why, ", and ")
	case r.Stopped != nil && out(r) && b.At.Before(r.Stopped.At.Add(a.Policy.OwnStop)):
		s.Hold = fmt.Sprintf("stopped by %s with %s; no incident is opened for %s after that", r.Stopped.By, r.Stopped.Run, ago(a.Policy.OwnStop))
	case r.Finding.LogErrors && !r.ErrorsHeld:
		s.Severity, s.Headline = runbooks.None, "Errors in its log, too few for an incident"
	case r.Finding.LogErrors:
		s.Headline = fmt.Sprintf("%d or more errors a minute in its log for %s", a.Policy.ErrorRate, ago(a.Policy.ErrorsFor))
	}
	return s
}

// aboutItself changes a result that is held back because of other targets. It removes the Hold, and
// puts the reason into Text instead.
func aboutItself(s incident.Seen) incident.Seen {
	if len(s.Behind) > 0 {
		s.Text = redact.Line(upper(s.Hold)+". "+s.Text, seenRunes)
		s.Hold = ""
		s.Behind = nil
	}
	return s
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// seenHost returns the result about a host on which some processes could not be observed.
func seenHost(b Board, host string, rows []Row, all int) incident.Seen {
	s := incident.Seen{
		Target:    runbooks.Target{Host: host},
		Severity:  runbooks.Unknown,
		WorstCase: worstCase(rows),
		Command:   redact.Line(rows[0].Command, seenRunes),
		At:        b.At,
	}
	var names, why []string
	for _, r := range rows {
		names = append(names, r.Process.ID)
		w := r.Observation.Why
		if r.Pending {
			w = "no answer in time"
		}
		if w = redact.Line(w, seenRunes/2); !slices.Contains(why, w) {
			why = append(why, w)
		}
	}
	s.Headline = fmt.Sprintf("Could not check: %d of %d processes unknown", len(rows), all)
	switch {
	case all == 1:
		s.Headline = "Could not check: " + names[0] + " is unknown"
	case len(rows) == all:
		s.Headline = fmt.Sprintf("Could not check: all %d processes unknown", all)
	case len(rows) == 1:
		s.Headline = fmt.Sprintf("Could not check: %s is unknown", names[0])
	}
	s.Text = redact.Line(strings.Join(names, ", ")+" — "+why[0], seenRunes)
	return s
}

func worstCase(rows []Row) runbooks.Severity {
	worst := runbooks.None
	for _, r := range rows {
		worst = worse(worst, r.WorstCase())
	}
	return worst
}

// seenNetwork returns the result for the loss of most hosts at once. The problem may be the
// network, a jump host, or the bot's own connection.
func (a *Assessor) seenNetwork(b Board, hosts []string, silent map[string][]Row) incident.Seen {
	via := ""
	if a.Jump != "" {
		via = " via " + a.Jump
	}
	s := incident.Seen{
		Target: incident.ManyHosts, Severity: runbooks.Unknown, WorstCase: runbooks.None, At: b.At,
		Headline: fmt.Sprintf("Cannot see %d hosts%s", len(hosts), via),
		Text:     redact.Line(strings.Join(hosts, ", ")+" — "+silent[hosts[0]][0].Observation.Why, seenRunes),
	}
	for _, h := range hosts {
		s.WorstCase = worse(s.WorstCase, worstCase(silent[h]))
	}
	return s
}

// NextVerb returns the command that should repair a process: "restart" or "start". It returns "" if
// a run works on the process, if the process was not observed, if its supervisor does not know it,
// or if the catalog has no such action.
func NextVerb(r Row) string {
	verb := "restart"
	switch r.Observation.State {
	case observe.Unseen, observe.Missing:
		return ""
	case observe.NotMonitored:
		verb = "start"
	case observe.Down:
		if r.Stopped != nil {
			verb = "start"
		}
	default:
	}
	if r.InWork != "" || !slices.Contains(r.Process.Actions, verb) {
		return ""
	}
	return verb
}
