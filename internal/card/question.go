package card

import (
	"strings"

	"dhbot/internal/command"
	"dhbot/internal/refusal"
)

// Question answers a text that is not a command. It says why, and has a button for each similar
// command. If that command changes something, the button asks for confirmation.
func Question(q *command.Question) Card {
	texts := make([]string, len(q.Choices))
	for i, c := range q.Choices {
		texts[i] = c.Text
	}
	out := DidYouMean(q.Text, texts)
	for _, c := range q.Choices[:min(MostTaps, len(q.Choices))] {
		if c.Fields.Run != "" && c.Changes {
			continue // the card of the run has buttons for these verbs
		}
		out.Buttons = append(out.Buttons, choiceTap(c))
	}
	return out
}

func choiceTap(c command.Choice) Button {
	b := CommandTap(Clip(c.Text, 70), c.Fields)
	if c.Changes {
		reason := "No reason given."
		if c.Fields.Reason != "" {
			reason = "Reason: “" + c.Fields.Reason + "”."
		}
		b.Label += "…"
		b.Confirm = &Confirm{Title: Clip(UpperFirst(c.Text), 90) + "?", Text: reason, Yes: "Ask for it", No: "Back"}
	}
	return b
}

// LeftOut names the read that was answered, and the typed words that were ignored.
func LeftOut(answered string, left []string, choices []command.Choice) Card {
	text := "Answered: " + answered + ". Ignored: " + strings.Join(left, ", ") + "."
	c := Card{
		Push:    text,
		Head:    Line{T("✂️ "), T("Answered: "), C(answered), T(". Ignored: "), C(strings.Join(left, ", "))},
		Private: true,
	}
	for _, choice := range choices[:min(MostTaps, len(choices))] {
		if !choice.Changes {
			c.Buttons = append(c.Buttons, choiceTap(choice))
		}
	}
	return c
}

// EditedRunsNothing tells a person who edited a message into a command that edited messages run
// nothing.
func EditedRunsNothing() Card {
	const text = "Edited messages run nothing. Send the command as a new message."
	return Card{Push: text, Head: Line{T("✏️ " + text)}, Private: true}
}

// Refused shows a refusal.
func Refused(no *refusal.Error) Card {
	c := Refusal(no.Text)
	c.Code = no.Code
	return c
}

// Notice is a line that only one person sees.
func Notice(text string) Card {
	return Card{Push: text, Head: Line{T(text)}, Private: true}
}

// Refusal reports that nothing was done.
func Refusal(text string) Card {
	return Notice("🚫 " + text)
}

// DidYouMean names an unknown word and similar commands.
func DidYouMean(text string, commands []string) Card {
	c := Notice("🤔 " + text)
	if len(commands) == 0 {
		c.Body = append(c.Body, Text{Lines: []Line{{T("Nothing was run. "), C("help"), T(" lists what I understand.")}}})
		return c
	}
	const most = 5
	if len(commands) > most {
		commands = commands[:most]
	}
	lines := []Line{{T("Nothing was run. Did you mean:")}}
	for _, cmd := range commands {
		lines = append(lines, Line{C(cmd)})
	}
	c.Push += " Did you mean " + strings.Join(commands, ", ") + "?"
	c.Body = append(c.Body, Text{Lines: lines})
	return c
}
