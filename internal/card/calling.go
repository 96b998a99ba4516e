package card

import (
	"fmt"
	"strings"

	"dhbot/internal/engine"
)

// calledLines are who looks at a run that waits for votes, and who was called
// to. Only where call is set are they mentioned, so that an edit mentions no one.
func calledLines(r engine.Run, call bool) []Line {
	lines := lookingLines(r)
	called, at := r.Called, r.RequestedAt
	if n := len(r.Reminders); n > 0 && !call {
		at = r.Reminders[n-1].At
		if list := r.Reminders[n-1].Called; len(list) > 0 {
			called = list
		}
	}
	switch {
	case len(called) == 0:
		return lines
	case call:
		return append(lines, callLine(called))
	case len(r.Reminders) > 0:
		return append(lines, Line{T("Notified: " + calleeNames(called) + " · reminded "), At(at)})
	default:
		return append(lines, Line{T("Notified: " + calleeNames(called))})
	}
}

// lookingLines name who looks at a run and has not voted.
func lookingLines(r engine.Run) []Line {
	if l := r.Looking; l != nil && !voted(r, l.Person) {
		return []Line{{T("👀 "), B(l.Person), T(" is looking since "), At(l.At)}}
	}
	return nil
}

// callLine calls people by name.
func callLine(called []engine.Callee) Line {
	l := Line{T("🔔 ")}
	for i, c := range called {
		if i > 0 {
			l = append(l, T(" "))
		}
		l = append(l, P(c.Person, c.Account))
	}
	return append(l, T(": please approve or deny"))
}

func calleeNames(list []engine.Callee) string {
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = c.Person
	}
	return strings.Join(names, ", ")
}

func voted(r engine.Run, person string) bool {
	for _, v := range r.Votes {
		if v.Person == person {
			return true
		}
	}
	return false
}

// Reminder stands beside a run's message and calls people to vote, or says why
// it does not. Its number tells it from one that was posted twice.
func Reminder(r engine.Run, n int, called []engine.Callee) Card {
	head := fmt.Sprintf("Reminder %d of %d · %s still waits: %s", n, engine.MaxReminders, r.ID, votesWanted(r))
	c := Card{
		Push: "⏰ " + clip(head+" · "+runTitle(r)+" · "+r.Plan.Severity.String(), pushMost),
		Head: Line{T("⏰ "), B(head), T(" · expires "), At(r.VoteBy)},
	}
	what := Line{T(upperFirst(runTitle(r)) + " · " + r.Plan.Severity.String())}
	c.Body = paragraphs(append([]Line{what}, askedLines(r)...))
	switch {
	case len(called) > 0:
		c.Body = append(c.Body, Text{Lines: []Line{callLine(called)}})
	case r.Looking != nil:
		c.Body = append(
			c.Body, Text{Lines: []Line{{
				T("👀 "),
				B(r.Looking.Person),
				T(" is looking since "),
				At(r.Looking.At),
				T(", so nobody is called."),
			}}},
		)
	}
	c.Foot = []Line{{T("Its buttons are on its own message. As a command: "), T("approve " + r.ID + " " + Target(r) + " or deny " + r.ID + " and why.")}}
	return c
}

// Reminded is what is left of a reminder when its run waits for votes no more.
func Reminded(r engine.Run, n int) Card {
	text := fmt.Sprintf("Reminder %d of %d · %s: %s", n, engine.MaxReminders, r.ID, voteEnd(r))
	return Card{Push: "✔️ " + text, Head: Line{T("✔️ " + text)}, Foot: []Line{{T(runTitle(r))}}}
}

// voteEnd is how the waiting for votes ended.
func voteEnd(r engine.Run) string {
	switch {
	case r.State == engine.Denied && r.DenyBy != nil:
		return "denied by " + r.DenyBy.Person
	case r.State == engine.Expired && r.ApprovedAt == nil:
		return "expired"
	case r.State == engine.Cancelled && r.ApprovedAt == nil && r.EndedBy != nil:
		return "cancelled by " + r.EndedBy.Person
	case len(r.Votes) > 0:
		names := make([]string, len(r.Votes))
		for i, v := range r.Votes {
			names[i] = v.Person
		}
		return "approved by " + strings.Join(names, " and ")
	default:
		return string(r.State)
	}
}

// ApprovalEnds stands beside a run's message ten minutes before its approval ends
// and calls its approvers.
func ApprovalEnds(r engine.Run, called []engine.Callee) Card {
	end, _ := r.ValidUntil()
	head := fmt.Sprintf("%s: the approval ends soon", r.ID)
	c := Card{
		Push: "⏰ " + clip(head+" · "+runTitle(r)+" · "+r.Plan.Severity.String(), pushMost),
		Head: Line{T("⏰ "), B(r.ID + ": the approval ends "), At(end)},
		Body: paragraphs([]Line{
			{T(upperFirst(runTitle(r)) + " · " + r.Plan.Severity.String())},
			{T(count(r.ValidityLeft(), "step") + " left to take something down or begin a new target. After the end none of them is begun: the run stops there. What completes a change, or brings back what the run stopped, goes on.")},
		}),
	}
	if len(called) > 0 {
		l := Line{T("🔔 ")}
		for i, p := range called {
			if i > 0 {
				l = append(l, T(" "))
			}
			l = append(l, P(p.Person, p.Account))
		}
		why := ": you approved it"
		if len(r.Votes) == 0 {
			why = ": you asked for it"
		}
		c.Body = append(c.Body, Text{Lines: []Line{append(l, T(why))}})
	}
	return c
}

// ApprovalEnded is what is left of that when the run is over.
func ApprovalEnded(r engine.Run) Card {
	text := fmt.Sprintf("%s: %s", r.ID, r.State)
	return Card{Push: "✔️ " + text, Head: Line{T("✔️ " + text)}, Foot: []Line{{T(runTitle(r))}}}
}

// validLine is until when the approval of a run holds, while steps need it.
func validLine(r engine.Run) []Line {
	end, approved := r.ValidUntil()
	if !approved || r.Needed() == 0 || r.State.Ended() || r.State == engine.Unknown || r.ValidityLeft() == 0 {
		return nil
	}
	return []Line{{T("Approval valid until "), At(end)}}
}

// Looking answers who said that they look at a run; everybody else sees it on
// the run's message.
func Looking(r engine.Run) Card {
	text := fmt.Sprintf("👀 %s shows that you are looking. Reminders paused. It still needs a decision: approve or deny.", r.ID)
	return Card{Push: text, Head: Line{T(text)}, Private: true}
}

// unlikeLastTime warns of a plan that is not the one of last time; what differs
// stands in Details.
func unlikeLastTime(r engine.Run) []Line {
	if r.Last == nil || len(r.Last.Differs) == 0 {
		return nil
	}
	return []Line{{T("⚠️ "), B("Unlike last time"), T(": see Details")}}
}

// lastTimeLines are what is different from last time.
func lastTimeLines(r engine.Run) []Line {
	l := r.Last
	switch {
	case l == nil:
		return nil
	case l.ID == "" && l.Among == 0:
		return nil
	case l.ID == "":
		return []Line{{B("Last time: "), T(fmt.Sprintf("not among the last %s.", count(l.Among, "run")))}}
	}
	head := Line{B("Last time: "), B(l.ID), T(" " + string(l.State) + " "), dayAt(l.At), T(", asked by " + l.Asked)}
	if len(l.Differs) == 0 {
		return []Line{append(head, T(" · the same plan"))}
	}
	lines := []Line{append(head, T(" · this differs:"))}
	for _, d := range l.Differs {
		lines = append(lines, Line{T("• " + d)})
	}
	return lines
}
