package slacklocal

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
)

// rawCall calls a method without a client library.
func rawCall(t *testing.T, s *Server, method, token, kind, body string) (*http.Response, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.APIURL()+method, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp, decode(t, resp.Body)
}

const form = "application/x-www-form-urlencoded"

func TestTokensAndErrorsAre200(t *testing.T) {
	ws := DemoWorkspace()
	ws.App.BotToken, ws.App.AppToken = "xoxb-right", "xapp-right"
	ws.App.Scopes = []string{"chat:write"}
	s := start(t, Config{Workspace: ws})
	for _, c := range []struct{ name, method, token, body, want string }{
		{"none", "auth.test", "", "", "not_authed"},
		{"unknown", "auth.test", "xoxb-wrong", "", "invalid_auth"},
		{"of another kind", "auth.test", "xoxp-right", "", "invalid_auth"},
		{"app token for a bot method", "chat.postMessage", "xapp-right", "", "not_allowed_token_type"},
		{"bot token for the socket", "apps.connections.open", "xoxb-right", "", "not_allowed_token_type"},
		{"in the header", "auth.test", "xoxb-right", "", ""},
		{"in the form", "auth.test", "", "token=xoxb-right", ""},
		{"scope missing", "users.info", "xoxb-right", "user=" + DemoReader, "missing_scope"},
		{"no such method", "chat.shout", "xoxb-right", "", "unknown_method"},
	} {
		resp, out := rawCall(t, s, c.method, c.token, form, c.body)
		got, _ := out["error"].(string)
		if resp.StatusCode != http.StatusOK || got != c.want || out["ok"] != (c.want == "") {
			t.Errorf("%s: %d %v, want %q", c.name, resp.StatusCode, out, c.want)
		}
		if got == "missing_scope" && (out["needed"] != "users:read" || out["provided"] != "chat:write") {
			t.Errorf("missing_scope without what is needed: %v", out)
		}
	}
}

// The same call has the same effect as JSON, as a form with JSON inside, and as multipart.
func TestBodiesOfEveryKind(t *testing.T) {
	s := start(t, Config{})
	blocks := `[{"type":"divider"}]`
	bodies := map[string]string{
		"application/json; charset=utf-8": `{"channel":"` + DemoIncident + `","text":"hi","blocks":` + blocks + `}`,
		form:                              url.Values{"channel": {DemoIncident}, "text": {"hi"}, "blocks": {blocks}}.Encode(),
		"multipart/form-data; boundary=x": "--x\r\nContent-Disposition: form-data; name=\"channel\"\r\n\r\n" + DemoIncident +
			"\r\n--x\r\nContent-Disposition: form-data; name=\"blocks\"\r\n\r\n" + blocks + "\r\n--x--\r\n",
	}
	for kind, body := range bodies {
		if _, out := rawCall(t, s, "chat.postMessage", s.BotToken(), kind, body); out["ok"] != true {
			t.Errorf("%s: %v", kind, out)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.APIURL()+"users.info?user="+DemoReader, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.BotToken())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if out := decode(t, resp.Body); out["ok"] != true {
		t.Errorf("GET: %v", out)
	}
	for _, m := range messages(t, s, "incident", "") {
		if len(m.blocks()) != 1 {
			t.Errorf("message without its block: %+v", m)
		}
	}
}

func TestPosting(t *testing.T) {
	ws := DemoWorkspace()
	ws.Channels = append(ws.Channels,
		Channel{ID: "C0SECRET00", Name: "secret", Members: []string{DemoOperator}, Private: true},
		Channel{ID: "C0OTHER000", Name: "other", Members: []string{DemoOperator}},
		Channel{ID: "C0OLD00000", Name: "old", Members: []string{DemoBotUser}, Archived: true})
	s := start(t, Config{Workspace: ws, Unlimited: true})
	c := api(s)
	post := func(channel string, opts ...slack.MsgOption) error {
		_, _, err := c.PostMessageContext(t.Context(), channel, opts...)
		return err
	}
	hi := slack.MsgOptionText("hi", false)
	wantError(t, post("C0NOWHERE0", hi), "channel_not_found")
	wantError(t, post("incident", hi), "channel_not_found") // ids only
	wantError(t, post("C0SECRET00", hi), "channel_not_found")
	wantError(t, post("C0OTHER000", hi), "not_in_channel")
	wantError(t, post("C0OLD00000", hi), "is_archived")
	wantError(t, post(DemoIncident), "no_text")
	wantError(t, post(DemoIncident, hi, slack.MsgOptionTS("1.000001")), "thread_not_found")
	if err := post(DemoIncident, slack.MsgOptionText(strings.Repeat("ä", maxText+5), false)); err != nil {
		t.Error(err)
	}
	if got := []rune(messages(t, s, "incident", "")[0].Text); len(got) != maxText {
		t.Errorf("a long text was cut to %d characters", len(got))
	}
	// A user id as the channel means the direct messages with that person.
	if err := post(DemoReader, hi); err != nil {
		t.Error(err)
	}
	if n := len(messages(t, s, "dm-reader", "reader")); n != 1 {
		t.Errorf("reader has %d direct messages", n)
	}
}

func TestUpdateEphemeralDelete(t *testing.T) {
	s := start(t, Config{Unlimited: true})
	c := api(s)
	blocks := slack.MsgOptionBlocks(slack.NewDividerBlock())
	_, ts, err := c.PostMessage(DemoIncident, slack.MsgOptionText("one", false), blocks)
	if err != nil {
		t.Fatal(err)
	}
	update := func(ts string, opts ...slack.MsgOption) error {
		_, _, _, err := c.UpdateMessage(DemoIncident, ts, opts...)
		return err
	}
	// Text without blocks removes the blocks.
	if err := update(ts, slack.MsgOptionText("two", false)); err != nil {
		t.Fatal(err)
	}
	m := messages(t, s, "incident", "")[0]
	if m.Text != "two" || m.Blocks != nil || len(m.History) != 1 || m.History[0].Text != "one" || m.History[0].Blocks == nil || m.EditedAt == nil {
		t.Errorf("after the edit: %+v", m)
	}
	wantError(t, update(ts, slack.MsgOptionText(strings.Repeat("x", maxUpdate+1), false)), "msg_too_long")
	wantError(t, update("1.000001", slack.MsgOptionText("x", false)), "message_not_found")
	wantError(t, update(ts), "no_text")
	a, err := s.Mention(Mention{User: "operator", Channel: "incident", Text: "@dh"})
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, update(a.TS, slack.MsgOptionText("x", false)), "cant_update_message")

	ets, err := c.PostEphemeral(DemoIncident, DemoReader, slack.MsgOptionText("psst", false))
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, update(ets, slack.MsgOptionText("x", false)), "message_not_found")
	if _, err := c.PostEphemeral(DemoIncident, DemoOutsider, slack.MsgOptionText("psst", false)); err == nil {
		t.Error("an ephemeral message for a person who is not in the channel")
	}
	if got, want := len(messages(t, s, "incident", "reader")), len(messages(t, s, "incident", "operator"))+1; got != want {
		t.Errorf("reader sees %d messages, want %d", got, want)
	}
	if _, _, err := c.DeleteMessage(DemoIncident, ts); err != nil {
		t.Error(err)
	}
	_, _, err = c.DeleteMessage(DemoIncident, ts)
	wantError(t, err, "message_not_found")
}

func TestRateLimits(t *testing.T) {
	now := time.Now()
	var ahead atomic.Int64
	s := start(t, Config{Now: func() time.Time { return now.Add(time.Duration(ahead.Load())) }})
	c := api(s)
	post := func(channel string) error {
		_, _, err := c.PostMessage(channel, slack.MsgOptionText("x", false))
		return err
	}
	for i := range posted.n {
		if err := post(DemoIncident); err != nil {
			t.Fatalf("post %d: %v", i, err)
		}
	}
	var limited *slack.RateLimitedError
	if err := post(DemoIncident); !errors.As(err, &limited) || limited.RetryAfter != posted.per {
		t.Fatalf("after a burst: %v", err)
	}
	if err := post(DemoAudit); err != nil {
		t.Errorf("another channel: %v", err)
	}
	ahead.Add(int64(limited.RetryAfter))
	if err := post(DemoIncident); err != nil {
		t.Errorf("after Retry-After: %v", err)
	}
	ts := messages(t, s, "incident", "")[0].TS
	edit := func() error {
		_, _, _, err := c.UpdateMessage(DemoIncident, ts, slack.MsgOptionText("y", false))
		return err
	}
	for i := range tier3.n {
		if err := edit(); err != nil {
			t.Fatalf("edit %d: %v", i, err)
		}
	}
	if err := edit(); !errors.As(err, &limited) {
		t.Errorf("edit %d within a minute: %v", tier3.n+1, err)
	}
}

func TestInjectedCallFaults(t *testing.T) {
	s := start(t, Config{})
	c := api(s)
	inject := func(f Fault) {
		t.Helper()
		if err := s.Inject(f); err != nil {
			t.Fatal(err)
		}
	}
	inject(Fault{Kind: "ratelimit", Count: 2, Method: "auth.test", RetryAfter: 7})
	for range 2 {
		_, err := c.AuthTest()
		var limited *slack.RateLimitedError
		if !errors.As(err, &limited) || limited.RetryAfter != 7*time.Second {
			t.Errorf("got %v", err)
		}
	}
	if _, err := c.AuthTest(); err != nil {
		t.Errorf("after the fault was used up: %v", err)
	}
	inject(Fault{Kind: "api-error", Method: "users.info", Error: "fatal_error", Count: -1})
	for range 3 {
		_, err := c.GetUserInfo(DemoReader)
		wantError(t, err, "fatal_error")
	}
	inject(Fault{Kind: "clear"})
	if _, err := c.GetUserInfo(DemoReader); err != nil {
		t.Error(err)
	}
	inject(Fault{Kind: "slow", MS: 60, Method: "auth.test"})
	began := time.Now()
	if _, err := c.AuthTest(); err != nil || time.Since(began) < 60*time.Millisecond {
		t.Errorf("%v after %v", err, time.Since(began))
	}
	inject(Fault{Kind: "stall", MS: 60})
	began = time.Now()
	if _, err := c.AuthTest(); err != nil || time.Since(began) < 40*time.Millisecond {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}

func TestDirectory(t *testing.T) {
	s := start(t, Config{})
	c := api(s)
	who, err := c.AuthTest()
	if err != nil || who.UserID != DemoBotUser || who.TeamID != DemoTeam || who.BotID != DemoBot {
		t.Errorf("auth.test: %+v, %v", who, err)
	}
	// A person of another organisation in a shared channel does not have is_stranger set. Only the
	// team shows that the person is from outside.
	u, err := c.GetUserInfo(DemoOutsider)
	if err != nil || u.IsStranger || u.TeamID != DemoOtherTeam {
		t.Errorf("outsider: %+v, %v", u, err)
	}
	if _, err := c.GetUserInfo("U0NOBODY00"); err == nil {
		t.Error("found nobody")
	}
	shared, err := c.GetConversationInfo(&slack.GetConversationInfoInput{ChannelID: DemoShared})
	if err != nil || !shared.IsExtShared || !shared.IsMember {
		t.Errorf("shared channel: %+v, %v", shared, err)
	}
	own, err := c.GetConversationInfo(&slack.GetConversationInfoInput{ChannelID: DemoIncident})
	if err != nil || own.IsExtShared || own.Name != "incident" {
		t.Errorf("own channel: %+v, %v", own, err)
	}
	var members []string
	for cursor := ""; ; {
		some, next, err := c.GetUsersInConversation(&slack.GetUsersInConversationParameters{ChannelID: DemoIncident, Cursor: cursor, Limit: 2})
		if err != nil {
			t.Fatal(err)
		}
		members = append(members, some...)
		if cursor = next; cursor == "" {
			break
		}
	}
	if d := cmp.Diff([]string{DemoBotUser, DemoOperator, DemoApprover, DemoApprover2, DemoReader}, members); d != "" {
		t.Error(d)
	}
	group, err := c.GetUserGroupMembers(DemoGroup)
	if d := cmp.Diff([]string{DemoApprover, DemoApprover2}, group); err != nil || d != "" {
		t.Error(err, d)
	}
	channels, _, err := c.GetConversations(&slack.GetConversationsParameters{})
	if err != nil || len(channels) != 3 {
		t.Errorf("%d channels, %v", len(channels), err)
	}
	users, err := c.GetUsers()
	if err != nil || len(users) != 6 {
		t.Errorf("%d users, %v", len(users), err)
	}
	dm, _, _, err := c.OpenConversation(&slack.OpenConversationParameters{Users: []string{DemoReader}})
	if err != nil || dm.ID != dmID(DemoReader) {
		t.Errorf("direct messages: %+v, %v", dm, err)
	}
}

func TestPeopleCanChange(t *testing.T) {
	s := start(t, Config{})
	yes := true
	if status, out := local(t, s, "person", PersonChange{User: "approver", Deleted: &yes, Restricted: &yes}); status != 200 {
		t.Fatal(out)
	}
	u, err := api(s).GetUserInfo(DemoApprover)
	if err != nil || !u.Deleted || !u.IsRestricted || u.IsBot {
		t.Errorf("%+v, %v", u, err)
	}
}

func TestHistoryPermalinkReaction(t *testing.T) {
	s := start(t, Config{})
	c := api(s)
	_, parent, err := c.PostMessage(DemoIncident, slack.MsgOptionText("parent", false))
	if err != nil {
		t.Fatal(err)
	}
	_, reply, err := c.PostMessage(DemoIncident, slack.MsgOptionText("reply", false), slack.MsgOptionTS(parent))
	if err != nil {
		t.Fatal(err)
	}
	h, err := c.GetConversationHistory(&slack.GetConversationHistoryParameters{ChannelID: DemoIncident})
	if err != nil || len(h.Messages) != 1 || h.Messages[0].Timestamp != parent {
		t.Errorf("history %+v, %v", h, err)
	}
	list, _, _, err := c.GetConversationReplies(&slack.GetConversationRepliesParameters{ChannelID: DemoIncident, Timestamp: parent})
	if err != nil || len(list) != 2 || list[1].Timestamp != reply {
		t.Errorf("replies %+v, %v", list, err)
	}
	link, err := c.GetPermalink(&slack.PermalinkParameters{Channel: DemoIncident, Ts: reply})
	if err != nil || !strings.Contains(link, reply) {
		t.Errorf("permalink %q, %v", link, err)
	}
	if err := c.AddReaction("eyes", slack.NewRefToMessage(DemoIncident, reply)); err != nil {
		t.Error(err)
	}
	wantError(t, c.AddReaction("eyes", slack.NewRefToMessage(DemoIncident, reply)), "already_reacted")
}

func TestFiles(t *testing.T) {
	s := start(t, Config{})
	c := api(s)
	content := "one\ntwo\n"
	f, err := c.UploadFile(slack.UploadFileParameters{Filename: "x.log", FileSize: len(content), Content: content, Channel: DemoIncident, Title: "log", InitialComment: "here"})
	if err != nil {
		t.Fatal(err)
	}
	m := messages(t, s, "incident", "")[0]
	if m.Text != "here" || len(m.Files) != 1 || m.Files[0].ID != f.ID || m.Files[0].Title != "log" {
		t.Errorf("message %+v", m)
	}
	resp, err := http.Get(m.Files[0].URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, _ := io.ReadAll(resp.Body); string(got) != content {
		t.Errorf("file holds %q", got)
	}
	// An upload without a client library may be raw and chunked. The server refuses an upload of
	// the wrong size, a second upload, and sharing a file before its upload.
	_, out := rawCall(t, s, "files.getUploadURLExternal", s.BotToken(), form, "filename=y.log&length=3")
	id, at := out["file_id"].(string), out["upload_url"].(string)
	if !strings.HasPrefix(at, s.URL()+"/") {
		t.Errorf("upload URL %s is not on %s", at, s.URL())
	}
	files, _ := json.Marshal([]map[string]string{{"id": id}})
	complete := url.Values{"files": {string(files)}, "channel_id": {DemoIncident}}.Encode()
	if _, out := rawCall(t, s, "files.completeUploadExternal", s.BotToken(), form, complete); out["error"] != "file_not_found" {
		t.Errorf("completed before the upload: %v", out)
	}
	upload := func(body io.Reader) int {
		resp, err := http.Post(at, "application/octet-stream", body)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	chunked := io.MultiReader(bytes.NewBufferString("ab"), bytes.NewBufferString("c"))
	if got := []int{upload(strings.NewReader("abcd")), upload(chunked), upload(strings.NewReader("abc"))}; !cmp.Equal(got, []int{400, 200, 410}) {
		t.Errorf("statuses %v", got)
	}
	if _, out := rawCall(t, s, "files.completeUploadExternal", s.BotToken(), form, complete); out["ok"] != true {
		t.Errorf("completing: %v", out)
	}
}
