package demo_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"dhbot/internal/sim/demo"
	"dhbot/internal/sim/slacklocal"
)

// homeOf returns a user's Home tab as JSON, and the id of its view.
func homeOf(t *testing.T, d *demo.Demo, user string) (text, id string) {
	t.Helper()
	_, home, err := d.Slack.Views(user)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(home)
	if err != nil {
		t.Fatal(err)
	}
	id, _ = home["id"].(string)
	return string(b), id
}

// awaitHome waits until a user's Home tab contains all words.
func awaitHome(t *testing.T, d *demo.Demo, user string, words ...string) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		text, _ := homeOf(t, d, user)
		missing := ""
		for _, w := range words {
			if !strings.Contains(text, w) {
				missing = w
			}
		}
		if missing == "" {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s's Home tab lacks %q:\n%s", user, missing, text)
		}
	}
}

// button returns the action id, the block id and the value of a button on a Home tab.
func button(t *testing.T, d *demo.Demo, user, label string) (action, block, value string) {
	t.Helper()
	_, home, err := d.Slack.Views(user)
	if err != nil {
		t.Fatal(err)
	}
	blocks, _ := home["blocks"].([]any)
	for _, b := range blocks {
		b, _ := b.(map[string]any)
		elements, _ := b["elements"].([]any)
		for _, e := range elements {
			e, _ := e.(map[string]any)
			text, _ := e["text"].(map[string]any)
			if e["type"] == "button" && text["text"] == label {
				action, _ = e["action_id"].(string)
				block, _ = b["block_id"].(string)
				value, _ = e["value"].(string)
				return action, block, value
			}
		}
	}
	t.Fatalf("%s's Home tab has no button %q", user, label)
	return "", "", ""
}

// request types a command as the operator in the incident channel.
func request(t *testing.T, d *demo.Demo, text string) {
	t.Helper()
	acked(t, text, func() (*slacklocal.Answer, error) {
		return d.Slack.Slash(slacklocal.SlashCommand{User: "operator", Channel: slacklocal.DemoIncident, Command: "/dh", Text: text})
	})
}

// acked calls try, which types a command or taps a button. Like a person, it tries again if Slack
// reports that the app did not answer in time, or if the bot answers that its store does not answer.
// Both happen on a busy machine.
func acked(t *testing.T, what string, try func() (*slacklocal.Answer, error)) {
	t.Helper()
	for range 10 {
		answer, err := try()
		if err != nil {
			t.Fatal(err)
		}
		if answer.OK && (answer.Message == nil || !strings.Contains(answer.Message.Text, "state store does not answer")) {
			return
		}
		t.Logf("the answer to %q is %+v", what, answer)
	}
	t.Fatalf("Slack refuses %q", what)
}

// TestHomeTab checks the app's Home tab. The tab shows waiting requests and the state of the
// cluster, accepts an approval, and is updated while it is open. A user without read access sees
// none of this.
func TestHomeTab(t *testing.T) {
	t.Parallel()
	o := demo.Options{Generation: "current", Pace: 0.1, Log: warnings(t)}
	err := demo.Run(t.Context(), o, func(_ context.Context, d *demo.Demo) error {
		request(t, d, "restart db_dis disk was full")
		for end := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
			list, err := d.Slack.Messages("incident", "")
			if err != nil || time.Now().After(end) {
				shown, _ := d.Slack.Messages("incident", "operator")
				t.Fatalf("no request: %v; the operator sees %+v", err, shown)
			}
			if len(list) > 0 {
				break
			}
		}
		for _, user := range []string{"approver", "operator", "outsider"} {
			if _, err := d.Slack.OpenHome(user); err != nil {
				return err
			}
		}
		awaitHome(t, d, "approver", "Approval needed", "disk was full", "as expected", "Nothing is locked")
		awaitHome(t, d, "outsider", "Not allowed")
		if text, _ := homeOf(t, d, "outsider"); strings.Contains(text, "db_dis") || strings.Contains(text, "prod") {
			t.Errorf("an outsider sees: %s", text)
		}
		if _, home, err := d.Slack.Views("reader"); err != nil || home != nil {
			t.Errorf("a person who has not opened the Home tab has one: %v, %v", home, err)
		}

		tap := func(user string) {
			_, view := homeOf(t, d, user)
			action, block, value := button(t, d, user, "Approve")
			acked(t, user+"'s tap on Approve", func() (*slacklocal.Answer, error) {
				return d.Slack.Click(slacklocal.Click{User: user, ViewID: view, ActionID: action, BlockID: block, Value: value})
			})
		}
		tap("operator") // the requester
		tap("approver")
		awaitHome(t, d, "approver", "0 open", "Done in")
		awaitHome(t, d, "operator", "0 open", "Done in")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
