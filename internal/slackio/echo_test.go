package slackio_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"dhbot/handlers/call"
	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/secret"
	"dhbot/internal/slackio"
	"dhbot/internal/test/memstore"
)

// TestAnswerWithUnreadableMessage checks answers of Slack with a copy of the message that slack-go
// cannot parse. The post still succeeds, with the id from the answer. An error, and an answer that
// is not a JSON object, stay unchanged.
func TestAnswerWithUnreadableMessage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ answer, ts, code string }{
		{answer: `{"ok":true,"channel":"C1","ts":"1.2","message":{"blocks":[{"type":"rich_text","elements":"of a new kind"}]}}`, ts: "1.2"},
		{answer: `{"ok":true,"channel":"C1","ts":"1.2"}`, ts: "1.2"},
		{answer: `{"ok":false,"error":"is_archived","message":{"blocks":7}}`, code: "is_archived"},
		{answer: `<html>`, code: "invalid character"},
	} {
		slack := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, tt.answer) }))
		t.Cleanup(slack.Close)
		edge, err := slackio.New(slackio.Config{
			IsHome: func(string, string) bool { return true }, IsKnown: func(string) bool { return true }, AppToken: secret.New("xapp-1"), BotToken: secret.New("xoxb-1"), APIURL: slack.URL, Claims: memstore.New(memstore.Config{}),
			Handler: func(context.Context, call.Message, call.Reply) bool { return false },
		})
		if err != nil {
			t.Fatal(err)
		}
		ts, err := edge.Post(t.Context(), engine.Place{Channel: "C1"}, card.Card{Push: "hello"})
		if ts != tt.ts || (err == nil) != (tt.code == "") || (err != nil && !strings.Contains(err.Error(), tt.code)) {
			t.Errorf("%s: posted as %q, %v", tt.answer, ts, err)
		}
	}
}
