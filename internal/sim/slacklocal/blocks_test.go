package slacklocal

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
)

// repeat joins n copies of an item with commas, as in a JSON list.
func repeat(item string, n int) string {
	return strings.TrimSuffix(strings.Repeat(item+",", n), ",")
}

func x(n int) string { return strings.Repeat("x", n) }

func button(extra string) string {
	return `{"type":"button","text":{"type":"plain_text","text":"Go"}` + extra + `}`
}

// Each limit is tested with the largest accepted size and with the smallest refused size. For the
// refused size, the test also checks Slack's message.
func TestBlockLimits(t *testing.T) {
	section := func(n int) string { return `{"type":"section","text":{"type":"mrkdwn","text":"` + x(n) + `"}}` }
	header := func(n int) string { return `{"type":"header","text":{"type":"plain_text","text":"` + x(n) + `"}}` }
	fields := func(n, size int) string {
		return `{"type":"section","fields":[` + repeat(`{"type":"plain_text","text":"`+x(size)+`"}`, n) + `]}`
	}
	actions := func(elements string) string { return `{"type":"actions","elements":[` + elements + `]}` }
	confirm := func(title, text int) string {
		return actions(button(fmt.Sprintf(`,"confirm":{"title":{"type":"plain_text","text":%q},"text":{"type":"mrkdwn","text":%q},"confirm":{"type":"plain_text","text":"Yes"},"deny":{"type":"plain_text","text":"No"}}`, x(title), x(text))))
	}
	for _, c := range []struct{ name, good, bad, says string }{
		{"blocks of a message", repeat(`{"type":"divider"}`, 50), repeat(`{"type":"divider"}`, 51), "no more than 50 items allowed [json-pointer:/blocks]"},
		{"section", section(3000), section(3001), "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"},
		{"empty text", section(1), section(0), "must be more than 0 characters"},
		{"header", header(150), header(151), "must be less than 151 characters"},
		{"header in mrkdwn", header(1), `{"type":"header","text":{"type":"mrkdwn","text":"x"}}`, "/blocks/0/text/type"},
		{"fields", fields(10, 1), fields(11, 1), "no more than 10 items allowed [json-pointer:/blocks/0/fields]"},
		{"field", fields(1, 2000), fields(1, 2001), "must be less than 2001 characters"},
		{"section of nothing", section(1), `{"type":"section"}`, "missing required field: text"},
		{"actions", actions(repeat(button(""), 25)), actions(repeat(button(""), 26)), "no more than 25 items allowed"},
		{"no actions", actions(button("")), actions(""), "no less than 1 items allowed"},
		{"context", `{"type":"context","elements":[` + repeat(`{"type":"mrkdwn","text":"x"}`, 10) + `]}`, `{"type":"context","elements":[` + repeat(`{"type":"mrkdwn","text":"x"}`, 11) + `]}`, "no more than 10 items"},
		{"button label", actions(button(`,"style":"danger"`)), actions(`{"type":"button","text":{"type":"plain_text","text":"` + x(76) + `"}}`), "must be less than 76 characters"},
		{"button value", actions(button(`,"value":"` + x(2000) + `"`)), actions(button(`,"value":"` + x(2001) + `"`)), "must be less than 2001 characters"},
		{"action id", actions(button(`,"action_id":"` + x(255) + `"`)), actions(button(`,"action_id":"` + x(256) + `"`)), "must be less than 256 characters"},
		{"action ids twice", actions(button(`,"action_id":"a"`) + "," + button(`,"action_id":"b"`)), actions(repeat(button(`,"action_id":"a"`), 2)), "already exists"},
		{"block ids twice", `{"type":"divider","block_id":"a"},{"type":"divider","block_id":"b"}`, repeat(`{"type":"divider","block_id":"a"}`, 2), "already exists"},
		{"button style", actions(button(`,"style":"primary"`)), actions(button(`,"style":"green"`)), "must be one of"},
		{"confirm title", confirm(100, 300), confirm(101, 300), "must be less than 101 characters"},
		{"confirm text", confirm(100, 300), confirm(100, 301), "must be less than 301 characters"},
		{"verbatim is mrkdwn's", `{"type":"section","text":{"type":"mrkdwn","text":"x","verbatim":true}}`, `{"type":"section","text":{"type":"plain_text","text":"x","verbatim":true}}`, "invalid additional property: verbatim"},
		{"unknown type", `{"type":"divider"}`, `{"type":"blink"}`, "unsupported type: blink"},
		{"unknown field", `{"type":"divider"}`, `{"type":"divider","color":"red"}`, "invalid additional property: color"},
		{"text input in a message", `{"type":"divider"}`, `{"type":"input","label":{"type":"plain_text","text":"x"},"element":{"type":"plain_text_input"}}`, "unsupported type: plain_text_input"},
		{"rich text", `{"type":"rich_text","elements":[{"type":"rich_text_preformatted","elements":[{"type":"text","text":"x"}]}]}`, `{"type":"rich_text","elements":[{"type":"rich_text_preformatted","elements":[{"type":"user","user_id":"U1"}]}]}`, "unsupported type: user"},
		{"rich text list", `{"type":"rich_text","elements":[{"type":"rich_text_list","style":"bullet","elements":[{"type":"rich_text_section","elements":[]}]}]}`, `{"type":"rich_text","elements":[{"type":"rich_text_list","elements":[]}]}`, "missing required field: style"},
		{"table", `{"type":"table","rows":[[{"type":"raw_text","text":"a"}]]}`, repeat(`{"type":"table","rows":[[{"type":"raw_text","text":"a"}]]}`, 2), "only one table"},
		{"table rows", `{"type":"table","rows":[` + repeat(`[{"type":"raw_text","text":"a"}]`, 100) + `]}`, `{"type":"table","rows":[` + repeat(`[{"type":"raw_text","text":"a"}]`, 101) + `]}`, "no more than 100 items"},
		{"all the text", repeat(section(2600), 5), repeat(section(2601), 5), "about 13000 are allowed"},
	} {
		if err := checkJSON(t, c.good); err != nil {
			t.Errorf("%s: refused: %v", c.name, err)
		}
		if err := checkJSON(t, c.bad); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.says)
		}
	}
}

func checkJSON(t *testing.T, list string) error {
	t.Helper()
	var blocks []any
	if err := json.Unmarshal([]byte("["+list+"]"), &blocks); err != nil {
		t.Fatal(err)
	}
	return checkBlocks(blocks, onMessage, "/blocks")
}

// A client gets the error code and the messages for a wrong block, and an error for blocks with
// more than 13,000 characters.
func TestRefusedBlocksOnTheWire(t *testing.T) {
	s := start(t, Config{})
	c := api(s)
	_, _, err := c.PostMessage(DemoIncident, slack.MsgOptionBlocks(slack.NewHeaderBlock(slack.NewTextBlockObject("plain_text", x(151), false, false))))
	var bad slack.SlackErrorResponse
	if !asSlackError(err, &bad) || bad.Err != "invalid_blocks" || len(bad.ResponseMetadata.Messages) != 1 {
		t.Fatalf("got %#v", err)
	}
	if want := "[ERROR] must be less than 151 characters [json-pointer:/blocks/0/text/text]"; bad.ResponseMetadata.Messages[0] != want {
		t.Errorf("says %q, want %q", bad.ResponseMetadata.Messages[0], want)
	}
	var many []slack.Block
	for range 5 {
		many = append(many, slack.NewSectionBlock(slack.NewTextBlockObject("mrkdwn", x(2700), false, false), nil, nil))
	}
	_, _, err = c.PostMessage(DemoIncident, slack.MsgOptionBlocks(many...))
	wantError(t, err, "msg_blocks_too_long")
	if n := len(messages(t, s, "incident", "")); n != 0 {
		t.Errorf("%d refused messages were stored", n)
	}
}

func TestNotified(t *testing.T) {
	mrkdwn := func(text, more string) string {
		return `{"type":"section","text":{"type":"mrkdwn","text":` + fmt.Sprintf("%q", text) + more + `}}`
	}
	for _, c := range []struct {
		name, text, blocks string
		want               []string
	}{
		{"tokens in the text", "<!here> <@U123> <!subteam^S1|@x> <!channel|x>", "", []string{"!here", "@U123", "!subteam^S1", "!channel"}},
		{"escaped", "&lt;!here&gt;", mrkdwn("&lt;@U123&gt;", ""), nil},
		{"bare word in mrkdwn", "", mrkdwn("tell @everyone now", ""), []string{"!everyone"}},
		{"bare word, verbatim", "", mrkdwn("tell @everyone now", `,"verbatim":true`), nil},
		{"an address", "", mrkdwn("root@here.example", ""), nil},
		{"plain text", "", `{"type":"section","text":{"type":"plain_text","text":"@here <!here>"}}`, nil},
		{"preformatted", "", `{"type":"rich_text","elements":[{"type":"rich_text_preformatted","elements":[{"type":"text","text":"@here <!here>"}]}]}`, nil},
		{"rich text elements", "", `{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"user","user_id":"U1"},{"type":"broadcast","range":"here"}]}]}`, []string{"@U1", "!here"}},
	} {
		var blocks []any
		if err := json.Unmarshal([]byte("["+c.blocks+"]"), &blocks); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, notified(c.text, blocks)); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}
