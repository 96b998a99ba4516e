package slackio_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dhbot/auth"
	"dhbot/handlers/call"
	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/publish"
	"dhbot/internal/sim/slacklocal"
	"dhbot/internal/slackio"
	"dhbot/internal/slackio/rate"
	"dhbot/internal/test/leaktest"
)

func TestSlashIsClaimedAckedHandledAndPosted(t *testing.T) {
	t.Parallel()
	leaktest.Goroutines(t)
	a := &answering{t: t}
	w := newWorld(t, a.handle, nil)
	if got := w.slash("operator", "status “db_dis”"); !got.OK || got.Message != nil {
		t.Errorf("the ack said %+v, want an empty one", got)
	}
	w.awaitSeen("reader", "re: status")
	m := a.messages()[0]
	want := auth.Account{Team: slacklocal.DemoTeam, User: slacklocal.DemoOperator}
	if m.Via != call.Slash || m.Account != want || m.Channel != slacklocal.DemoIncident || m.Text != "status “db_dis”" || m.ChannelShared ||
		!strings.HasPrefix(m.Key, "slash/") || time.Since(m.At) > time.Minute {
		t.Errorf("got %+v", m)
	}
	if n := w.claims.claimed.Load(); n != 1 {
		t.Errorf("%d claims", n)
	}
}

func TestMentionAnswersInItsThread(t *testing.T) {
	t.Parallel()
	a := &answering{t: t}
	w := newWorld(t, a.handle, nil)
	top := w.mention("@dh status one", "")
	if m := w.awaitSeen("reader", "re: status one"); m.ThreadTS != "" {
		t.Errorf("a mention outside a thread was answered in thread %s", m.ThreadTS)
	}
	w.mention("please @dh status two", top.TS)
	if m := w.awaitSeen("reader", "re: status two"); m.ThreadTS != top.TS {
		t.Errorf("answered in thread %q, asked in %q", m.ThreadTS, top.TS)
	}
	for _, m := range a.messages() {
		if m.Via != call.Mention || !strings.HasPrefix(m.Key, "mention/"+slacklocal.DemoIncident+"/") {
			t.Errorf("got %+v", m)
		}
	}
}

func TestRedeliveryIsHandledOnce(t *testing.T) {
	t.Parallel()
	a := &answering{t: t}
	w := newWorld(t, a.handle, nil)
	w.mention("@dh status", "")
	w.awaitSeen("reader", "re: status")
	w.inject(slacklocal.Fault{Kind: "redeliver"})
	w.inject(slacklocal.Fault{Kind: "redeliver"})
	w.mention("@dh other", "") // comes after the redeliveries
	w.awaitSeen("reader", "re: other")
	if n := len(a.messages()); n != 2 {
		t.Errorf("handled %d times", n)
	}
}

// A handler that hangs delays no ack, and messages beyond the limit are answered as not accepted.
func TestStalledHandlersDelayNoAckAndBusyIsSaid(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	var began atomic.Int64
	stuck := func(ctx context.Context, m call.Message, r call.Reply) {
		if m.Text == "buttons" {
			_ = r.Show(ctx, card.Card{Push: "tap", Buttons: []card.Button{{Action: "go", Label: "Go", Value: "x"}}})
			return
		}
		began.Add(1)
		<-release
	}
	w := newWorld(t, stuck, func(c *slackio.Config) { c.Workers, c.Queue = 1, 2 })
	defer close(release)
	w.slash("operator", "buttons")
	tap := w.awaitSeen("reader", `"go"`)
	w.await("idle edge", func() bool { return w.edge.Health().Pending == 0 })
	for i := range 3 {
		if a := w.slash("operator", fmt.Sprint(i)); !a.OK || a.Message != nil {
			t.Errorf("delivery %d: %+v", i, a)
		}
	}
	a := w.slash("operator", "too many")
	if a.Message == nil || !strings.Contains(a.Message.Text, "not accepted") {
		t.Errorf("beyond the queue: %+v", a)
	}
	if _, err := w.local.Click(slacklocal.Click{User: "approver", Channel: "incident", TS: tap.TS, ActionID: "go"}); err != nil {
		t.Fatal(err)
	}
	if m := w.awaitSeen("approver", "not accepted"); !m.Ephemeral {
		t.Error("the answer is not ephemeral")
	}
	if n := began.Load(); n != 1 {
		t.Errorf("%d handlers at a time, 1 allowed", n)
	}
	if n := w.claims.claimed.Load(); n != 4 {
		t.Errorf("%d claims: a refused delivery must not be claimed", n)
	}
}

// A reply that waits for its rate limit does not occupy a worker.
func TestWaitingForTheRateHoldsNoWorker(t *testing.T) {
	t.Parallel()
	a := &answering{t: t}
	w := newWorld(t, a.handle, func(c *slackio.Config) { c.Workers, c.Pace = 1, rate.Pace{PostEvery: time.Second, PostBurst: 1} })
	for i := range 3 {
		w.slash("operator", fmt.Sprint("same channel ", i))
	}
	w.await("every handler to begin", func() bool { return len(a.messages()) == 3 })
	if n := len(w.seen("reader", "same channel")); n > 1 {
		t.Errorf("the last handler began only after %d answers were posted", n)
	}
	w.await("every answer", func() bool { return len(w.seen("reader", "same channel")) == 3 })
}

// Answers do not wait for the channel's rate limit; other posts do.
func TestAnswersDoNotWaitForTheRate(t *testing.T) {
	t.Parallel()
	a := &answering{t: t}
	w := newWorld(t, a.handle, func(c *slackio.Config) { c.Pace = rate.Pace{PostEvery: time.Hour, PostBurst: 4} })
	for i := range 3 {
		w.slash("operator", fmt.Sprint("same channel ", i))
	}
	w.await("every answer", func() bool { return len(w.seen("reader", "same channel")) == 3 })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := w.edge.Post(ctx, engine.Place{Channel: slacklocal.DemoIncident}, say("by itself")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a background post did not wait for the rate limit: %v", err)
	}
}

func TestStoreDownIsSaidAndHandledUnrecorded(t *testing.T) {
	t.Parallel()
	a := &answering{t: t}
	w := newWorld(t, a.handle, nil)
	w.claims.down.Store(true)
	got := w.slash("operator", "status")
	if got.Message == nil || !strings.Contains(got.Message.Text, "not recorded") {
		t.Errorf("the ack said %+v", got)
	}
	w.awaitSeen("reader", "re: status")
	if m := a.messages()[0]; m.Key != "" {
		t.Errorf("unclaimed, but with the key %q", m.Key)
	}
}

func TestTapFormAndEphemeral(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var got []call.Message
	h := func(ctx context.Context, m call.Message, r call.Reply) {
		mu.Lock()
		got = append(got, m)
		mu.Unlock()
		var err error
		switch m.Via {
		case call.Slash:
			err = r.Show(ctx, card.Card{Push: "Approval needed", Head: card.Line{card.B("Approval needed")}, Buttons: []card.Button{
				{Action: "vote", Label: "Approve", Value: "R-1 yes", Style: card.Primary, Confirm: &card.Confirm{Title: "Sure?", Text: "It restarts.", Yes: "Yes", No: "No"}},
				{Action: "vote", Label: "Deny…", Value: "R-1 no", Style: card.Danger},
			}})
		case call.Button:
			err = r.Ask(ctx, card.Form{Action: "deny", Value: m.Tap.Value, Title: "Deny", Submit: "Deny",
				Body:   []card.Element{card.Text{Lines: []card.Line{{card.T("About R-1")}}}},
				Inputs: []card.Input{{Name: "reason", Label: "Why?", Multiline: true}}})
		case call.Form:
			err = r.Ephemeral(ctx, say("denied: "+m.Tap.Fields["reason"]))
		}
		if err != nil {
			t.Errorf("%s: %v", m.Via, err)
		}
	}
	w := newWorld(t, h, nil)
	w.slash("operator", "restart db_dis")
	posted := w.awaitSeen("approver", "Approval needed")
	if _, err := w.local.Click(slacklocal.Click{User: "approver", Channel: "incident", TS: posted.TS, ActionID: "vote~2"}); err != nil {
		t.Fatal(err)
	}
	id, _ := w.form("approver")
	w.claims.down.Store(true)
	values := map[string]any{"reason": map[string]any{"value": "not now"}}
	bad, err := w.local.Submit(slacklocal.Submission{User: "approver", ViewID: id, Values: values})
	if err != nil || bad.OK || !strings.Contains(bad.Errors["reason"], "not recorded") {
		t.Errorf("submitted without a store: %+v, %v", bad, err)
	}
	w.claims.down.Store(false)
	if good, err := w.local.Submit(slacklocal.Submission{User: "approver", ViewID: id, Values: values}); err != nil || !good.OK {
		t.Errorf("submitted: %+v, %v", good, err)
	}
	w.await("the form to be handled", func() bool { mu.Lock(); defer mu.Unlock(); return len(got) == 4 })
	w.await("ephemeral answer", func() bool { return len(w.seen("approver", "denied: not now")) == 2 })
	if n := len(w.seen("operator", "denied")); n != 0 {
		t.Errorf("another person saw the ephemeral answer")
	}
	mu.Lock()
	defer mu.Unlock()
	tap, form := got[1], got[3]
	if tap.Tap.Action != "vote" || tap.Tap.Value != "R-1 no" || tap.Account.User != slacklocal.DemoApprover || tap.Channel != slacklocal.DemoIncident || tap.Thread != "" {
		t.Errorf("tap %+v", tap)
	}
	if form.Tap.Action != "deny" || form.Tap.Value != "R-1 no" || form.Tap.Fields["reason"] != "not now" || form.Channel != slacklocal.DemoIncident || !strings.HasPrefix(form.Key, "view/") {
		t.Errorf("form %+v", form)
	}
}

func TestShowAgainEditsTheOneMessage(t *testing.T) {
	t.Parallel()
	h := func(ctx context.Context, _ call.Message, r call.Reply) {
		var wg sync.WaitGroup
		for i := range 12 {
			if i == 0 {
				if err := r.Show(ctx, say("step 0")); err != nil {
					t.Error(err)
				}
				continue
			}
			wg.Go(func() {
				if err := r.Show(ctx, say(fmt.Sprint("step ", i))); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if err := r.Show(ctx, say("the end")); err != nil {
			t.Error(err)
		}
	}
	w := newWorld(t, h, nil)
	w.slash("operator", "go")
	m := w.awaitSeen("reader", `"text":"the end"`)
	if len(w.seen("reader", "step")) != 1 || len(m.History) == 0 {
		t.Errorf("not one message with its edits: %+v", m)
	}
}

func TestNothingIsLostTo429s(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, nil)
	w.inject(slacklocal.Fault{Kind: "ratelimit", Method: "chat.postMessage", Count: 1, RetryAfter: 1})
	w.inject(slacklocal.Fault{Kind: "ratelimit", Method: "chat.update", Count: 1, RetryAfter: 1})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	start := time.Now()
	ts, err := w.edge.Post(ctx, engine.Place{Channel: slacklocal.DemoIncident}, say("first"))
	if err != nil || time.Since(start) < time.Second {
		t.Fatalf("posted after %s: %v", time.Since(start), err)
	}
	if err := w.edge.Edit(ctx, slacklocal.DemoIncident, ts, say("second"), true); err != nil || time.Since(start) < 2*time.Second {
		t.Errorf("edited after %s: %v", time.Since(start), err)
	}
	if n := len(w.seen("reader", "second")); n != 1 {
		t.Errorf("%d messages contain \"second\", want 1", n)
	}
}

func TestRefusedBlocksBecomeText(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, nil)
	at := engine.Place{Channel: slacklocal.DemoIncident}
	w.inject(slacklocal.Fault{Kind: "api-error", Method: "chat.postMessage", Error: "invalid_blocks", Count: 1})
	ts, err := w.edge.Post(t.Context(), at, card.Card{Push: "short", Head: card.Line{card.T("the head")}, Body: []card.Element{card.Pre{Text: "*out*"}}, Buttons: []card.Button{{Action: "a", Label: "Logs"}}})
	if err != nil {
		t.Fatal(err)
	}
	m := w.awaitSeen("reader", "the head")
	if len(m.Blocks) != 0 || !strings.Contains(m.Text, "∗out∗") || !strings.Contains(m.Text, "[Logs]") || !strings.Contains(m.Text, "short") {
		t.Errorf("got %+v", m)
	}
	w.inject(slacklocal.Fault{Kind: "api-error", Method: "chat.update", Error: "msg_blocks_too_long", Count: 1})
	if err := w.edge.Edit(t.Context(), at.Channel, ts, say("edited"), false); err != nil {
		t.Error(err)
	}
	w.awaitSeen("reader", "edited")
}

// Mentions and links in the output of hosts notify no one and link nowhere.
func TestHostileOutputNotifiesNoOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, nil)
	evil := "@everyone @here <!channel> <!subteam^" + slacklocal.DemoGroup + "> <@" + slacklocal.DemoApprover + "> @approver https://evil.example ```x``` \x1b[31mred\x1b[0m"
	l := card.Line{card.T(evil), card.B(evil), card.C(evil), card.P(evil, auth.Account{Team: auth.LocalTeam, User: slacklocal.DemoApprover})}
	c := card.Card{Push: evil, Head: l, Body: []card.Element{card.Text{Lines: []card.Line{l}}, card.Pre{Text: evil}, card.Table{Header: []string{evil}, Rows: [][]card.Line{{l, l}}}},
		Buttons: []card.Button{{Action: "a", Label: evil, Value: evil, Confirm: &card.Confirm{Title: evil, Text: evil, Yes: evil, No: evil}}}, Foot: []card.Line{l}}
	if _, err := w.edge.Post(t.Context(), engine.Place{Channel: slacklocal.DemoIncident}, c); err != nil {
		t.Fatal(err)
	}
	m := w.awaitSeen("reader", "evil")
	if len(m.Notifies) != 0 || len(m.Blocks) == 0 {
		t.Errorf("the message notifies %v, want no one", m.Notifies)
	}
	anna := card.P("approver", auth.Account{Team: slacklocal.DemoTeam, User: slacklocal.DemoApprover})
	if _, err := w.edge.Post(t.Context(), engine.Place{Channel: slacklocal.DemoIncident}, card.Card{Push: "p", Head: card.Line{card.T("for "), anna}, Foot: []card.Line{{card.T("at "), card.At(time.Now())}}}); err != nil {
		t.Fatal(err)
	}
	if m := w.awaitSeen("reader", `"user_id":"`+slacklocal.DemoApprover+`"`); len(m.Notifies) != 1 {
		t.Errorf("a deliberate mention notifies %v", m.Notifies)
	}
}

func TestFileErrorsAndChannels(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, nil)
	at := engine.Place{Channel: slacklocal.DemoIncident}
	if err := w.edge.File(t.Context(), at, "db_dis.log", "log of db_dis", []byte("line\n")); err != nil {
		t.Error(err)
	}
	w.awaitSeen("reader", "db_dis.log")
	if err := w.edge.File(t.Context(), at, "none.log", "nothing", nil); err == nil {
		t.Error("an empty file was accepted")
	}
	if _, err := w.edge.Post(t.Context(), engine.Place{Channel: "C0NOWHERE"}, say("x")); !errors.Is(err, publish.ErrNoPlace) {
		t.Errorf("posting in an unknown channel: %v", err)
	}
	if err := w.edge.Edit(t.Context(), at.Channel, "1.000001", say("x"), true); !errors.Is(err, publish.ErrGone) {
		t.Errorf("editing an unknown message: %v", err)
	}
	for id, want := range map[string]bool{slacklocal.DemoIncident: false, slacklocal.DemoShared: true} {
		shared, member, err := w.edge.Channel(t.Context(), id, 0)
		if err != nil || shared != want || !member {
			t.Errorf("%s: shared %v, member %v, %v", id, shared, member, err)
		}
	}
	if shared, _, err := w.edge.Channel(t.Context(), "C0NOWHERE", 0); err == nil || !shared {
		t.Errorf("an unknown channel counts as not shared: %v", err)
	}
}

func TestLookupAsksAnewWhereItMatters(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, nil)
	anna := auth.Account{Team: slacklocal.DemoTeam, User: slacklocal.DemoApprover}
	p, err := w.edge.Lookup(t.Context(), anna, 0)
	if err != nil || p.Account != anna || p.ID != anna.User || p.Organisation != slacklocal.DemoTeam || p.Deleted || p.Bot || p.Guest {
		t.Fatalf("profile %+v, %v, want that of anna", p, err)
	}
	yes := true
	if _, err := w.local.ChangePerson(slacklocal.PersonChange{User: "approver", Deleted: &yes, Restricted: &yes, WorkflowBot: &yes}); err != nil {
		t.Fatal(err)
	}
	if p, err := w.edge.Lookup(t.Context(), anna, time.Minute); err != nil || p.Deleted {
		t.Errorf("a read may use cached data: %+v, %v", p, err)
	}
	if p, err := w.edge.Lookup(t.Context(), anna, 0); err != nil || !p.Deleted || !p.Guest || !p.Bot {
		t.Errorf("a vote may not use cached data: %+v, %v", p, err)
	}
	// A forged team in an event does not make an outsider a member.
	out, err := w.edge.Lookup(t.Context(), auth.Account{Team: slacklocal.DemoTeam, User: slacklocal.DemoOutsider}, 0)
	if err != nil || out.Organisation != slacklocal.DemoOtherTeam {
		t.Errorf("outsider: %+v, %v", out, err)
	}
	if _, err := w.edge.Lookup(t.Context(), auth.Account{Team: slacklocal.DemoTeam, User: "U0NOBODY"}, 0); err == nil {
		t.Error("a missing user was found")
	}
}

// In an Enterprise Grid, enterprise_user has the person and their organisation, whatever team an
// event names, and whether or not users.info has a team_id.
func TestLookupInAGrid(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, nil)
	none, org, person := "", "E0GRID", "W0APPROVER"
	account := auth.Account{Team: "T0SOMEWHERE", User: slacklocal.DemoApprover}
	for _, tt := range []struct {
		name   string
		change slacklocal.PersonChange
		want   auth.Profile
	}{
		{"no team", slacklocal.PersonChange{TeamID: &none, EnterpriseID: &org}, auth.Profile{ID: account.User, Organisation: org}},
		{"another id", slacklocal.PersonChange{EnterpriseUser: &person}, auth.Profile{ID: person, Organisation: org}},
	} {
		tt.change.User = "approver"
		if _, err := w.local.ChangePerson(tt.change); err != nil {
			t.Fatal(err)
		}
		got, err := w.edge.Lookup(t.Context(), account, 0)
		if err != nil || got.ID != tt.want.ID || got.Organisation != tt.want.Organisation || got.HomeTeam != "" || got.Account != account {
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
	}
}

// With a bot token of an organisation other than the configured one, the edge does not start.
func TestAnotherOrganisationIsRefused(t *testing.T) {
	t.Parallel()
	w := newSilentWorld(t, nil, func(c *slackio.Config) {
		c.IsHome = (&auth.Rules{Home: "T0ELSEWHERE"}).IsHome
	})
	err := w.edge.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), slacklocal.DemoTeam) || !strings.Contains(err.Error(), "slack.home") {
		t.Errorf("got %v", err)
	}
	if n := w.local.Connections(); n != 0 {
		t.Errorf("%d sockets were opened", n)
	}
}

func TestOutsiderInASharedChannel(t *testing.T) {
	t.Parallel()
	a := &answering{t: t}
	w := newWorld(t, a.handle, nil)
	if _, err := w.local.Mention(slacklocal.Mention{User: "outsider", Channel: "shared-vendor", Text: "@dh status"}); err != nil {
		t.Fatal(err)
	}
	w.await("the mention", func() bool { return len(a.messages()) == 1 })
	if m := a.messages()[0]; !m.ChannelShared || m.Account.Team != slacklocal.DemoOtherTeam {
		t.Errorf("got %+v", m)
	}
}

// A broadcast reply in a thread is also shown in the channel.
func TestBroadcastReplyInAThread(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, nil)
	at := engine.Place{Channel: slacklocal.DemoIncident}
	post := func(push string, aloud bool) string {
		ts, err := w.edge.Post(t.Context(), at, card.Card{Push: push, Broadcast: aloud})
		if err != nil {
			t.Fatal(err)
		}
		return ts
	}
	at.Thread = post("an incident", true)
	post("a change", false)
	post("worse", true)
	list, err := w.local.Messages("incident", "reader")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{false, false, true} {
		if list[i].Broadcast != want {
			t.Errorf("%q: broadcast %v", list[i].Text, list[i].Broadcast)
		}
	}
}

// The handler learns that the bot is not a member of a channel.
func TestChannelWithoutTheBot(t *testing.T) {
	t.Parallel()
	a := &answering{t: t}
	w := newWorld(t, a.handle, nil)
	for n, channel := range []string{"incident", "without-dh", "hidden"} {
		if _, err := w.local.Slash(slacklocal.SlashCommand{User: "operator", Channel: channel, Text: "restart db_dis"}); err != nil {
			t.Fatal(err)
		}
		w.await("the command in "+channel, func() bool { return len(a.messages()) == n+1 })
		if m := a.messages()[n]; m.Outside != (n > 0) || m.ChannelShared != (n == 2) { // a channel that the bot cannot see counts as shared
			t.Errorf("in %s: %+v", channel, m)
		}
	}
}

// The edge settles a delivery once if its handler has not settled it. A delivery whose handler was
// cut off stays unsettled, and is resumed later.
func TestEveryHandledDeliveryIsSettledOnce(t *testing.T) {
	t.Parallel()
	for _, byHandler := range []bool{true, false} {
		var w *world
		w = newWorld(t, nil, func(c *slackio.Config) {
			c.Handler = func(ctx context.Context, m call.Message, _ call.Reply) bool {
				if m.Text == "hang" {
					<-ctx.Done()
				} else if byHandler {
					if err := w.claims.Store.Settle(ctx, m.Key); err != nil {
						t.Error(err)
					}
				}
				return byHandler
			}
			c.Grace = 50 * time.Millisecond
		})
		w.slash("operator", "help")
		w.await("idle edge", func() bool { return w.edge.Health().Pending == 0 })
		want := int64(1)
		if byHandler {
			want = 0
		}
		if n := w.claims.settled.Load(); n != want || len(w.left()) != 0 {
			t.Errorf("settled by the handler %v: settled %d times by the edge, want %d; %d left", byHandler, n, want, len(w.left()))
		}
		if byHandler {
			continue
		}
		w.slash("operator", "hang")
		if err := w.stop(); err != nil {
			t.Error(err)
		}
		if len(w.left()) != 1 {
			t.Error("the interrupted delivery was settled")
		}
	}
}

// Slash commands that only read are not claimed. Commands that change something are claimed, and
// so are mentions, because Slack may redeliver a mention.
func TestReadsAreNotClaimed(t *testing.T) {
	t.Parallel()
	a := &answering{t: t}
	w := newSilentWorld(t, a.handle, nil)
	w.edge.ClaimUnless(func(m call.Message) *call.Parsed { return &call.Parsed{OnlyReads: strings.HasPrefix(m.Text, "status")} })
	w.run()
	for i, do := range []func(){
		func() { w.slash("operator", "status db_dis") },
		func() { w.mention("@dh status db_dis", "") },
		func() { w.slash("operator", "restart db_dis") },
	} {
		do()
		w.await("the answer", func() bool { return len(a.messages()) == i+1 })
		if n := w.claims.claimed.Load(); n != int64(i) {
			t.Errorf("%q: %d claims, want %d", a.messages()[i].Text, n, i)
		}
		if m := a.messages()[i]; m.Unclaimed != (i == 0) || m.Key == "" {
			t.Errorf("handled as %+v", m)
		}
	}
	w.await("idle edge", func() bool { return w.edge.Health().Pending == 0 })
	if n := w.claims.settled.Load(); n != 2 {
		t.Errorf("%d settled, want 2", n)
	}
}

func TestResumeHandlesWhatWasClaimed(t *testing.T) {
	t.Parallel()
	a := &answering{t: t}
	var w *world
	w = newWorld(t, func(ctx context.Context, m call.Message, r call.Reply) {
		a.handle(ctx, m, r)
		w.claims.down.Store(len(a.messages()) == 1) // down after the first handling, before the claim is settled
	}, nil)
	w.slash("operator", "restart db_dis")
	w.await("a failed settlement", func() bool { return w.claims.settled.Load() > 0 })
	payloads := w.left()
	if len(payloads) != 1 {
		t.Fatalf("%d unsettled claims", len(payloads))
	}
	for key, payload := range payloads {
		if err := w.edge.Resume(t.Context(), key, payload); err != nil {
			t.Error(err)
		}
		var stored map[string]any
		if err := json.Unmarshal(payload, &stored); err != nil || stored["trigger"] != nil {
			t.Errorf("stored %s", payload)
		}
		if err := w.edge.Resume(t.Context(), "another", payload); err == nil {
			t.Error("a payload was accepted with another key")
		}
	}
	got := a.messages()
	if len(got) != 2 || got[0].Key != got[1].Key || got[0].Text != got[1].Text || got[0].Account != got[1].Account || !got[0].At.Equal(got[1].At) {
		t.Errorf("first %+v, resumed %+v", got[0], got[len(got)-1])
	}
	if n := len(w.left()); n != 0 {
		t.Errorf("%d claims are unsettled after Resume", n)
	}
	if err := w.edge.Resume(t.Context(), "x", []byte(`{"v":99,"key":"x"}`)); err == nil {
		t.Error("an unknown form was accepted")
	}
}

// A stopping replica leaves new events to the other replicas at once, and finishes the deliveries
// that it accepted.
func TestDrainWithOtherReplicas(t *testing.T) {
	t.Parallel()
	leaktest.Goroutines(t)
	began, release := make(chan struct{}), make(chan struct{})
	w := newWorld(t, func(ctx context.Context, m call.Message, r call.Reply) {
		close(began)
		<-release
		if err := r.Show(ctx, say("re: "+m.Text)); err != nil {
			t.Errorf("Show: %v", err)
		}
	}, nil)
	w.slash("operator", "slow")
	<-began
	w.edge.Drain(true)
	w.edge.Drain(true) // a second call changes nothing
	w.await("end of every socket", func() bool { return w.local.Connections() == 0 })
	close(release)
	w.awaitSeen("reader", "re: slow")
}

// If no other replica runs, a stopping replica keeps its connections, and answers that it is
// stopping.
func TestDrainAlone(t *testing.T) {
	t.Parallel()
	a := &answering{t: t}
	w := newWorld(t, a.handle, nil)
	w.edge.Drain(false)
	if got := w.slash("operator", "status"); got.Message == nil || !strings.Contains(got.Message.Text, "is stopping") {
		t.Errorf("the ack said %+v", got)
	}
	if n := len(a.messages()); n != 0 {
		t.Errorf("%d handled", n)
	}
}

// Slack's event about the bot's own reaction takes the same path as the events of people. If a
// connection receives events and ignores them, the event arrives only when Slack sends it again.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	leaktest.Goroutines(t)
	heard := make(chan slackio.RoundTrip, 10)
	w := newSilentWorld(t, nil, nil)
	w.edge.OnRoundTrip(func(e slackio.RoundTrip) { heard <- e })
	w.run()
	ts, err := w.edge.Post(t.Context(), engine.Place{Channel: slacklocal.DemoAudit}, say("mark me"))
	if err != nil {
		t.Fatal(err)
	}
	mark := func(on, again bool) {
		t.Helper()
		if err := w.edge.SetRoundTripMark(t.Context(), slacklocal.DemoAudit, ts, on); err != nil {
			t.Fatal(err)
		}
		if e, want := <-heard, (slackio.RoundTrip{Channel: slacklocal.DemoAudit, TS: ts, On: on, Again: again}); e != want {
			t.Errorf("got %+v, want %+v", e, want)
		}
	}
	w.await("both sockets", w.bothUp)
	mark(true, false)
	if err := w.edge.SetRoundTripMark(t.Context(), slacklocal.DemoAudit, ts, true); !errors.Is(err, slackio.ErrAlreadyMarked) {
		t.Errorf("marked twice: %v", err)
	}
	mark(false, false)
	if err := w.edge.SetRoundTripMark(t.Context(), slacklocal.DemoAudit, "1.000001", true); !errors.Is(err, publish.ErrGone) {
		t.Errorf("marked nothing: %v", err)
	}
	w.await("ack of every event", func() bool { return w.local.Unacked() == 0 })
	w.inject(slacklocal.Fault{Kind: "deaf"})
	before := w.edge.Health()
	if err := w.edge.SetRoundTripMark(t.Context(), slacklocal.DemoAudit, ts, true); err != nil {
		t.Fatal(err)
	}
	w.edge.Renew(t.Context())
	if e := <-heard; !e.Again || !e.On {
		t.Errorf("got %+v, want a redelivered event", e)
	}
	for i, s := range w.edge.Health().Sockets {
		if s.Opened <= before.Sockets[i].Opened {
			t.Errorf("socket %d was not replaced", i+1)
		}
	}
	if n, at := w.edge.Health().Counted(); n != 2 || at.IsZero() {
		t.Errorf("Slack counted %d connections at %v", n, at)
	}
	mark(false, false)
}

// TestTooLongTextIsRefused: a text that is too long to store is refused with the reason, and is neither
// claimed nor handled.
func TestTooLongTextIsRefused(t *testing.T) {
	t.Parallel()
	a := &answering{t: t}
	w := newWorld(t, a.handle, nil)
	long := "restart db_dis because " + strings.Repeat("x", 1<<20)
	got := w.slash("operator", long)
	for tries := 0; !got.OK && tries < 10; tries++ { // a busy machine needs more than Slack's 3 s
		got = w.slash("operator", long)
	}
	if got.Message == nil || !strings.Contains(got.Message.Text, "longer than the longest command") {
		t.Errorf("the ack said %+v", got)
	}
	w.slash("operator", "status")
	w.awaitSeen("reader", "re: status")
	if n := w.claims.claimed.Load(); n != 1 || len(a.messages()) != 1 {
		t.Errorf("%d claims, %d handled; want only the short command", n, len(a.messages()))
	}
}
