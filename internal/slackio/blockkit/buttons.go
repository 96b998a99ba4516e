package blockkit

import (
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"dhbot/internal/card"
)

// twin separates a button's action from a number. The number makes the action ids in a message
// distinct, as Slack requires, even if two buttons have the same action.
const twin = "~"

// ActionOf returns the card's action from a button's action id, without the number that may
// follow the action.
func ActionOf(id string) string {
	action, _, _ := strings.Cut(id, twin)
	return action
}

// buttons renders the buttons that fit. A button whose value does not fit is left out, because a
// cut value would mean something else.
func (r Renderer) buttons(list []card.Button, m *Meter) []slack.Block {
	p := m.part(buttonsRoom)
	defer m.join(p, buttonsRoom)
	if len(list) == 0 || !p.take(blockCost) {
		return nil
	}
	seen := make(map[string]int)
	var out []slack.BlockElement
	for _, b := range list {
		if b.Action == "" || len(b.Action) > maxActionID-4 || len(b.Value) > maxValue || len(out) == maxButtons {
			p.Cut = true
			continue
		}
		e := button(b, seen[b.Action])
		if !p.take(buttonCost(e)) {
			continue
		}
		seen[b.Action]++
		out = append(out, e)
	}
	if len(out) == 0 {
		return nil
	}
	return []slack.Block{slack.NewActionBlock("", out...)}
}

func button(b card.Button, earlier int) *slack.ButtonBlockElement {
	id := b.Action
	if earlier > 0 {
		id = fmt.Sprintf("%s%s%d", id, twin, earlier+1)
	}
	e := slack.NewButtonBlockElement(id, b.Value, plain(label(b.Label, maxLabel, b.Action)))
	switch b.Style {
	case card.Primary:
		e.Style = slack.StylePrimary
	case card.Danger:
		e.Style = slack.StyleDanger
	}
	if c := b.Confirm; c != nil {
		e.Confirm = slack.NewConfirmationBlockObject(
			plain(label(c.Title, maxConfirmHead, "Sure?")), plain(label(c.Text, MaxConfirmText, "Please confirm.")),
			plain(label(c.Yes, maxConfirmTap, "Yes")), plain(label(c.No, maxConfirmTap, "No")))
		e.Confirm.Style = e.Style
	}
	return e
}

// buttonCost is an upper bound of a button's size as JSON.
func buttonCost(e *slack.ButtonBlockElement) int {
	n := 160 + JsonLen(e.ActionID) + JsonLen(e.Value) + JsonLen(e.Text.Text)
	if c := e.Confirm; c != nil {
		n += 320 + JsonLen(c.Title.Text) + JsonLen(c.Text.Text) + JsonLen(c.Confirm.Text) + JsonLen(c.Deny.Text)
	}
	return n
}

// label returns s, or fallback if s is empty, because Slack accepts no empty label. The label is
// cut to limit runes.
func label(s string, limit int, fallback string) string {
	if s = strings.TrimSpace(Cut(strings.TrimSpace(Clean(s)), limit)); s == "" {
		return Cut(fallback, limit)
	}
	return s
}
