package handlers

import (
	"context"
	"slices"
	"strings"
	"testing"

	"dhbot/auth"
	"dhbot/handlers/call"
	"dhbot/internal/card"
	"dhbot/internal/card/runcard"
	"dhbot/internal/command"
	"dhbot/internal/engine"
	"dhbot/internal/refusal"
)

// TestLooking: while approvals are missing, an approver can report that they are looking at
// the run. The requester and people who cannot approve it are refused.
func TestLooking(t *testing.T) {
	h := newTestService(t)
	h.say("UANNA", "restart db_dis disk full")
	id := h.openRuns(t)[0].Run.ID
	if a := h.say("UANNA", "looking "+id); len(a.shown) > 0 || a.code() != auth.OwnRequest {
		t.Errorf("the requester: %q", a.all())
	}
	if a := h.say("URITA", "looking "+id); len(a.shown) > 0 || a.code() != auth.LacksRole {
		t.Errorf("a reader: %q", a.all())
	}
	m := h.message("UCHRIS", "")
	m.Via, m.Tap = call.Button, call.Tap{Action: card.TapLooking, Value: id + " 7f3a9c"}
	if a := h.handleMessage(m); len(a.forms) != 1 || !strings.Contains(card.PlainText(card.Card{Body: a.forms[0].Body}), "chris has been looking since") {
		t.Errorf("an approver: %+v", a.forms)
	}
	r := h.openRuns(t)[0].Run
	if r.Looking == nil || r.Looking.Person != "chris" || r.Records != 2 || !strings.Contains(card.PlainText(runcard.Run(r)), "👀 chris has been looking since") {
		t.Errorf("stored %+v, %d records", r.Looking, r.Records)
	}
	if a := h.say("UCHRIS", "looking "+id); a.code() != engine.NothingNew {
		t.Errorf("again: %q", a.all())
	}
	if h.say("UBEN", "looking "+id); h.openRuns(t)[0].Run.Looking.Person != "ben" {
		t.Error("no other approver could take over")
	}
	h.say("UCHRIS", "deny "+id+" wrong host")
	if a := h.say("UCHRIS", "looking "+id); len(a.shown) > 0 || !strings.Contains(a.all(), "already denied by chris at") {
		t.Errorf("of a denied run: %q", a.all())
	}
}

// TestLateTapsAreAnswered: a tap on an outdated message is answered with the run's state, who
// changed the run and when. No form opens for a decision that is no longer possible.
func TestLateTapsAreAnswered(t *testing.T) {
	h := newTestService(t)
	tap := func(user, action, value string) *answers {
		m := h.message(user, "")
		m.Via, m.Tap = call.Button, call.Tap{Action: action, Value: value}
		return h.handleMessage(m)
	}
	ask := func(text string) string {
		t.Helper()
		h.say("UANNA", text)
		open := h.openRuns(t)
		r := open[len(open)-1].Run
		return r.ID + " " + r.Plan.Digest
	}
	approved, denied := ask("restart db_dis disk full"), ask("restart configuration_server x")
	tap("UBEN", card.TapApprove, approved)
	id, _, _ := strings.Cut(denied, " ")
	h.say("UBEN", "deny "+id+" wrong host")
	for _, c := range []struct {
		action, value string
		want          refusal.Code
	}{
		{card.TapApprove, approved, engine.AlreadyApproved},
		{card.TapDeny, approved, ""}, // can still be denied: a form requests the reason
		{card.TapLooking, approved, engine.AlreadyApproved},
		{card.TapDone, approved, engine.AlreadyApproved},
		{card.TapApprove, denied, engine.AlreadyEnded},
		{card.TapDeny, denied, engine.AlreadyEnded},
		{card.TapCancel, denied, engine.AlreadyEnded},
		{card.TapLooking, denied, engine.AlreadyEnded},
		{card.TapDone, denied, engine.AlreadyEnded},
	} {
		a := tap("UCHRIS", c.action, c.value)
		if c.action == card.TapDone {
			a = tap("UANNA", c.action, c.value)
		}
		if c.want == "" {
			if len(a.forms) != 1 {
				t.Errorf("%s: %q and %d forms", c.action, a.all(), len(a.forms))
			}
			continue
		}
		if a.code() != c.want || !strings.Contains(a.all(), "by ben at") || len(a.forms) > 0 {
			t.Errorf("%s: %q, want %q: %s", c.action, a.codes, c.want, a.all())
		}
	}
	for _, value := range []string{approved, denied} { // an executed run stays readable
		if a := tap("UCHRIS", card.TapDetails, value); len(a.forms) != 1 || len(a.forms[0].Inputs) > 0 {
			t.Errorf("details: %q, %+v", a.all(), a.forms)
		}
	}
}

// TestDetails: a tap opens a window, a typed command shows a card, and both have pages.
func TestDetails(t *testing.T) {
	h := newTestService(t)
	h.say("UANNA", "restart db_dis disk full")
	r := h.openRuns(t)[0].Run
	a := h.say("URITA", "details "+r.ID)
	for _, want := range []string{r.Plan.Digest, "sudo -u irisadmin monit restart db_dis", "Sent as", "time-out", "at most once", "check: "} {
		if !strings.Contains(a.all(), want) {
			t.Errorf("%q is not in %s", want, a.all())
		}
	}
	if a := h.say("UNOBODY", "details "+r.ID); strings.Contains(a.all(), "monit restart") {
		t.Errorf("a person without a role: %s", a.all())
	}
	m := h.message("URITA", "")
	m.Via, m.Tap = call.Button, call.Tap{Action: card.TapDetails, Value: r.ID + " " + r.Plan.Digest + " 7"}
	if a := h.handleMessage(m); len(a.forms) != 1 || a.forms[0].Action != card.TapDetails {
		t.Errorf("a page: %+v", a.forms)
	}
}

// TestBeside: the card of a run names similar hosts that are not its target.
func TestBeside(t *testing.T) {
	h := newTestService(t)
	for _, c := range []struct {
		text string
		want []string
	}{
		{"restart db_tdcp on query-1", []string{"query-2"}},
		{"restart db_query_server", nil},
		{"restart db_dis", nil}, // other clusters are not listed, since not all readers may see them
		{"restart tailer1 on query-2", []string{"infra-1", "query-1"}},
	} {
		h.say("UANNA", c.text)
		open := h.openRuns(t)
		i := slices.IndexFunc(open, func(s engine.Stored) bool { return strings.Contains(c.text, s.Run.Inputs.Process) })
		if i < 0 {
			t.Fatalf("%s: no run", c.text)
		}
		if got := open[i].Run.Beside; !slices.Equal(got, c.want) {
			t.Errorf("%s: beside %q, want %q", c.text, got, c.want)
		}
	}
}

// tapped records the card shown to a person.
type tapped struct {
	*answers
	card card.Card
}

func (a *tapped) Ephemeral(_ context.Context, c card.Card) error { a.card = c; return nil }

// TestSuggestionsCanBeTapped: a suggestion is a button. It needs a confirmation if it changes
// something, and passes the same gate as a typed command.
func TestSuggestionsCanBeTapped(t *testing.T) {
	h := newTestService(t)
	suggested := func(user, text string) []card.Button {
		a := &tapped{answers: &answers{}}
		h.Handle(t.Context(), h.message(user, text), a)
		return a.card.Buttons
	}
	status := suggested("URITA", "stauts db_dis")
	if len(status) == 0 || status[0].Value != command.On("status", "db_dis", "", "prod").Encode() || status[0].Confirm != nil {
		t.Fatalf("status: %+v", status)
	}
	restart := suggested("URITA", "restart db_diss")
	if len(restart) == 0 || restart[0].Value != command.On("restart", "db_dis", "", "prod").Encode() || restart[0].Confirm == nil {
		t.Fatalf("restart: %+v", restart)
	}
	tap := func(b card.Button) *answers {
		m := h.message("URITA", "")
		m.Via, m.Tap = call.Button, call.Tap{Action: b.Action, Value: b.Value}
		return h.handleMessage(m)
	}
	if a := tap(status[0]); len(a.shown) == 0 || !strings.Contains(a.all(), "Running") {
		t.Errorf("tapping status: %q", a.all())
	}
	if a := tap(restart[0]); a.code() != auth.LacksRole || len(h.openRuns(t)) > 0 {
		t.Errorf("a reader taps restart: %q", a.all())
	}
}

// TestHelpIsForThePerson: help shows the commands that its reader may use here, the most
// used first.
func TestHelpIsForThePerson(t *testing.T) {
	h := newTestService(t)
	for _, verb := range mostUsed {
		if _, known := h.Grammar.Named(verb); !known {
			t.Errorf("there is no command %q to be used", verb)
		}
	}
	may := h.say("URITA", "help").all()
	if !strings.Contains(may, "status db_dis") || strings.Contains(may, "\nrestart db_dis") || strings.Contains(may, "approve R-") {
		t.Errorf("a reader: %s", may)
	}
	may = h.say("UANNA", "help").all()
	for _, most := range []string{"status db_dis", "restart db_dis", "approve R-7F3K"} {
		if at := strings.Index(may, most); at < 0 || at > strings.Index(may, "Look: ") {
			t.Errorf("an operator misses %q at the top: %s", most, may)
		}
	}
}
