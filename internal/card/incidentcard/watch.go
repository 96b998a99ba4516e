package incidentcard

import (
	"fmt"
	"strings"
	"time"

	"dhbot/auth"
	"dhbot/internal/card"
	"dhbot/internal/card/statuscard"
	"dhbot/internal/command"
	"dhbot/internal/incident"
	"dhbot/internal/status"
	"dhbot/runbooks"
)

// Following is the main message of a watch: the state, the end of the watch, and recent changes.
// Changes of severity are posted in its thread. The argument interval is the time between two
// queries.
func Following(f incident.Follow, b status.Board, interval time.Duration) card.Card {
	c := statuscard.Status(b)
	lines := []card.Line{{card.T("👁 Watched until "), untilOf(f), card.T(" for "), card.P(f.Person, f.Account)}}
	lines = append(lines, latelyLines(f)...)
	c.Body = append([]card.Element{card.Text{Lines: lines}}, c.Body...)
	c.Push += " · watched"
	end := card.ScopeFields("watch", f.Scope)
	end.Params = map[string]string{command.ParamLength: command.LengthEnd}
	stop := card.CommandTap("Stop watching", end)
	c.Buttons = append(withoutTap(c.Buttons, f.Scope.Command("watch")), stop)
	c.Foot = append(
		c.Foot,
		card.Line{
			card.T(
				"Checked every " + card.Duration(interval) + ". This message shows the current state; changes of severity are posted in the thread",
			),
		},
	)
	return c
}

// FollowEnded replaces Following at the end of the watch.
func FollowEnded(f incident.Follow) card.Card {
	why := f.Why
	if why == "" {
		why = "time is up"
	}
	level := "not checked"
	head := card.Line{card.T("👁 "), card.B("Watch ended"), card.T(" · " + f.Scope.String() + " · " + why)}
	c := card.Card{Head: head, Push: "👁 Watch ended · " + f.Scope.String() + " · " + why}
	seen := card.Line{card.T("Not checked yet")}
	if f.Settled {
		level = "last seen " + card.SeverityIcon(f.Worst) + " " + f.Worst.String()
		seen = card.Line{
			card.T("Last seen "),
			card.T(card.SeverityIcon(f.Worst) + " "),
			card.B(f.Worst.String()),
			card.T(" at "),
			card.At(f.Looked),
		}
	}
	c.Push += " · " + level
	c.Body = card.Paragraphs(append([]card.Line{seen}, latelyLines(f)...))
	c.Buttons = []card.Button{
		card.CommandTap("Status now", card.ScopeFields("status", f.Scope)),
		card.CommandTap("👁 Watch again", card.ScopeFields("watch", f.Scope)),
	}
	c.Foot = []card.Line{{card.T("watched from "), card.At(f.Began), card.T(" for "), card.P(f.Person, auth.Account{})}}
	return c
}

// untilOf returns the end of a watch, with the date if the watch is longer than
// 12 hours.
func untilOf(f incident.Follow) card.Span {
	return card.Span{Kind: card.When, At: f.Until, Clock: f.Until.Sub(f.Began) <= 12*time.Hour}
}

// latelyLines lists the last changes, the newest first.
func latelyLines(f incident.Follow) []card.Line {
	var out []card.Line
	for i := len(f.Lately) - 1; i >= 0; i-- {
		c := f.Lately[i]
		out = append(
			out, card.Line{
				card.At(c.Since),
				card.T(" " + card.SeverityIcon(c.To) + " "),
				card.B(c.Target.String()),
				card.T(" · " + c.To.String() + " · " + c.Headline),
			},
		)
	}
	return out
}

// withoutTap removes the watch buttons, and the button with the given value.
func withoutTap(list []card.Button, value string) []card.Button {
	var out []card.Button
	for _, b := range list {
		if b.Value != value && !strings.HasPrefix(b.Value, "watch ") {
			out = append(out, b)
		}
	}
	return out
}

// WatchedElsewhere tells the requester that the message of their watch is in
// another channel.
func WatchedElsewhere(f incident.Follow) card.Card {
	text := fmt.Sprintf(
		"👁 Watching %s for %s. The message is in the channel that terminal.channel in the config names, or in the audit channel if terminal.channel is not set. `%s end` ends the watch.",
		f.Scope,
		card.Duration(f.Until.Sub(f.Began)),
		f.Scope.Command("watch"),
	)
	return card.Notice(text)
}

// WatchedLonger reports a new end of an existing watch.
func WatchedLonger(f incident.Follow) card.Card {
	return card.Card{
		Push: "👁 " + f.Scope.String() + " is already watched here; the end has changed", Private: true,
		Head: card.Line{card.T("👁 "), card.B(f.Scope.String()), card.T(" is already watched here. New end: "), untilOf(f)},
	}
}

// WatchesEnded confirms the end of n watches.
func WatchesEnded(n int, s incident.Scope) card.Card {
	text := fmt.Sprintf("👁 No longer watched: %s", s)
	if n > 1 {
		text = fmt.Sprintf("👁 %d watches of %s ended", n, s)
	}
	return card.Notice(text)
}

// Watches lists the current watches.
func Watches(list []incident.StoredFollow, now time.Time) card.Card {
	hint := card.Line{card.C("watch db_dis 30m"), card.T(" shows the state of a process in one message")}
	if len(list) == 0 {
		return card.Card{Push: "Nothing is watched", Head: card.Line{card.T("👁 "), card.B("Nothing is watched")}, Foot: []card.Line{hint}}
	}
	what := fmt.Sprintf("%d watched", len(list))
	c := card.Card{Push: "👁 " + what, Head: card.Line{card.T("👁 "), card.B(what)}, Foot: []card.Line{hint}}
	var lines []card.Line
	for _, f := range list {
		level := f.Worst
		if !f.Settled {
			level = runbooks.Unknown
		}
		lines = append(
			lines, card.Line{
				card.T(card.SeverityIcon(level) + " "),
				card.B(f.Scope.String()),
				card.T(" · " + level.String() + " · until "),
				untilOf(f.Follow),
				card.T(fmt.Sprintf(" (%s left) for %s", card.Duration(f.Until.Sub(now)), f.Person)),
			},
		)
	}
	c.Body = card.Paragraphs(lines)
	return c
}

// Length formats a duration as people type it in commands, such as 12h.
func Length(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dm", d/time.Minute)
}

// Changed reports one change in the thread of a watch or an incident: the new and the old state,
// when it changed, and the command that was sent to the host. The number n makes duplicates
// visible. If a problem changes to a worse level, this is also shown in the channel, because few
// people follow the thread of a minor problem.
func Changed(c incident.Change, n int, cluster string) card.Card {
	head := changeHead(c)
	out := card.Card{
		Push: card.Clip(fmt.Sprintf("%s %s · %s · %s", card.LevelIcon(c.To, c.WorstCase), head, c.Target, cluster), card.PushMost),
		Head: card.Line{card.T(card.LevelIcon(c.To, c.WorstCase) + " "), card.B(head), card.T(" · " + c.Target.String() + " · " + cluster)},
	}
	out.Body = card.Paragraphs(changeLines(c))
	out.Broadcast = c.To != runbooks.None && c.From != runbooks.None && c.To.Worse(c.From)
	foot := card.Line{card.T(fmt.Sprintf("state change %d", n))}
	if c.Command != "" {
		foot = append(foot, card.T(" · "), card.C(c.Command))
	}
	out.Foot = []card.Line{foot}
	return out
}

func changeHead(c incident.Change) string {
	switch {
	case c.Flaps > 0:
		return fmt.Sprintf("Flapping · %s · %d changes", card.LevelWords(c.To, c.WorstCase), c.Flaps)
	case c.Over():
		return "Resolved · " + c.Headline
	case c.From == c.To:
		return card.UpperFirst(c.To.String()) + " · no longer flapping"
	default:
		return card.UpperFirst(card.LevelWords(c.To, c.WorstCase)) + " · " + c.Headline
	}
}

// changeLines returns when a change happened, the previous level, and the
// reason.
func changeLines(c incident.Change) []card.Line {
	first := card.Line{card.T("In this state since "), card.At(c.Since)}
	if c.Flaps > 0 {
		first = card.Line{card.T("Flapping since "), card.At(c.Since), card.T(": no more alerts until the state has been stable for a while")}
	}
	if c.From != c.To {
		first = append(first, card.T(" · was "+card.SeverityIcon(c.From)+" "+c.From.String()))
		if !c.Was.IsZero() {
			first = append(first, card.T(" for "+card.Duration(c.Since.Sub(c.Was))))
		}
	}
	lines := []card.Line{first}
	if c.Text != "" {
		lines = append(lines, card.Line{card.T(c.Text)})
	}
	return lines
}
