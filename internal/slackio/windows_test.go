package slackio_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"dhbot/handlers/call"
	"dhbot/internal/card"
	"dhbot/internal/sim/slacklocal"
)

// A shortcut opens a window. The command typed there is answered in the thread
// of the message on which the shortcut was used, or, for the global shortcut,
// by direct message.
func TestShortcutsAreAnsweredWhereTheyWereUsed(t *testing.T) {
	t.Parallel()
	h := func(ctx context.Context, m call.Message, r call.Reply) {
		var err error
		switch {
		case m.Tap.Action == card.TapAsk && m.Via == call.Button:
			err = r.Ask(ctx, card.AskCommand("about "+m.Tap.Fields[card.FieldMessage]))
		case m.Tap.Action == card.TapAsk:
			for _, text := range []string{"looking …", "you typed " + m.Tap.Fields["text"]} {
				if err == nil {
					err = r.Show(ctx, say(text))
				}
			}
		default:
			err = r.Show(ctx, say("db_dis is down"))
		}
		if err != nil {
			t.Errorf("%s: %v", m.Via, err)
		}
	}
	w := newWorld(t, h, nil)
	w.slash("operator", "status db_dis")
	m := w.awaitSeen("operator", "db_dis is down")
	use := func(in slacklocal.ShortcutUse, initial string) {
		t.Helper()
		if a, err := w.local.Shortcut(in); err != nil || !a.OK {
			t.Fatalf("the shortcut was answered with %+v, %v", a, err)
		}
		id, blocks := w.form("operator")
		if b, _ := json.Marshal(blocks); !strings.Contains(string(b), initial) {
			t.Errorf("the window lacks %q: %s", initial, b)
		}
		if a, err := w.local.Submit(slacklocal.Submission{User: "operator", ViewID: id, Values: map[string]any{"text": "status it"}}); err != nil || !a.OK {
			t.Fatalf("the submitted window was answered with %+v, %v", a, err)
		}
	}
	use(slacklocal.ShortcutUse{User: "operator", Channel: "incident", TS: m.TS}, `"initial_value":"about db_dis is down"`)
	if got := w.awaitSeen("operator", "you typed status it"); got.ThreadTS != m.TS {
		t.Errorf("answered in thread %q of %q", got.ThreadTS, m.TS)
	}
	use(slacklocal.ShortcutUse{User: "operator"}, `"initial_value":"about "`)
	var direct []slacklocal.Message
	w.await("an answer by direct message", func() bool {
		direct, _ = w.local.Messages("D0OPERATOR", "operator")
		return len(direct) > 0 && strings.Contains(direct[0].Text, "you typed status it")
	})
	if len(direct) != 1 {
		t.Errorf("one answer became %d direct messages", len(direct))
	}
}

// Buttons for other pages replace the page in its window.
func TestPagesTurnInTheirWindow(t *testing.T) {
	t.Parallel()
	page := func(n string) card.Form {
		return card.Form{Action: card.TapDetails, Value: "v", Title: "Page " + n, Body: []card.Element{card.Text{Lines: []card.Line{{card.T("page " + n)}}}},
			Buttons: []card.Button{{Action: card.TapDetails, Label: "Next", Value: n + "+"}}}
	}
	h := func(ctx context.Context, m call.Message, r call.Reply) {
		var err error
		if m.Via == call.Button {
			err = r.Ask(ctx, page(m.Tap.Value))
		} else {
			err = r.Show(ctx, card.Card{Push: "run", Head: card.Line{card.T("run")}, Buttons: []card.Button{{Action: card.TapDetails, Label: "Details", Value: "1"}}})
		}
		if err != nil {
			t.Error(err)
		}
	}
	w := newWorld(t, h, nil)
	w.slash("operator", "x")
	m := w.awaitSeen("operator", "Details")
	if _, err := w.local.Click(slacklocal.Click{User: "approver", Channel: "incident", TS: m.TS, ActionID: card.TapDetails}); err != nil {
		t.Fatal(err)
	}
	id, _ := w.form("approver")
	if _, err := w.local.Click(slacklocal.Click{User: "approver", ViewID: id, ActionID: card.TapDetails}); err != nil {
		t.Fatal(err)
	}
	w.await("second page", func() bool {
		modals, _, err := w.local.Views("approver")
		b, _ := json.Marshal(modals)
		return err == nil && len(modals) == 1 && strings.Contains(string(b), "page 1+") && modals[0]["id"] == id
	})
}
