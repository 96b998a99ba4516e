package slackio

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"

	"dhbot/auth"
	"dhbot/handlers/call"
)

// TestDirectMessages: a direct message from a person to the bot is a command; other message events
// are not.
func TestDirectMessages(t *testing.T) {
	now := time.Unix(1_700_000_100, 0)
	self := Identity{User: "UBOT", Team: "T1"}
	for name, tt := range map[string]struct {
		event, text string // text is "" for an event that the bot ignores
	}{
		"a word":         {`{"type":"message","channel_type":"im","channel":"D1","user":"UANNA","text":"status db_dis","ts":"1700000000.000200"}`, "status db_dis"},
		"with a mention": {`{"type":"message","channel_type":"im","channel":"D1","user":"UANNA","text":"<@UBOT> status","ts":"1700000000.000200"}`, "status"},
		"in a channel":   {`{"type":"message","channel_type":"channel","channel":"C1","user":"UANNA","text":"status","ts":"1700000000.000200"}`, ""},
		"in a group":     {`{"type":"message","channel_type":"mpim","channel":"G1","user":"UANNA","text":"status","ts":"1700000000.000200"}`, ""},
		"the bot's own":  {`{"type":"message","channel_type":"im","channel":"D1","user":"UBOT","bot_id":"B1","text":"restart db_dis","ts":"1700000000.000200"}`, ""},
		"another app's":  {`{"type":"message","channel_type":"im","channel":"D1","user":"UAPP","bot_id":"B2","text":"restart db_dis","ts":"1700000000.000200"}`, ""},
		"an edit":        {`{"type":"message","subtype":"message_changed","channel_type":"im","channel":"D1","message":{"type":"message","user":"UANNA","text":"restart db_dis","ts":"1700000000.000200"},"ts":"1700000001.000200"}`, ""},
		"a deletion":     {`{"type":"message","subtype":"message_deleted","channel_type":"im","channel":"D1","ts":"1700000001.000200"}`, ""},
		"without a user": {`{"type":"message","channel_type":"im","channel":"D1","text":"restart db_dis","ts":"1700000000.000200"}`, ""},
		"from Slackbot":  {`{"type":"message","channel_type":"im","channel":"D1","user":"USLACKBOT","text":"status","ts":"1700000000.000200"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			body := `{"type":"event_callback","team_id":"T1","api_app_id":"A1","event_id":"Ev1","event":` + tt.event + `}`
			ev, err := slackevents.ParseEvent(json.RawMessage(body), slackevents.OptionNoVerifyToken())
			if err != nil {
				t.Fatal(err)
			}
			d, ok := decode(socketmode.Event{Data: ev}, self, slackClock{now: now})
			if ok != (tt.text != "") {
				t.Fatalf("accepted: %v, %+v", ok, d)
			}
			if !ok {
				return
			}
			m := d.message(claimed, channelFacts{member: true})
			if m.Text != tt.text || m.Via != call.Mention || !m.Alone || m.Account != (auth.Account{Team: "T1", User: "UANNA"}) || m.Key == "" {
				t.Errorf("message %+v, want a command from UANNA", m)
			}
		})
	}
}
