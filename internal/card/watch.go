package card

import (
	"fmt"
	"strings"
	"time"

	"dhbot/auth"
	"dhbot/internal/command"
	"dhbot/internal/incident"
	"dhbot/internal/status"
	"dhbot/runbooks"
)

// Following is the one message of a watch: how the thing is, until when it is
// followed, and what has changed lately. every is the time between two looks.
func Following(f incident.Follow, b status.Board, every time.Duration) Card {
	c := Status(b)
	lines := []Line{{T("👁 Watched until "), untilOf(f), T(" for "), P(f.Person, f.Account)}}
	lines = append(lines, latelyLines(f)...)
	c.Body = append([]Element{Text{Lines: lines}}, c.Body...)
	c.Push += " · watched"
	end := scopeFields("watch", f.Scope)
	end.Params = map[string]string{command.ParamLength: command.LengthEnd}
	stop := commandTap("Stop watching", end)
	c.Buttons = append(withoutTap(c.Buttons, f.Scope.Command("watch")), stop)
	c.Foot = append(c.Foot, Line{T("I look every " + span(every) + " and edit this when something changes; severity changes are posted in the thread")})
	return c
}

// FollowEnded is the same message when it is over.
func FollowEnded(f incident.Follow) Card {
	why := f.Why
	if why == "" {
		why = "its time is up"
	}
	level := "nothing was seen"
	head := Line{T("👁 "), B("Watch ended"), T(" · " + f.Scope.String() + " · " + why)}
	c := Card{Head: head, Push: "👁 Watch ended · " + f.Scope.String() + " · " + why}
	seen := Line{T("I have not looked")}
	if f.Settled {
		level = "last seen " + SeverityIcon(f.Worst) + " " + f.Worst.String()
		seen = Line{T("Last seen "), T(SeverityIcon(f.Worst) + " "), B(f.Worst.String()), T(" at "), At(f.Looked)}
	}
	c.Push += " · " + level
	c.Body = paragraphs(append([]Line{seen}, latelyLines(f)...))
	c.Buttons = []Button{
		commandTap("Status now", scopeFields("status", f.Scope)),
		commandTap("👁 Watch again", scopeFields("watch", f.Scope)),
	}
	c.Foot = []Line{{T("watched from "), At(f.Began), T(" for "), P(f.Person, auth.Account{})}}
	return c
}

// untilOf is the end of a watch, with its day where a time of day alone could
// be misread.
func untilOf(f incident.Follow) Span {
	return Span{Kind: When, At: f.Until, Clock: f.Until.Sub(f.Began) <= 12*time.Hour}
}

// latelyLines are the last changes, newest first.
func latelyLines(f incident.Follow) []Line {
	var out []Line
	for i := len(f.Lately) - 1; i >= 0; i-- {
		c := f.Lately[i]
		out = append(
			out, Line{
				At(c.Since),
				T(" " + SeverityIcon(c.To) + " "),
				B(c.Target.String()),
				T(" · " + c.To.String() + " · " + c.Headline),
			},
		)
	}
	return out
}

// withoutTap leaves a button out that says what is done already.
func withoutTap(list []Button, value string) []Button {
	var out []Button
	for _, b := range list {
		if b.Value != value && !strings.HasPrefix(b.Value, "watch ") {
			out = append(out, b)
		}
	}
	return out
}

// WatchedElsewhere tells a person where their watch is, if they do not see it.
func WatchedElsewhere(f incident.Follow) Card {
	text := fmt.Sprintf("👁 Watching %s for %s. The message stands in the channel that the config names for what is asked for elsewhere; `%s end` ends it.", f.Scope, span(f.Until.Sub(f.Began)), f.Scope.Command("watch"))
	return Card{Push: text, Head: Line{T(text)}, Private: true}
}

// WatchedLonger tells of a new end of a watch that there is.
func WatchedLonger(f incident.Follow) Card {
	return Card{
		Push: "👁 " + f.Scope.String() + " is already watched here; the end has changed", Private: true,
		Head: Line{T("👁 "), B(f.Scope.String()), T(" is already watched here. New end: "), untilOf(f)},
	}
}

// WatchesEnded confirms an end.
func WatchesEnded(n int, s incident.Scope) Card {
	text := fmt.Sprintf("👁 No longer watched: %s", s)
	if n > 1 {
		text = fmt.Sprintf("👁 %d watches of %s ended", n, s)
	}
	return Card{Push: text, Head: Line{T(text)}, Private: true}
}

// Watches lists what is followed.
func Watches(list []incident.StoredFollow, now time.Time) Card {
	hint := Line{C("watch db_dis 30m"), T(" follows something in one message")}
	if len(list) == 0 {
		return Card{Push: "Nothing is watched", Head: Line{T("👁 "), B("Nothing is watched")}, Foot: []Line{hint}}
	}
	what := fmt.Sprintf("%d watched", len(list))
	c := Card{Push: "👁 " + what, Head: Line{T("👁 "), B(what)}, Foot: []Line{hint}}
	var lines []Line
	for _, f := range list {
		level := f.Worst
		if !f.Settled {
			level = runbooks.Unknown
		}
		lines = append(
			lines, Line{
				T(SeverityIcon(level) + " "),
				B(f.Scope.String()),
				T(" · " + level.String() + " · until "),
				untilOf(f.Follow),
				T(fmt.Sprintf(" (%s left) for %s", span(f.Until.Sub(now)), f.Person)),
			},
		)
	}
	c.Body = paragraphs(lines)
	return c
}

// Length is a length of time as people type it: 12h.
func Length(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dm", d/time.Minute)
}

// Changed tells the thread of a watch or an incident of one change: what, since
// when, what it was before, and what was asked. n numbers it, so that one that
// is posted twice is marked as such. What has become worse is broadcast: no one
// reads on in the thread of what was a trifle.
func Changed(c incident.Change, n int, cluster string) Card {
	head := changeHead(c)
	out := Card{
		Push: clip(fmt.Sprintf("%s %s · %s · %s", levelIcon(c.To, c.WorstCase), head, c.Target, cluster), pushMost),
		Head: Line{T(levelIcon(c.To, c.WorstCase) + " "), B(head), T(" · " + c.Target.String() + " · " + cluster)},
	}
	out.Body = paragraphs(changeLines(c))
	out.Broadcast = c.To != runbooks.None && c.From != runbooks.None && c.To.Worse(c.From)
	foot := Line{T(fmt.Sprintf("change %d", n))}
	if c.Command != "" {
		foot = append(foot, T(" · "), C(c.Command))
	}
	out.Foot = []Line{foot}
	return out
}

func changeHead(c incident.Change) string {
	switch {
	case c.Flaps > 0:
		return fmt.Sprintf("Flapping · %s · %d changes", levelWords(c.To, c.WorstCase), c.Flaps)
	case c.Over():
		return "Resolved · " + c.Headline
	case c.From == c.To:
		return upperFirst(c.To.String()) + " · flaps no more, and stays so"
	default:
		return upperFirst(levelWords(c.To, c.WorstCase)) + " · " + c.Headline
	}
}

// changeLines say since when, what it was before, and why we think so.
func changeLines(c incident.Change) []Line {
	first := Line{T("First seen so at "), At(c.Since)}
	if c.Flaps > 0 {
		first = Line{T("Flapping since "), At(c.Since), T(": next alert once it has stayed up or down for a while")}
	}
	if c.From != c.To {
		first = append(first, T(" · was "+SeverityIcon(c.From)+" "+c.From.String()))
		if !c.Was.IsZero() {
			first = append(first, T(" for "+span(c.Since.Sub(c.Was))))
		}
	}
	lines := []Line{first}
	if c.Text != "" {
		lines = append(lines, Line{T(c.Text)})
	}
	return lines
}
