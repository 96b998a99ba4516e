package handlers

import (
	"strings"
	"testing"

	"dhbot/auth"
	"dhbot/handlers/call"
	"dhbot/internal/card"
	"dhbot/internal/command/parser"
	"dhbot/internal/engine"
	"dhbot/internal/test/grammartest"
)

// TestPrefill checks which command is suggested for the text of a message.
func TestPrefill(t *testing.T) {
	g := grammartest.New(t)
	for text, want := range map[string]string{
		"status db_dis": "status db_dis in prod",
		"restart db_dis disk was full, freed 40 GB":                        "plan restart db_dis in prod",
		"🔴 Sev 1 · Critical Data Import Server (db_dis) on infra-1 · prod": "status db_dis on infra-1",
		"is `db_dis` down again?":                                          "status db_dis in prod",
		"look at query-1, please!":                                         "status query-1",
		"⏳ Approval needed · R-7F3K · restart db_dis on infra-1 · prod":    "show R-7F3K",
		"R-7f3k?": "show R-7F3K",
		"db_dis on query-1 has nothing to do with it": "status db_dis",
		"hello everybody, lunch?":                     "",
		"":                                            "",
		"yes":                                         "", "no": "",
	} {
		if got := parser.Prefill(g, "C1", text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestShortcut: a shortcut opens a window for authorised people. A command typed there is checked
// and handled like any other command.
func TestShortcut(t *testing.T) {
	h := newTestService(t)
	open := func(user string) *answers {
		m := h.message(user, "")
		m.Via, m.Tap = call.Button, call.Tap{Action: card.TapAsk, Fields: map[string]string{card.FieldMessage: "is db_dis down?"}}
		return h.handleMessage(m)
	}
	if a := open("UANNA"); len(a.forms) != 1 || a.forms[0].Inputs[0].Initial != "status db_dis in prod" {
		t.Errorf("anna: %q %+v", a.all(), a.forms)
	}
	if a := open("UNOBODY"); len(a.forms) > 0 || a.code() != auth.NotKnown {
		t.Errorf("a stranger: %q %+v", a.all(), a.forms)
	}
	typed := func(user, text string) *answers {
		m := h.message(user, "")
		m.Via, m.Thread, m.Tap = call.Form, "12.3", call.Tap{Action: card.TapAsk, Fields: map[string]string{"text": text}}
		return h.handleMessage(m)
	}
	if a := typed("URITA", "status db_dis"); len(a.shown) == 0 || !strings.Contains(a.all(), "Running") {
		t.Errorf("status: %q", a.all())
	}
	if a := typed("URITA", "restart db_dis"); len(h.openRuns(t)) > 0 || a.code() != auth.LacksRole {
		t.Errorf("a reader restarts: %q", a.all())
	}
	if a := typed("UANNA", "restrat db_dis"); !strings.Contains(a.all(), "restart db_dis") || len(h.openRuns(t)) > 0 {
		t.Errorf("a typo: %q", a.all())
	}
	typed("UANNA", "restart db_dis disk full")
	runs := h.openRuns(t)
	if len(runs) != 1 || runs[0].Run.Asked.Via != string(call.Shortcut) || runs[0].Run.Reason != "disk full" || runs[0].Run.Place.Thread != "12.3" {
		t.Fatalf("%+v", runs)
	}
	id := runs[0].Run.ID
	if typed("UBEN", "approve "+id); h.run(t, id).State != engine.Waiting {
		t.Error("approved without the target's name")
	}
	if typed("UBEN", "approve "+id+" db_dis"); h.run(t, id).State != engine.Approved {
		t.Error("not approved with it")
	}
}

func (h *testService) run(t *testing.T, id string) engine.Run {
	t.Helper()
	st, err := h.store.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return st.Run
}
