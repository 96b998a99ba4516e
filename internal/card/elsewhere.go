package card

import (
	"fmt"

	"dhbot/internal/engine"
)

// AskedElsewhere tells the requester that a run is stored, where its message
// stands in another channel than the one they asked in.
func AskedElsewhere(r engine.Run) Card {
	what := r.ID + " is asked for: " + runTitle(r)
	return Card{
		Push: what, Head: Line{T("⏳ "), B(what)}, Private: true,
		Body: []Element{Text{Lines: []Line{
			{T("Its message, with the buttons, stands where those who may approve it look. "), C("show " + r.ID), T(" tells here how it is.")},
		}}},
	}
}

// ShownElsewhere tells the requester that their run is shown in the audit
// channel, at link, because the channel they asked in takes no messages.
func ShownElsewhere(r engine.Run, link string) Card {
	what := fmt.Sprintf("%s · %s is shown in the audit channel", r.ID, runTitle(r))
	l := Line{T("Slack does not let me post in the channel you asked in, so the card is in the audit channel")}
	if link != "" {
		l = append(l, T(": "), L("open it", link))
	}
	if r.State == engine.Waiting {
		l = append(l, T(". The approvers were called there."))
	}
	return Card{Push: what, Head: Line{T("📍 "), B(what)}, Private: true, Body: []Element{Text{Lines: []Line{l}}}}
}

// Unseen tells the requester that no channel shows their run.
func Unseen(r engine.Run, withdrawn bool) Card {
	what := fmt.Sprintf("%s · %s: %s", r.ID, runTitle(r), stateWord(r))
	text := "Slack lets me post neither in the channel you asked in nor in the audit channel, so only you see this."
	if withdrawn {
		text += " Nobody could have approved it, so I withdrew it; nothing was run. Ask again where I may post."
	} else {
		text += " Type show " + r.ID + " to see how it is."
	}
	return Card{Push: what, Head: Line{T("⚠️ "), B(what)}, Private: true, Body: []Element{Text{Lines: []Line{{T(text)}}}}}
}

func stateWord(r engine.Run) string {
	if r.State == engine.Waiting {
		return "not shown to anybody"
	}
	return string(r.State)
}

// DoneElsewhere answers a person who typed about a run in another channel than
// the one that shows it.
func DoneElsewhere(r engine.Run, verb, link string) Card {
	what := fmt.Sprintf("%s %s: taken. %s", verb, r.ID, upperFirst(runTitle(r)))
	l := Line{T("Its card shows what becomes of it")}
	if link != "" {
		l = append(l, T(": "), L("open it", link))
	} else {
		l = append(l, T("; "), C("show "+r.ID), T(" shows it here"))
	}
	return Card{Push: what, Head: Line{T("✔️ "), B(what)}, Private: true, Body: []Element{Text{Lines: []Line{l}}}}
}

// WindowNotOpened says that a form did not open, and what to type instead.
func WindowNotOpened(typed string) Card {
	text := "The window did not open in time; nothing was done."
	return Card{
		Push: text, Head: Line{T("⌛ " + text)}, Private: true,
		Body: []Element{Text{Lines: []Line{{T("Tap again, or type "), C(typed)}}}},
	}
}
