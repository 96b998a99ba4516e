package slacklocal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"
)

// card posts a message with two buttons and returns its ts.
func card(t *testing.T, c *slack.Client, channel string) string {
	t.Helper()
	btn := func(id, label string) *slack.ButtonBlockElement {
		return slack.NewButtonBlockElement(id, "R-7F3K", slack.NewTextBlockObject("plain_text", label, false, false))
	}
	_, ts, err := c.PostMessage(channel, slack.MsgOptionText("Approval needed", false),
		slack.MsgOptionBlocks(slack.NewActionBlock("votes", btn("approve", "Approve"), btn("deny", "Deny…"))))
	if err != nil {
		t.Fatal(err)
	}
	return ts
}

func TestClickCarriesWhoAndWhat(t *testing.T) {
	s := start(t, Config{})
	b := connect(t, s)
	ts := card(t, b.api, DemoIncident)
	wantButtons := []Button{{"Approve", "approve", "votes", "R-7F3K", false}, {"Deny…", "deny", "votes", "R-7F3K", false}}
	if d := cmp.Diff(wantButtons, messages(t, s, "incident", "")[0].Buttons()); d != "" {
		t.Error(d)
	}
	answer := answerOf(func() (*Answer, error) {
		return s.Click(Click{User: "approver", Channel: "incident", TS: ts, ActionID: "approve", Value: "R-7F3K"})
	})
	e := b.ackNext(t, socketmode.EventTypeInteractive, map[string]any{})
	if a := answer(t); !a.OK {
		t.Errorf("%+v", a)
	}
	cb := e.Data.(slack.InteractionCallback)
	act := cb.ActionCallback.BlockActions[0]
	got := []string{string(cb.Type), cb.User.ID, cb.User.TeamID, cb.Team.ID, cb.Channel.ID, cb.Message.Timestamp, cb.Container.MessageTs, act.ActionID, act.BlockID, act.Value}
	want := []string{"block_actions", DemoApprover, DemoTeam, DemoTeam, DemoIncident, ts, ts, "approve", "votes", "R-7F3K"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if act.ActionTs == "" || cb.TriggerID == "" || cb.ResponseURL == "" {
		t.Errorf("action_ts %q, trigger_id %q, response_url %q", act.ActionTs, cb.TriggerID, cb.ResponseURL)
	}
	// A second tap has a different trigger id and a different action_ts.
	answer = answerOf(func() (*Answer, error) {
		return s.Click(Click{User: "approver", Channel: "incident", TS: ts, ActionID: "approve"})
	})
	again := b.ackNext(t, socketmode.EventTypeInteractive).Data.(slack.InteractionCallback)
	answer(t)
	if again.TriggerID == cb.TriggerID || again.ActionCallback.BlockActions[0].ActionTs == act.ActionTs {
		t.Error("two taps have the same trigger id or action_ts")
	}
}

func TestClicksOnMissingElements(t *testing.T) {
	s := start(t, Config{})
	c := api(s)
	ts := card(t, c, DemoIncident)
	ets, err := c.PostEphemeral(DemoIncident, DemoOperator, slack.MsgOptionBlocks(slack.NewActionBlock("", slack.NewButtonBlockElement("again", "", slack.NewTextBlockObject("plain_text", "Again", false, false)))))
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []struct {
		name string
		in   Click
		says string
	}{
		{"no such action", Click{User: "approver", Channel: "incident", TS: ts, ActionID: "explode"}, "approve (Approve), deny (Deny…)"},
		{"another value", Click{User: "approver", Channel: "incident", TS: ts, ActionID: "approve", Value: "R-0000"}, "no such"},
		{"another block", Click{User: "approver", Channel: "incident", TS: ts, ActionID: "approve", BlockID: "x"}, "no such"},
		{"no such message", Click{User: "approver", Channel: "incident", TS: "1.1", ActionID: "approve"}, "sees no message"},
		{"another person's ephemeral message", Click{User: "approver", Channel: "incident", TS: ets, ActionID: "again"}, "sees no message"},
		{"not in the channel", Click{User: "outsider", Channel: "incident", TS: ts, ActionID: "approve"}, "outsider is not in #incident"},
		{"nobody", Click{User: "ghost", Channel: "incident", TS: ts, ActionID: "approve"}, "has no person"},
	} {
		status, out := local(t, s, "click", bad.in)
		if text, _ := out["error"].(string); status != http.StatusBadRequest || !strings.Contains(text, bad.says) {
			t.Errorf("%s: %d %v, want %q", bad.name, status, out, bad.says)
		}
	}
}

func TestUnackedClickIsVisible(t *testing.T) {
	s := start(t, Config{Clocks: Clocks{Ack: 50 * time.Millisecond}})
	b := connect(t, s)
	ts := card(t, b.api, DemoIncident)
	a, err := s.Click(Click{User: "approver", Channel: "incident", TS: ts, ActionID: "approve"})
	if err != nil || a.Error != operationTimeout || a.Message == nil || !strings.Contains(a.Message.Text, `"Approve" failed with the error "operation_timeout"`) {
		t.Errorf("%+v, %v", a, err)
	}
}

// If a person belongs to another organisation, the payloads of their actions contain that
// organisation.
func TestOutsiderInASharedChannel(t *testing.T) {
	s := start(t, Config{})
	b := connect(t, s)
	answer := answerOf(func() (*Answer, error) {
		return s.Slash(SlashCommand{User: "outsider", Channel: "shared-vendor", Text: "status"})
	})
	cmd := b.ackNext(t, socketmode.EventTypeSlashCommand).Data.(slack.SlashCommand)
	answer(t)
	ts := card(t, b.api, DemoShared)
	answer = answerOf(func() (*Answer, error) {
		return s.Click(Click{User: "outsider", Channel: "shared-vendor", TS: ts, ActionID: "approve"})
	})
	cb := b.ackNext(t, socketmode.EventTypeInteractive).Data.(slack.InteractionCallback)
	answer(t)
	if _, err := s.Mention(Mention{User: "outsider", Channel: "shared-vendor", Text: "@dh status"}); err != nil {
		t.Fatal(err)
	}
	e := b.ackNext(t, socketmode.EventTypeEventsAPI)
	m := e.Data.(slackevents.EventsAPIEvent).InnerEvent.Data.(*slackevents.AppMentionEvent)
	got := []string{cmd.UserID, cmd.TeamID, cb.User.ID, cb.User.TeamID, cb.Team.ID, m.User, m.UserTeam, m.SourceTeam}
	want := []string{DemoOutsider, DemoOtherTeam, DemoOutsider, DemoOtherTeam, DemoOtherTeam, DemoOutsider, DemoOtherTeam, DemoOtherTeam}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	var outer struct {
		Shared bool   `json:"is_ext_shared_channel"`
		TeamID string `json:"team_id"`
	}
	if err := json.Unmarshal(e.Request.Payload, &outer); err != nil || !outer.Shared || outer.TeamID != DemoTeam {
		t.Errorf("outer event %+v, %v", outer, err)
	}
	if status, out := local(t, s, "slash", SlashCommand{User: "outsider", Channel: "incident"}); status != http.StatusBadRequest {
		t.Errorf("an outsider used a channel without being a member: %v", out)
	}
}

func TestMentionInAThread(t *testing.T) {
	s := start(t, Config{})
	b := connect(t, s)
	ts := card(t, b.api, DemoIncident)
	if _, err := s.Mention(Mention{User: "operator", Channel: "incident", Text: "status <http://db_dis|db_dis> <!here>", ThreadTS: ts}); err != nil {
		t.Fatal(err)
	}
	m := b.ackNext(t, socketmode.EventTypeEventsAPI).Data.(slackevents.EventsAPIEvent).InnerEvent.Data.(*slackevents.AppMentionEvent)
	// Links made by Slack stay, typed text is escaped.
	if want := "<@" + DemoBotUser + "> status <http://db_dis|db_dis> &lt;!here&gt;"; m.Text != want || m.ThreadTimeStamp != ts {
		t.Errorf("text %q in thread %q", m.Text, m.ThreadTimeStamp)
	}
	if status, _ := local(t, s, "mention", Mention{User: "operator", Channel: "incident", Text: "x", ThreadTS: "1.1"}); status != http.StatusBadRequest {
		t.Error("a mention in a thread that does not exist")
	}
}

// click sends a click, acknowledges it as the app, and returns the callback.
func click(t *testing.T, s *Server, b *bot, in Click) slack.InteractionCallback {
	t.Helper()
	answer := answerOf(func() (*Answer, error) { return s.Click(in) })
	cb := b.ackNext(t, socketmode.EventTypeInteractive).Data.(slack.InteractionCallback)
	answer(t)
	return cb
}

func TestTriggersLastThreeSecondsAndWorkOnce(t *testing.T) {
	now := time.Now()
	var ahead atomic.Int64
	s := start(t, Config{Now: func() time.Time { return now.Add(time.Duration(ahead.Load())) }})
	b := connect(t, s)
	in := Click{User: "approver", Channel: "incident", TS: card(t, b.api, DemoIncident), ActionID: "deny"}
	view := denyForm()
	cb := click(t, s, b, in)
	if _, err := b.api.OpenView(cb.TriggerID, view); err != nil {
		t.Fatal(err)
	}
	_, err := b.api.OpenView(cb.TriggerID, view)
	wantError(t, err, "exchanged_trigger_id")
	cb = click(t, s, b, in)
	ahead.Add(int64(3 * time.Second))
	_, err = b.api.OpenView(cb.TriggerID, view)
	wantError(t, err, "expired_trigger_id")
	_, err = b.api.OpenView("made up", view)
	wantError(t, err, "invalid_trigger_id")
}

func denyForm() slack.ModalViewRequest {
	plain := func(s string) *slack.TextBlockObject { return slack.NewTextBlockObject("plain_text", s, false, false) }
	reason := slack.NewPlainTextInputBlockElement(nil, "reason")
	reason.MaxLength = 20
	return slack.ModalViewRequest{
		Type: slack.VTModal, Title: plain("Deny R-7F3K"), Submit: plain("Deny"), CallbackID: "deny", PrivateMetadata: "R-7F3K",
		Blocks: slack.Blocks{BlockSet: []slack.Block{slack.NewInputBlock("why", plain("Reason"), nil, reason)}},
	}
}

// openForm opens the deny form as approver and returns its view.
func openForm(t *testing.T, s *Server, b *bot) *slack.ViewResponse {
	t.Helper()
	cb := click(t, s, b, Click{User: "approver", Channel: "incident", TS: card(t, b.api, DemoIncident), ActionID: "deny"})
	v, err := b.api.OpenView(cb.TriggerID, denyForm())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// modals returns the number of a user's open forms.
func modals(t *testing.T, s *Server, user string) int {
	t.Helper()
	resp, err := http.Get(s.URL() + "/local/views?user=" + user)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	list, _ := decode(t, resp.Body)["modals"].([]any)
	return len(list)
}

func TestFormRoundTrip(t *testing.T) {
	s := start(t, Config{})
	b := connect(t, s)
	v := openForm(t, s, b)
	for name, values := range map[string]object{"empty": {}, "too long": {"reason": x(21)}, "unknown": {"reason": "ok", "colour": "red"}} {
		if status, out := local(t, s, "submit", Submission{User: "approver", ViewID: v.ID, Values: values}); status != http.StatusBadRequest {
			t.Errorf("%s: %v", name, out)
		}
	}
	if status, out := local(t, s, "submit", Submission{User: "reader", ViewID: v.ID}); status != http.StatusBadRequest {
		t.Errorf("another person's form: %v", out)
	}
	submit := func(ack ...any) *Answer {
		answer := answerOf(func() (*Answer, error) {
			return s.Submit(Submission{User: "approver", ViewID: v.ID, Values: object{"reason": "wrong host"}})
		})
		cb := b.ackNext(t, socketmode.EventTypeInteractive, ack...).Data.(slack.InteractionCallback)
		got := []string{string(cb.Type), cb.User.ID, cb.View.CallbackID, cb.View.PrivateMetadata, cb.View.State.Values["why"]["reason"].Value}
		if d := cmp.Diff([]string{"view_submission", DemoApprover, "deny", "R-7F3K", "wrong host"}, got); d != "" {
			t.Error(d)
		}
		return answer(t)
	}
	if a := submit(slack.NewErrorsViewSubmissionResponse(map[string]string{"why": "say more"})); a.OK || a.Errors["why"] != "say more" {
		t.Errorf("%+v", a)
	}
	if n := modals(t, s, "approver"); n != 1 {
		t.Errorf("%d forms open after errors", n)
	}
	if a := submit(); !a.OK {
		t.Errorf("%+v", a)
	}
	if n := modals(t, s, "approver"); n != 0 {
		t.Errorf("%d forms open after the last submission", n)
	}
}

func TestViewLimitsAndUpdates(t *testing.T) {
	s := start(t, Config{})
	b := connect(t, s)
	v := openForm(t, s, b)
	long := denyForm()
	long.Title.Text = x(25)
	_, err := b.api.UpdateView(long, "", "", v.ID)
	var bad slack.SlackErrorResponse
	if !asSlackError(err, &bad) || bad.Err != "invalid_arguments" || !strings.Contains(strings.Join(bad.ResponseMetadata.Messages, " "), "/view/title/text") {
		t.Errorf("title of 25: %v", err)
	}
	open := denyForm()
	open.Submit = nil
	if _, err = b.api.UpdateView(open, "", "", v.ID); err == nil {
		t.Error("an input without a submit button")
	}
	if _, err := b.api.UpdateView(denyForm(), "", v.Hash, v.ID); err != nil {
		t.Error(err)
	}
	_, err = b.api.UpdateView(denyForm(), "", v.Hash, v.ID)
	wantError(t, err, "hash_conflict")
	var many []slack.Block
	for range 101 {
		many = append(many, slack.NewDividerBlock())
	}
	home := slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: many[:100]}}
	if _, err := b.api.PublishView(DemoReader, home, ""); err != nil {
		t.Error(err)
	}
	home.Blocks.BlockSet = many
	if _, err := b.api.PublishView(DemoReader, home, ""); err == nil {
		t.Error("101 blocks on a Home tab")
	}
	answer, err := s.OpenHome("reader")
	if err != nil || answer.View == nil {
		t.Errorf("%+v, %v", answer, err)
	}
	e := b.ackNext(t, socketmode.EventTypeEventsAPI).Data.(slackevents.EventsAPIEvent)
	if h, ok := e.InnerEvent.Data.(*slackevents.AppHomeOpenedEvent); !ok || h.User != DemoReader {
		t.Errorf("event %+v", e.InnerEvent)
	}
}

// hookPost posts to a response URL.
func hookPost(t *testing.T, url, body string) (int, string) {
	t.Helper()
	resp, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var out bytes.Buffer
	if _, err := out.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, out.String()
}

func TestResponseURL(t *testing.T) {
	now := time.Now()
	var ahead atomic.Int64
	s := start(t, Config{Now: func() time.Time { return now.Add(time.Duration(ahead.Load())) }})
	b := connect(t, s)
	slash := func() string {
		answer := answerOf(func() (*Answer, error) { return s.Slash(SlashCommand{User: "operator", Channel: "incident"}) })
		cmd := b.ackNext(t, socketmode.EventTypeSlashCommand).Data.(slack.SlashCommand)
		answer(t)
		return cmd.ResponseURL
	}
	url := slash()
	for i, body := range []string{`{"text":"mine"}`, `{"text":"ours","response_type":"in_channel"}`, `{"text":"mine again","replace_original":true}`, `{"text":"4"}`, `{"text":"5"}`} {
		if status, out := hookPost(t, url, body); status != 200 {
			t.Errorf("post %d: %d %s", i, status, out)
		}
	}
	if status, out := hookPost(t, url, `{"text":"6"}`); status != 404 || !strings.Contains(out, "used_url") {
		t.Errorf("sixth post: %d %s", status, out)
	}
	all := messages(t, s, "incident", "operator")
	if len(all) != 4 || all[0].Text != "mine again" || len(messages(t, s, "incident", "reader")) != 1 {
		t.Errorf("messages %+v", all)
	}
	late := slash()
	ahead.Add(int64(30 * time.Minute))
	if status, out := hookPost(t, late, `{"text":"late"}`); status != 404 || !strings.Contains(out, "expired_url") {
		t.Errorf("after 30 min: %d %s", status, out)
	}
	// The response URL of a click replaces the clicked message, even an ephemeral message.
	if _, err := b.api.PostEphemeral(DemoIncident, DemoReader, slack.MsgOptionBlocks(slack.NewActionBlock("", slack.NewButtonBlockElement("go", "", slack.NewTextBlockObject("plain_text", "Go", false, false))))); err != nil {
		t.Fatal(err)
	}
	list := messages(t, s, "incident", "reader")
	cb := click(t, s, b, Click{User: "reader", Channel: "incident", TS: list[len(list)-1].TS, ActionID: "go"})
	if status, out := hookPost(t, cb.ResponseURL, `{"text":"gone","replace_original":true}`); status != 200 {
		t.Errorf("%d %s", status, out)
	}
	list = messages(t, s, "incident", "reader")
	if m := list[len(list)-1]; m.Text != "gone" || m.Blocks != nil || !m.Ephemeral {
		t.Errorf("replaced by %+v", m)
	}
	if status, out := hookPost(t, cb.ResponseURL, `{"blocks":[{"type":"blink"}]}`); status != 400 || !strings.Contains(out, "invalid_blocks") {
		t.Errorf("bad blocks: %d %s", status, out)
	}
}

func TestOtherOriginsAreRefused(t *testing.T) {
	s := start(t, Config{})
	try := func(path, host, origin string) int {
		req, err := http.NewRequest(http.MethodPost, s.URL()+path, strings.NewReader(`{"user":"operator","channel":"incident","text":"x"}`))
		if err != nil {
			t.Fatal(err)
		}
		if host != "" {
			req.Host = host
		}
		if origin != "" {
			req.Header.Set("Origin", origin)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	for _, c := range []struct {
		host, origin string
		want         int
	}{
		{"", "", 200},
		{"", s.URL(), 200},
		{"localhost:80", "http://localhost:80", 200},
		{"", "https://evil.example", 403},
		{"", "null", 403},
		{"evil.example", "http://evil.example", 403},
	} {
		if got := try("/local/mention", c.host, c.origin); got != c.want {
			t.Errorf("host %q, origin %q: %d, want %d", c.host, c.origin, got, c.want)
		}
	}
}

func TestBadRequestsSayWhatIsWrong(t *testing.T) {
	s := start(t, Config{})
	for door, body := range map[string]string{"slash": `{"usr":"operator"}`, "mention": `[`, "home": `{"user":"ghost"}`, "close": `{"user":"reader","view_id":"V1"}`} {
		resp, err := http.Post(s.URL()+"/local/"+door, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		out := decode(t, resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest || out["ok"] != false || out["error"] == "" {
			t.Errorf("%s: %d %v", door, resp.StatusCode, out)
		}
	}
}

func TestLiveFeedAndPage(t *testing.T) {
	s := start(t, Config{})
	resp, err := http.Get(s.URL() + "/local/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Scan() // the feed says hello: from now on no change is missed
	if _, err := s.Mention(Mention{User: "operator", Channel: "incident", Text: "x"}); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() && lines.Text() == "" {
	}
	if want := `data: {"type":"message","channel":"` + DemoIncident + `"}`; lines.Text() != want {
		t.Errorf("the feed sent %q, want %q", lines.Text(), want)
	}
	for _, path := range []string{"/", "/window.html", "/desk.js", "/window.js", "/theme.css", "/desk.css", "/window.css", "/message.js", "/views.js", "/blocks.js", "/text.js", "/icon.svg"} {
		resp, err := http.Get(s.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK || !strings.Contains(resp.Header.Get("Content-Security-Policy"), "default-src 'self'") {
			t.Errorf("%s: %d, %q", path, resp.StatusCode, resp.Header.Get("Content-Security-Policy"))
		}
	}
}
