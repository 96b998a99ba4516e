package card

import (
	"fmt"
	"slices"
	"time"

	"dhbot/internal/probe"
	"dhbot/internal/watch"
	"dhbot/runbooks"
)

// nextTaps offer what a person would type next about a process that is not
// well: to bring it back, to read its log, to see what it needs, to follow it.
// What is in work offers nothing that changes it.
func nextTaps(b Board, p runbooks.Process) []Button {
	for _, r := range b.Rows {
		if r.Pending || r.severity() == runbooks.None {
			continue
		}
		at := runbooks.Target{Process: p.ID, Host: r.Host}
		var out []Button
		if verb := NextVerb(r); verb != "" {
			out = append(out, changeTap(verb, at, b.Cluster, p.Impact))
		} else if r.InWork == "" {
			out = append(out, Button{Action: TapCommand, Label: "About " + p.ID, Value: fmt.Sprintf("help %s in %s", p.ID, b.Cluster)})
		}
		if r.Observation.Known() {
			out = append(out, logsTap(p, at, b.Cluster, time.Time{})...)
		}
		if len(p.Needs) > 0 {
			out = append(out, needsTap(at, b.Cluster))
		}
		return append(out, watchTap(watch.Scope{Cluster: b.Cluster, Process: p.ID, Host: r.Host}))
	}
	return nil
}

// NextVerb is what brings a process back, "" where nothing that can be asked
// for is an answer to what was found: somebody works on it, nobody could look,
// or the supervisor does not know the process.
func NextVerb(r Row) string {
	verb := "restart"
	switch r.Observation.State {
	case probe.Unseen, probe.Missing:
		return ""
	case probe.NotMonitored:
		verb = "start"
	default:
	}
	if r.InWork != "" || !slices.Contains(r.Process.Actions, verb) {
		return ""
	}
	return verb
}

// changeTap asks for a change, after a question.
func changeTap(verb string, at runbooks.Target, cluster, impact string) Button {
	return Button{
		Action: TapCommand, Label: upperFirst(verb) + " on " + at.Host + "…", Style: Danger,
		Value:   fmt.Sprintf("%s %s in %s", verb, at, cluster),
		Confirm: &Confirm{Title: upperFirst(verb) + " " + at.String() + " · " + cluster + "?", Text: "While it lasts: " + impact, Yes: "Ask for it", No: "Back"},
	}
}

// logsBefore is how much of a log before a failure is of interest.
const logsBefore = 5 * time.Minute

// logsTap reads a process's log: where it can be read by time from a little
// before it was seen to fail, or else, where nobody knows when that was, of the
// last half hour.
func logsTap(p runbooks.Process, at runbooks.Target, cluster string, failed time.Time) []Button {
	if !slices.Contains(p.Actions, "logs") {
		return nil
	}
	b := Button{Action: TapCommand, Label: "Logs", Value: fmt.Sprintf("logs %s in %s", at, cluster)}
	switch {
	case len(p.Logs.App) == 0:
	case failed.IsZero():
		b.Label, b.Value = "Logs, 30 min", b.Value+" since=30m"
	default:
		b.Label, b.Value = "Logs since then", b.Value+" since="+failed.Add(-logsBefore).UTC().Format("2006-01-02T15:04")
	}
	return []Button{b}
}

func needsTap(at runbooks.Target, cluster string) Button {
	return Button{Action: TapCommand, Label: "What it needs", Value: fmt.Sprintf("deps %s in %s", at, cluster)}
}

func watchTap(s watch.Scope) Button {
	return Button{Action: TapCommand, Label: "👁 Watch", Value: s.Command("watch")}
}
