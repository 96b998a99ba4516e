package slackio

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"pgregory.net/rapid"

	"dhbot/internal/card/runcard"
	"dhbot/internal/engine"
	"dhbot/internal/slackio/blockkit"
	"dhbot/runbooks"
)

// TestDetailPagesFit: however long a plan is, its pages fit into a window and
// show every step in full. A command that is too long for a page is cut with a
// note.
func TestDetailPagesFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := engine.Run{ID: "R-7F3K", Plan: runbooks.Plan{Digest: strings.Repeat("7f", 32), Title: "restart db_dis", Cluster: "prod"}}
		command := rapid.Custom(func(t *rapid.T) string {
			return strings.Repeat(rapid.StringN(1, 40, 60).Draw(t, "text"), rapid.IntRange(1, 40).Draw(t, "times"))
		})
		for i := range rapid.IntRange(1, 120).Draw(t, "steps") {
			r.Plan.Steps = append(r.Plan.Steps, runbooks.Step{Kind: runbooks.Exec, Title: fmt.Sprintf("step-%d-", i), Host: "infra-1", Login: "dhops",
				Command: command.Draw(t, "command"), Sent: command.Draw(t, "sent")})
		}
		seen := 0
		for page, more := 0, true; more; page++ {
			f := runcard.DetailsPage(r, page)
			view, err := demoRenderer.Form(f, "C0INCIDENT", "")
			if err != nil {
				t.Fatal(err)
			}
			b, err := json.Marshal(view.Blocks)
			if err != nil {
				t.Fatal(err)
			}
			if len(view.Blocks.BlockSet) > 100 || len(b) > 3*blockkit.MaxBlocksJSON {
				t.Fatalf("page %d has %d blocks, %d bytes", page, len(view.Blocks.BlockSet), len(b))
			}
			cut := strings.Contains(string(b), "shortened to fit")
			for ; seen < len(r.Plan.Steps) && strings.Contains(string(b), fmt.Sprintf("· step-%d-", seen)); seen++ {
				if st := r.Plan.Steps[seen]; cut && blockkit.JsonLen(st.Command)+blockkit.JsonLen(st.Sent) < 6_000 {
					t.Fatalf("page %d is cut at step %d, which would fit", page, seen)
				}
			}
			more = false
			for _, b := range f.Buttons {
				more = more || strings.HasPrefix(b.Label, "Next")
			}
		}
		if seen != len(r.Plan.Steps) {
			t.Fatalf("%d of %d steps are shown", seen, len(r.Plan.Steps))
		}
	})
}

// TestDetailsTurnPages: a tap on a button in a window is answered in that
// window, and the answer keeps the channel and thread from which it was opened.
func TestDetailsTurnPages(t *testing.T) {
	var c slack.InteractionCallback
	err := json.Unmarshal([]byte(`{"type":"block_actions","user":{"id":"U1","team_id":"T1"},"trigger_id":"t",
		"container":{"type":"view","view_id":"V1"},
		"view":{"id":"V1","type":"modal","private_metadata":"{\"action\":\"details\",\"value\":\"v\",\"channel\":\"C1\",\"thread\":\"1.2\"}"},
		"actions":[{"type":"button","block_id":"b","action_id":"details","value":"R-7F3K 7f3a9c 1","action_ts":"1700000000.000200"}]}`), &c)
	if err != nil {
		t.Fatal(err)
	}
	d := clickDelivery(c, slackClock{now: time.Unix(1700000001, 0)})
	if d == nil || d.View != "V1" || d.Channel != "C1" || d.Thread != "1.2" || d.Value != "R-7F3K 7f3a9c 1" {
		t.Errorf("delivery %+v, want the tap in the window", d)
	}
}
