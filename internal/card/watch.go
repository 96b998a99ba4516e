package card

import (
	"fmt"
	"strings"
	"time"

	"dhbot/auth"
	"dhbot/internal/watch"
	"dhbot/runbooks"
)

// Following is the one message of a watch: how the thing is, until when it is
// followed, and what has changed lately. every is the time between two looks.
func Following(f watch.Follow, b Board, every time.Duration) Card {
	c := Status(b)
	lines := []Line{{T("👁 Watched until "), untilOf(f), T(" for "), P(f.Person, f.Account)}}
	lines = append(lines, latelyLines(f)...)
	c.Body = append([]Element{Text{Lines: lines}}, c.Body...)
	c.Push += " · watched"
	stop := Button{Action: TapCommand, Label: "Stop watching", Value: f.Scope.Command("watch") + " end"}
	c.Buttons = append(withoutTap(c.Buttons, f.Scope.Command("watch")), stop)
	c.Foot = append(c.Foot, Line{T("I look every " + span(every) + " and edit this when something changes; a change of severity is told in the thread")})
	return c
}

// FollowEnded is the same message when it is over.
func FollowEnded(f watch.Follow) Card {
	why := f.Why
	if why == "" {
		why = "its time is up"
	}
	level := "nothing was seen"
	head := Line{T("👁 "), B("Watch ended"), T(" · " + f.Scope.String() + " · " + why)}
	c := Card{Head: head, Push: "👁 Watch ended · " + f.Scope.String() + " · " + why}
	seen := Line{T("I have not looked")}
	if f.Settled {
		level = "last seen " + Mark(f.Worst) + " " + f.Worst.String()
		seen = Line{T("Last seen "), T(Mark(f.Worst) + " "), B(f.Worst.String()), T(" at "), At(f.Looked)}
	}
	c.Push += " · " + level
	c.Body = paragraphs(append([]Line{seen}, latelyLines(f)...))
	c.Buttons = []Button{
		{Action: TapCommand, Label: "Status now", Value: f.Scope.Command("status")},
		{Action: TapCommand, Label: "👁 Watch again", Value: f.Scope.Command("watch")},
	}
	c.Foot = []Line{{T("watched from "), At(f.Began), T(" for "), P(f.Person, auth.Account{})}}
	return c
}

// untilOf is the end of a watch, with its day where a time of day alone could
// be misread.
func untilOf(f watch.Follow) Span {
	return Span{Kind: When, At: f.Until, Clock: f.Until.Sub(f.Began) <= 12*time.Hour}
}

// latelyLines are the last changes, newest first.
func latelyLines(f watch.Follow) []Line {
	var out []Line
	for i := len(f.Lately) - 1; i >= 0; i-- {
		c := f.Lately[i]
		out = append(out, Line{At(c.Since), T(" " + Mark(c.To) + " "), B(c.Target.String()), T(" · " + c.To.String() + " · " + c.Headline)})
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

// WatchedElsewhere tells somebody whose watch stands where they do not see it.
func WatchedElsewhere(f watch.Follow) Card {
	text := fmt.Sprintf("👁 Watching %s for %s. The message stands in the channel that the config names for what is asked for elsewhere; `%s end` ends it.", f.Scope, span(f.Until.Sub(f.Began)), f.Scope.Command("watch"))
	return Card{Push: text, Head: Line{T(text)}, Private: true}
}

// WatchedLonger tells of a new end of a watch that there is.
func WatchedLonger(f watch.Follow) Card {
	return Card{
		Push: "👁 " + f.Scope.String() + " is watched here already; its end has moved", Private: true,
		Head: Line{T("👁 "), B(f.Scope.String()), T(" is watched here already, now until "), untilOf(f)},
	}
}

// WatchesEnded confirms an end.
func WatchesEnded(n int, s watch.Scope) Card {
	text := fmt.Sprintf("👁 No longer watched: %s", s)
	if n > 1 {
		text = fmt.Sprintf("👁 %d watches of %s ended", n, s)
	}
	return Card{Push: text, Head: Line{T(text)}, Private: true}
}

// Watches lists what is followed.
func Watches(list []watch.StoredFollow, now time.Time) Card {
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
		lines = append(lines, Line{T(Mark(level) + " "), B(f.Scope.String()), T(" · " + level.String() + " · until "), untilOf(f.Follow), T(fmt.Sprintf(" (%s left) for %s", span(f.Until.Sub(now)), f.Person))})
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
// is told twice is known for that. What has become worse is said aloud: nobody
// reads on in the thread of what was a trifle.
func Changed(c watch.Change, n int, cluster string) Card {
	head := changeHead(c)
	out := Card{
		Push: clip(fmt.Sprintf("%s %s · %s · %s", Mark(c.To), head, c.Target, cluster), pushMost),
		Head: Line{T(Mark(c.To) + " "), B(head), T(" · " + c.Target.String() + " · " + cluster)},
	}
	out.Body = paragraphs(changeLines(c))
	out.Aloud = c.To != runbooks.None && c.From != runbooks.None && c.To.Worse(c.From)
	foot := Line{T(fmt.Sprintf("change %d", n))}
	if c.Command != "" {
		foot = append(foot, T(" · "), C(c.Command))
	}
	out.Foot = []Line{foot}
	return out
}

func changeHead(c watch.Change) string {
	switch {
	case c.Flaps > 0:
		return fmt.Sprintf("Flapping · %s · %d changes", c.To, c.Flaps)
	case c.Over():
		return "Resolved · " + c.Headline
	case c.From == c.To:
		return upperFirst(c.To.String()) + " · flaps no more, and stays so"
	default:
		return upperFirst(c.To.String()) + " · " + c.Headline
	}
}

// changeLines say since when, what it was before, and why we think so.
func changeLines(c watch.Change) []Line {
	first := Line{T("First seen so at "), At(c.Since)}
	if c.Flaps > 0 {
		first = Line{T("Going up and down since "), At(c.Since), T(": told once, until it stays as it is")}
	}
	if c.From != c.To {
		first = append(first, T(" · was "+Mark(c.From)+" "+c.From.String()))
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
