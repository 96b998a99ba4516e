package runcard

import (
	"fmt"

	"dhbot/internal/card"
	"dhbot/internal/engine"
)

// AskedElsewhere tells the requester that their run is stored, and that its message is in the
// approvers' channel.
func AskedElsewhere(r engine.Run) card.Card {
	what := r.ID + " requested: " + RunTitle(r)
	return card.Card{
		Push: what, Head: card.Line{card.T("⏳ "), card.B(what)}, Private: true,
		Body: []card.Element{card.Text{Lines: []card.Line{
			{
				card.T("The message of the run, with the buttons, is in another channel: the one that terminal.channel in the config names, or the audit channel if terminal.channel is not set. "),
				card.C("show " + r.ID),
				card.T(" shows its state here."),
			},
		}}},
	}
}

// ShownElsewhere tells the requester that the message of their run is in the audit channel, because
// the bot may not post in the channel of the request. link is the URL of that message, "" if
// unknown.
func ShownElsewhere(r engine.Run, link string) card.Card {
	what := fmt.Sprintf("%s · %s is shown in the audit channel", r.ID, RunTitle(r))
	l := card.Line{card.T("Slack does not let me post in the channel you asked in, so the card is in the audit channel")}
	if link != "" {
		l = append(l, card.T(": "), card.L("open it", link))
	}
	if r.State == engine.Waiting {
		l = append(l, card.T(". The approvers were mentioned there."))
	}
	return card.Card{
		Push:    what,
		Head:    card.Line{card.T("📍 "), card.B(what)},
		Private: true,
		Body:    []card.Element{card.Text{Lines: []card.Line{l}}},
	}
}

// Unseen tells the requester that no channel shows their run, because the bot may not post.
// withdrawn means that the bot withdrew the run.
func Unseen(r engine.Run, withdrawn bool) card.Card {
	what := fmt.Sprintf("%s · %s: %s", r.ID, RunTitle(r), stateWord(r))
	text := "Slack lets me post neither in the channel you asked in nor in the audit channel, so only you see this."
	if withdrawn {
		text += " No one could have approved it, so I cancelled it; nothing was run. Ask again in a channel where I may post."
	} else {
		text += " Type show " + r.ID + " to see its state."
	}
	return card.Card{
		Push:    what,
		Head:    card.Line{card.T("⚠️ "), card.B(what)},
		Private: true,
		Body:    []card.Element{card.Text{Lines: []card.Line{{card.T(text)}}}},
	}
}

func stateWord(r engine.Run) string {
	if r.State == engine.Waiting {
		return "not shown to anyone"
	}
	return string(r.State)
}

// DoneElsewhere confirms a command that a person typed outside the channel of the run's message.
func DoneElsewhere(r engine.Run, verb, link string) card.Card {
	what := fmt.Sprintf("%s %s: recorded. %s", verb, r.ID, card.UpperFirst(RunTitle(r)))
	l := card.Line{card.T("The card of the run shows the progress")}
	if link != "" {
		l = append(l, card.T(": "), card.L("open it", link))
	} else {
		l = append(l, card.T("; "), card.C("show "+r.ID), card.T(" shows it here"))
	}
	return card.Card{
		Push:    what,
		Head:    card.Line{card.T("✔️ "), card.B(what)},
		Private: true,
		Body:    []card.Element{card.Text{Lines: []card.Line{l}}},
	}
}

// WindowNotOpened reports that a form did not open, and names the command to type instead.
func WindowNotOpened(typed string) card.Card {
	text := "The window did not open in time; nothing was done."
	return card.Card{
		Push: text, Head: card.Line{card.T("⌛ " + text)}, Private: true,
		Body: []card.Element{card.Text{Lines: []card.Line{{card.T("Tap again, or type "), card.C(typed)}}}},
	}
}
