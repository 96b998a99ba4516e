package runcard

import (
	"fmt"
	"strings"

	"dhbot/internal/card"
	"dhbot/internal/engine"
)

// calledLines names the approver who is reviewing a waiting run, and those who were notified. It
// mentions the latter only if call is set, because an edit of a message must mention no one.
func calledLines(r engine.Run, call bool) []card.Line {
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
		return append(lines, CallLine(called, "approve or deny"))
	case len(r.Reminders) > 0:
		return append(lines, card.Line{card.T("Notified: " + calleeNames(called) + " · reminded "), card.At(at)})
	default:
		return append(lines, card.Line{card.T("Notified: " + calleeNames(called))})
	}
}

// lookingLines names the approvers who are reviewing a run and have not voted.
func lookingLines(r engine.Run) []card.Line {
	if l := r.Looking; l != nil && !voted(r, l.Person) {
		return []card.Line{{card.T("👀 "), card.B(l.Person), card.T(" has been looking since "), card.At(l.At)}}
	}
	return nil
}

// CallLine mentions people and asks them to do what please names, for example "approve or deny".
func CallLine(called []engine.Callee, please string) card.Line {
	l := card.Line{card.T("🔔 ")}
	for i, c := range called {
		if i > 0 {
			l = append(l, card.T(" "))
		}
		l = append(l, card.P(c.Person, c.Account))
	}
	return append(l, card.T(": please "+please))
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

// Reminder is a message in a run's thread that asks people to vote, or explains why it mentions no
// one. It shows its number n, so that people notice a duplicate.
func Reminder(r engine.Run, n int, called []engine.Callee) card.Card {
	head := fmt.Sprintf("Reminder %d of %d · %s still waits: %s", n, engine.MaxReminders, r.ID, votesWanted(r))
	c := card.Card{
		Push: "⏰ " + card.Clip(head+" · "+RunTitle(r)+" · "+r.Plan.Severity.String(), card.PushMost),
		Head: card.Line{card.T("⏰ "), card.B(head), card.T(" · expires "), card.At(r.VoteBy)},
	}
	what := card.Line{card.T(card.UpperFirst(RunTitle(r)) + " · " + r.Plan.Severity.String())}
	c.Body = card.Paragraphs(append([]card.Line{what}, askedLines(r)...))
	switch {
	case len(called) > 0:
		c.Body = append(c.Body, card.Text{Lines: []card.Line{CallLine(called, "approve or deny")}})
	case r.Looking != nil:
		c.Body = append(
			c.Body, card.Text{Lines: []card.Line{{
				card.T("👀 "),
				card.B(r.Looking.Person),
				card.T(" has been looking since "),
				card.At(r.Looking.At),
				card.T(", so no one is mentioned."),
			}}},
		)
	}
	c.Foot = []card.Line{
		{
			card.T("The buttons are on the message of " + r.ID + ". Or type "),
			card.C("approve " + r.ID + " " + Target(r)),
			card.T(", or "),
			card.C("deny " + r.ID + " REASON"),
			card.T("."),
		},
	}
	return c
}

// Reminded replaces a reminder after the run stopped waiting for votes.
func Reminded(r engine.Run, n int) card.Card {
	text := fmt.Sprintf("Reminder %d of %d · %s: %s", n, engine.MaxReminders, r.ID, voteEnd(r))
	return card.Card{Push: "✔️ " + text, Head: card.Line{card.T("✔️ " + text)}, Foot: []card.Line{{card.T(RunTitle(r))}}}
}

// voteEnd is how the voting ended.
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

// ApprovalEnds is a message in a run's thread, ten minutes before the approval expires. It mentions
// the approvers, or the requester of a run without votes.
func ApprovalEnds(r engine.Run, called []engine.Callee) card.Card {
	end, _ := r.ValidUntil()
	left := "1 remaining step stops something or moves on to a new target. If this step has not started by "
	if n := r.ValidityLeft(); n != 1 {
		left = fmt.Sprintf("%d remaining steps stop something or move on to a new target. If one of them has not started by ", n)
	}
	head := fmt.Sprintf("%s: the approval ends soon", r.ID)
	c := card.Card{
		Push: "⏰ " + card.Clip(head+" · "+RunTitle(r)+" · "+r.Plan.Severity.String(), card.PushMost),
		Head: card.Line{card.T("⏰ "), card.B(r.ID + ": the approval ends at "), card.At(end)},
		Body: card.Paragraphs([]card.Line{
			{card.T(card.UpperFirst(RunTitle(r)) + " · " + r.Plan.Severity.String())},
			{
				card.T(left), card.At(end),
				card.T(", the run stops before it, and the rest needs a new approval. Even after that time, the bot completes changes that have begun, and starts again what the run has stopped."),
			},
		}),
	}
	if len(called) > 0 {
		l := card.Line{card.T("🔔 ")}
		for i, p := range called {
			if i > 0 {
				l = append(l, card.T(" "))
			}
			l = append(l, card.P(p.Person, p.Account))
		}
		why := ": you approved this run"
		if len(r.Votes) == 0 {
			why = ": you asked for this run"
		}
		c.Body = append(c.Body, card.Text{Lines: []card.Line{append(l, card.T(why))}})
	}
	return c
}

// ApprovalEnded replaces the message ApprovalEnds when the run is over.
func ApprovalEnded(r engine.Run) card.Card {
	sign, _ := headline1(r)
	text := fmt.Sprintf("%s %s: %s", sign, r.ID, r.State.Words())
	return card.Card{Push: text, Head: card.Line{card.T(text)}, Foot: []card.Line{{card.T(RunTitle(r))}}}
}

// validLine shows when the run's approval expires, as long as steps still need the approval.
func validLine(r engine.Run) []card.Line {
	end, approved := r.ValidUntil()
	if !approved || r.Needed() == 0 || r.State.Ended() || r.State == engine.Unknown || r.ValidityLeft() == 0 {
		return nil
	}
	return []card.Line{{card.T("Approval valid until "), card.At(end)}}
}

// Looking confirms to an approver that the run's message now shows them as a reviewer.
func Looking(r engine.Run) card.Card {
	text := fmt.Sprintf("👀 %s shows that you are looking. The next reminder mentions no one. The last reminder (number %d) always mentions the approvers. The request still needs a decision: approve or deny.", r.ID, engine.MaxReminders)
	return card.Notice(text)
}

// unlikeLastTime warns that a plan differs from the previous plan. The details list the
// differences.
func unlikeLastTime(r engine.Run) []card.Line {
	if r.Last == nil || len(r.Last.Differs) == 0 {
		return nil
	}
	return []card.Line{{card.T("⚠️ "), card.B("Not the same plan as last time"), card.T(": see Details")}}
}

// lastTimeLines lists the differences from the previous plan.
func lastTimeLines(r engine.Run) []card.Line {
	l := r.Last
	switch {
	case l == nil:
		return nil
	case l.ID == "" && l.Among == 0:
		return nil
	case l.ID == "":
		return []card.Line{{card.B("Last time: "), card.T(fmt.Sprintf("not found among the last %s.", card.Count(l.Among, "run")))}}
	}
	head := card.Line{
		card.B("Last time: "),
		card.B(l.ID),
		card.T(" " + l.State.Words() + " "),
		card.DayAt(l.At),
		card.T(", asked by " + l.Asked),
	}
	if len(l.Differs) == 0 {
		return []card.Line{append(head, card.T(" · the same plan"))}
	}
	lines := []card.Line{append(head, card.T(" · differences:"))}
	for _, d := range l.Differs {
		lines = append(lines, card.Line{card.T("• " + d)})
	}
	return lines
}
