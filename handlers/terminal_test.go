package handlers

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dhbot/auth"
	"dhbot/handlers/call"
	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/command/complete"
	"dhbot/internal/test/grammartest"
)

// keep records the text of the newest Home tab. Like Slack's client, it fails if its context has
// ended.
func keep(last *[]string) func(context.Context, []card.Card) error {
	return func(ctx context.Context, cards []card.Card) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		*last = nil
		for _, c := range cards {
			*last = append(*last, card.PlainText(c))
		}
		return nil
	}
}

func (h *testService) atTerminal(person, text string) (Outcome, *answers) {
	a := &answers{}
	m := h.message("", text)
	m.Via, m.Channel, m.Account = call.Terminal, "", auth.Account{Team: auth.LocalTeam, User: person}
	return h.Command(context.Background(), m, a), a
}

// TestTerminal: a person has the same rights at a terminal as in Slack. The outcome reports what
// the command did.
func TestTerminal(t *testing.T) {
	h := newTestService(t)
	if out, a := h.atTerminal("rita", "restart db_dis in prod"); out.OK || a.code() != auth.LacksRole {
		t.Errorf("a reader restarts: %+v %s", out, a.all())
	}
	if out, _ := h.atTerminal("root", "status db_dis in prod"); out.OK {
		t.Errorf("unknown person reads: %+v", out)
	}
	if out, a := h.atTerminal("anna", "status db_dis in prod"); !out.OK || out.Run != "" || len(a.shown) == 0 {
		t.Errorf("status: %+v", out)
	}
	if out, a := h.atTerminal("anna", "restart db_diss in prod"); out.OK || !strings.Contains(a.all(), "restart db_dis in prod") {
		t.Errorf("a typo: %+v %s", out, a.all())
	}
	asked, _ := h.atTerminal("anna", "restart db_dis in prod disk was full")
	if !asked.OK || !asked.Asked || asked.Run == "" {
		t.Fatalf("a request: %+v", asked)
	}
	run := h.openRuns(t)[0].Run
	if run.Place.Channel != "C0OPEN" || run.Asked.Via != string(call.Terminal) || run.Asked.Person != "anna" {
		t.Errorf("stored as %+v, in %+v", run.Asked, run.Place)
	}
	if again, _ := h.atTerminal("anna", "restart db_dis in prod"); !again.Asked || again.Run != asked.Run || len(h.openRuns(t)) != 1 {
		t.Errorf("the same again: %+v", again)
	}
	if out, _ := h.atTerminal("anna", "approve "+asked.Run+" db_dis"); out.OK {
		t.Error("the requester approved at the terminal")
	}
	// The requester at the terminal is the same person in Slack.
	if a := h.say("UANNA", "approve "+asked.Run+" db_dis"); !strings.Contains(a.all(), "another approver has to") {
		t.Errorf("the requester approved in Slack: %s", a.all())
	}
	if out, _ := h.atTerminal("ben", "approve "+asked.Run+" db_dis"); !out.OK || out.Run != asked.Run || out.Asked {
		t.Errorf("a vote: %+v", out)
	}
}

// TestLocalAccountsAreOfTerminals: a delivery from Slack with a local account is refused,
// and so is a terminal's command with a Slack account.
func TestLocalAccountsAreOfTerminals(t *testing.T) {
	h := newTestService(t)
	m := h.message("", "restart db_dis in prod")
	m.Account = auth.Account{Team: auth.LocalTeam, User: "anna"}
	if a := h.handleMessage(m); !strings.Contains(a.all(), "not verified here") {
		t.Errorf("from Slack: %s", a.all())
	}
	a := &answers{}
	m = h.message("UANNA", "restart db_dis in prod")
	m.Via = call.Terminal
	if out := h.Command(t.Context(), m, a); out.OK || !strings.Contains(a.all(), "not verified here") {
		t.Errorf("from a terminal: %+v %s", out, a.all())
	}
	if n := len(h.openRuns(t)); n != 0 {
		t.Errorf("%d runs", n)
	}
}

// TestRequestOutsideOfChannels: the run's message is in the approvers' channel, and the
// requester is informed.
func TestRequestOutsideOfChannels(t *testing.T) {
	h := newTestService(t)
	m := h.message("UANNA", "restart db_dis in prod")
	m.Channel, m.Alone = "D1", true
	a := h.handleMessage(m)
	run := h.openRuns(t)[0].Run
	if run.Place.Channel != "C0OPEN" || !strings.Contains(a.all(), run.ID+" requested") {
		t.Errorf("in %+v, told %q", run.Place, a.all())
	}
}

func TestHomeShowsWhatItsReaderMayRead(t *testing.T) {
	h := newTestService(t)
	h.say("UANNA", "restart db_dis disk was full")
	page := func(user string) string {
		var last []string
		err := NewHomes(h.Service).Show(t.Context(), auth.Account{Team: homeTeam, User: user}, call.Recent, keep(&last))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(last, "\n")
	}
	if got := page("URITA"); !strings.Contains(got, "Approval needed") || !strings.Contains(got, "prod") || strings.Contains(got, "· qa") {
		t.Errorf("a reader of prod sees:\n%s", got)
	}
	if got := page("UANNA"); !strings.Contains(got, "qa") {
		t.Errorf("anna, who is also of qa, sees:\n%s", got)
	}
	if got := page("UNOBODY"); !strings.Contains(got, "Not allowed") || strings.Contains(got, "db_dis") {
		t.Errorf("unknown person sees:\n%s", got)
	}
	looked := 0
	err := h.store.Trail(t.Context(), 1, func(s audit.Sealed) error {
		if s.Record.Via == string(call.Home) {
			looked++
		}
		return nil
	})
	if err != nil || looked != 3 {
		t.Errorf("%d reads are recorded, %v", looked, err)
	}
}

// Hosts that use up the whole time of a query delay the Home tab, but do not stop it from being
// published.
func TestHomeOfSlowHosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestService(t)
		h.hosts.hang = true
		ctx, cancel := context.WithTimeout(t.Context(), 2*homePatient)
		defer cancel()
		var last []string
		err := NewHomes(h.Service).Show(ctx, auth.Account{Team: homeTeam, User: "URITA"}, call.Recent, keep(&last))
		if err != nil {
			t.Error(err)
		}
		got := strings.Join(last, "\n")
		for _, no := range []string{"querying its hosts", "not recorded", "could not be determined"} {
			if strings.Contains(got, no) {
				t.Errorf("the last page has %q:\n%s", no, got)
			}
		}
	})
}

func TestCompletions(t *testing.T) {
	g := grammartest.New(t)
	for _, tt := range []struct {
		before     []string
		has, hasnt string
	}{
		{nil, "restart", "db_dis"},
		{[]string{"status"}, "infra-1", "restart"},
		{[]string{"restart"}, "db_dis", "infra-1"},
		{[]string{"restart", "db_dis", "on"}, "infra-1", "prod"},
		{[]string{"audit"}, "since=", "restart"},
		{[]string{"approve"}, "", "db_dis"},
		{[]string{"nonsense"}, "", "db_dis"},
	} {
		var got []string
		for _, c := range complete.Next(g, tt.before) {
			got = append(got, c[0])
		}
		if tt.has != "" && !slices.Contains(got, tt.has) || slices.Contains(got, tt.hasnt) {
			t.Errorf("after %v: %v", tt.before, got)
		}
	}
}

// slowReply is a reply that cannot show a card in time.
type slowReply struct{ answers }

func (*slowReply) Show(context.Context, card.Card) error { return &call.TooLong{After: time.Minute} }

// The outcome of a command that was not handled in time is unknown. A refused command did nothing.
func TestUnsureOutcome(t *testing.T) {
	h := newTestService(t)
	m := h.message("", "runs")
	m.Via, m.Channel, m.Account = call.Terminal, "", auth.Account{Team: auth.LocalTeam, User: "anna"}
	if out := h.Command(t.Context(), m, &slowReply{}); out.OK || !out.Unsure {
		t.Errorf("not in time: %+v", out)
	}
	m.Text = "restart nothing"
	if out := h.Command(t.Context(), m, &answers{}); out.OK || out.Unsure {
		t.Errorf("not understood: %+v", out)
	}
}

// TestTerminalRunsWhatItShowed: a confirmation executes exactly the plan shown. A changed
// plan is shown again.
func TestTerminalRunsWhatItShowed(t *testing.T) {
	h := newTestService(t)
	yes := func(proposal string) (Outcome, *answers) {
		a := &answers{}
		m := h.message("", "")
		m.Via, m.Channel, m.Account, m.Proposal = call.Terminal, "", auth.Account{Team: auth.LocalTeam, User: "anna"}, proposal
		return h.Command(t.Context(), m, a), a
	}
	shown, _ := h.atTerminal("anna", "restart ltds, merge in prod")
	if shown.OK || shown.Proposal == "" || len(h.openRuns(t)) != 0 {
		t.Fatalf("%+v", shown)
	}
	var p call.Proposal
	if err := json.Unmarshal([]byte(shown.Proposal), &p); err != nil {
		t.Fatal(err)
	}
	other := strings.Replace(shown.Proposal, p.Digest, strings.Repeat("0", len(p.Digest)), 1)
	if out, a := yes(other); out.OK || out.Proposal == "" || len(h.openRuns(t)) != 0 || !strings.Contains(a.all(), "has changed") {
		t.Errorf("a plan that was not shown: %+v, %s", out, a.all())
	}
	if out, a := yes("gone"); out.OK || len(h.openRuns(t)) != 0 || !strings.Contains(a.all(), "Type the command again") {
		t.Errorf("an unknown plan: %+v, %s", out, a.all())
	}
	if out, a := yes(shown.Proposal); !out.Asked || len(h.openRuns(t)) != 1 {
		t.Errorf("the shown plan: %+v, %s", out, a.all())
	}
}
