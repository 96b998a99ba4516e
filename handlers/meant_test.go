package handlers

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"dhbot/handlers/call"
	"dhbot/internal/card"
	"dhbot/internal/engine"
)

// TestOnlyWhatWasMeantRuns: a change without approval is executed at once only if every
// word was understood. Otherwise no change is stored or sent.
func TestOnlyWhatWasMeantRuns(t *testing.T) {
	for text, want := range map[string]string{ // the command executed, "" for none
		"restart db_ltds":                                "restart db_ltds",
		"please restart the ltds":                        "restart db_ltds",
		"restart db_ltds because it hangs, not tomorrow": "restart db_ltds",
		"restart tailer1 on query-1":                     "restart tailer1",
		"etcd-snapshot":                                  "etcd-snapshot",
		"backup parts=routing because of the change":     "backup",

		"restart db_ltds --dry-run":                     "",
		"restart db_ltds —dry-run":                      "",
		"restart db_ltds --help":                        "",
		"restart db_ltds -f":                            "",
		"restart db_ltds because stuck --force":         "",
		"restart tailer1 at 02:00":                      "",
		"restart db_ltds in 10 minutes":                 "",
		"restart db_ltds tomorrow":                      "",
		"restart db_ltds not yet!":                      "",
		"restart db_ltds if it is down":                 "",
		"restart tailer1 on 10.0.0.6":                   "",
		"restart merge on host query-1":                 "",
		"restart tailer1 on query-1 and query-2":        "",
		"restart tailer1 except infra-1":                "",
		"stop tailer1 and start it again":               "",
		"restart db_ltds and merge":                     "",
		"restart ltds, merge":                           "",
		"restart db_ltds please, it hangs":              "",
		"restart db_ltds not responding since 02:10":    "",
		"restart tailer1":                               "",
		"don't restart db_ltds":                         "",
		"> restart db_ltds":                             "",
		"```restart db_ltds```":                         "",
		"restart db_ltds\nrestart merge":                "",
		"restart db_ltds is what I would do, thoughts?": "",
	} {
		for _, via := range []call.Via{call.Slash, call.Mention, call.Shortcut} {
			h := newTestService(t)
			m := h.message("UANNA", text)
			m.Via = via
			a := h.handleMessage(m)
			got := ""
			for _, st := range h.openRuns(t) {
				got += st.Run.Plan.Title
			}
			if got != want && (want == "" || !strings.HasPrefix(got, want)) {
				t.Errorf("%s %q: requested %q, want %q; %s", via, text, got, want, a.all())
			}
			if want == "" && a.all() == "" {
				t.Errorf("%s %q: no answer", via, text)
			}
			for _, sent := range h.hosts.sent {
				if strings.Contains(sent, " restart ") || strings.Contains(sent, " stop ") {
					t.Errorf("%s %q sent %s", via, text, sent)
				}
			}
		}
	}
}

// TestTalkIsNoCommand: a mention in the middle of a sentence, or an edited message,
// changes nothing.
func TestTalkIsNoCommand(t *testing.T) {
	h := newTestService(t)
	for _, spoil := range []func(*call.Message){
		func(m *call.Message) { m.Talk = true },
		func(m *call.Message) { m.Edited = true },
	} {
		for _, text := range []string{"restart db_ltds", "restart db_ltds because it hangs", "restart tailer1 until the backup is done"} {
			m := h.message("UANNA", text)
			m.Via = call.Mention
			spoil(&m)
			h.handleMessage(m)
			m.Account.User = "UNOBODY"
			if a := h.handleMessage(m); a.all() != "" {
				t.Errorf("talk of a person without a role is answered: %s", a.all())
			}
		}
	}
	if open := h.openRuns(t); len(open) != 0 {
		t.Errorf("talk requested %s", open[0].Run.Plan.Title)
	}
}

var shownAt = regexp.MustCompile(`"at":[0-9]+`)

// TestRunIsForItsRequester: the requester's own tap executes the plan as shown, once,
// within a minute.
func TestRunIsForItsRequester(t *testing.T) {
	h := newTestService(t)
	propose := func(text string) card.Button {
		t.Helper()
		a := &tapped{answers: &answers{}}
		h.Handle(t.Context(), h.message("UANNA", text), a)
		for _, b := range a.card.Buttons {
			if b.Action == card.TapRun {
				return b
			}
		}
		t.Fatalf("%q offers no Run: %+v", text, a.card)
		return card.Button{}
	}
	tap := func(user string, b card.Button) string {
		m := h.message(user, "")
		m.Via, m.Tap = call.Button, call.Tap{Action: b.Action, Value: b.Value}
		return h.handleMessage(m).all()
	}
	b := propose("restart ltds, merge")
	if said := tap("UBEN", b); len(h.openRuns(t)) != 0 {
		t.Errorf("another person ran it: %s", said)
	}
	if said := tap("UANNA", card.Button{Action: b.Action, Value: shownAt.ReplaceAllString(b.Value, fmt.Sprintf(`"at":%d`, time.Now().Unix()-61))}); len(h.openRuns(t)) != 0 {
		t.Errorf("it ran long after it was shown: %s", said)
	}
	if said := tap("UANNA", b); len(h.openRuns(t)) != 1 {
		t.Fatalf("the requester's Run made %d runs: %s", len(h.openRuns(t)), said)
	}
	r := h.openRuns(t)[0].Run
	if r.Plan.Title != "restart db_ltds and db_merge_server" || r.State != engine.Approved || len(r.Plan.Targets) != 2 {
		t.Errorf("requested %s of %v, %s", r.Plan.Title, r.Plan.Targets, r.State)
	}
	if tap("UANNA", b); len(h.openRuns(t)) != 1 {
		t.Error("a second tap made another run")
	}
	b = propose("restart tailer1 on query-1 not responding since 02:10")
	if tap("UANNA", b); len(h.openRuns(t)) != 2 || h.openRuns(t)[1].Run.Reason != "not responding since 02:10" {
		t.Errorf("runs: %d", len(h.openRuns(t)))
	}
}
