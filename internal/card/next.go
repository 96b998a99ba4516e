package card

import (
	"slices"
	"time"

	"dhbot/internal/command"
	"dhbot/internal/incident"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// ChangeTap returns a button that requests a change, after a confirmation.
func ChangeTap(verb string, at runbooks.Target, cluster, impact string) Button {
	return Button{
		Action: TapCommand, Label: UpperFirst(verb) + " on " + at.Host + "…", Style: Danger,
		Value: command.On(verb, at.Process, at.Host, cluster).Encode(),
		Confirm: &Confirm{
			Title: UpperFirst(verb) + " " + at.String() + " · " + cluster + "?",
			Text:  "Impact: " + impact,
			Yes:   "Ask for it",
			No:    "Back",
		},
	}
}

// logsBefore is how long before a failure the shown log begins.
const logsBefore = 5 * time.Minute

// LogsTap returns a button that shows a process's log from shortly before its failure. If the
// time of the failure is unknown, the button shows the last half hour. If the process has no
// application log, the button sets no start time. The result is nil if the process has no logs
// action.
func LogsTap(p catalogs.Process, at runbooks.Target, cluster string, failed time.Time) []Button {
	if !slices.Contains(p.Actions, "logs") {
		return nil
	}
	label, f := "Logs", command.On("logs", at.Process, at.Host, cluster)
	switch {
	case len(p.Logs.App) == 0:
	case failed.IsZero():
		label, f.Params = "Logs, 30 min", map[string]string{"since": "30m"}
	default:
		label, f.Params = "Logs since then", map[string]string{"since": failed.Add(-logsBefore).UTC().Format("2006-01-02T15:04")}
	}
	return []Button{CommandTap(label, f)}
}

func NeedsTap(at runbooks.Target, cluster string) Button {
	return CommandTap("Dependencies", command.On("deps", at.Process, at.Host, cluster))
}

func WatchTap(s incident.Scope) Button {
	return CommandTap("👁 Watch", ScopeFields("watch", s))
}

// ScopeFields returns the command that applies a verb to the process, host or cluster of a scope.
func ScopeFields(verb string, s incident.Scope) command.Fields {
	return command.On(verb, s.Process, s.Host, s.Cluster)
}
