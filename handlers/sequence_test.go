package handlers

import (
	"strings"
	"testing"

	"dhbot/auth"
	"dhbot/handlers/call"
	"dhbot/internal/card"
	"dhbot/internal/card/runcard"
	"dhbot/internal/engine"
	"dhbot/internal/fleet"
)

// TestSequenceNeedsTheTypedName: approving a run over a whole host or cluster requires the
// typed target. The card lists the processes and hosts to restart.
func TestSequenceNeedsTheTypedName(t *testing.T) {
	for _, tt := range []struct {
		text, target, summary string
		typed                 bool
	}{
		{"restart-host query-1", "query-1", "query-1 4: log_aggregator_service, tailer1, db_tdcp, db_query_server", true},
		{"restart-all", "prod", "processes on 3 hosts, one after the other", true},
		{"restart-all in prod", "prod", "infra-1 11: configuration_server, authentication_server, log_aggregator_service, db_dis, db_ltds and 6 more", true},
		{"dh-monit-restart-all query-1", "query-1", "dh_monit restart", true},
		{"restart db_dis", "db_dis", "restart db_dis", false},
	} {
		h := newTestService(t)
		h.Fleet.Clusters[0] = estate(fleet.ACLsInEtcd)
		a := h.say("UANNA", tt.text+" because of the patch")
		open := h.openRuns(t)
		if len(open) != 1 {
			t.Errorf("%s: %d runs: %s", tt.text, len(open), a.all())
			continue
		}
		r := open[0].Run
		if text := card.PlainText(runcard.Run(r)); !strings.Contains(text, tt.summary) {
			t.Errorf("%s: its card has no %q:\n%s", tt.text, tt.summary, text)
		}
		tap := h.message("UBEN", "")
		tap.Via, tap.Tap = call.Button, call.Tap{Action: TapApprove, Value: r.ID + " " + r.Plan.Digest}
		a = h.handleMessage(tap)
		after, err := h.store.Get(t.Context(), r.ID)
		if err != nil {
			t.Fatal(err)
		}
		if asks := len(a.forms) == 1; asks != tt.typed || asks == (after.Run.State != engine.Waiting) {
			t.Errorf("%s: %d forms, %s, %s", tt.text, len(a.forms), after.Run.State, a.all())
		}
		if !tt.typed {
			continue
		}
		form := h.message("UBEN", "")
		form.Via, form.Tap = call.Form, call.Tap{Action: TapApproved, Value: r.ID + " " + r.Plan.Digest, Fields: map[string]string{"text": tt.target}}
		form.Account = auth.Account{Team: homeTeam, User: "UBEN"}
		h.handleMessage(form)
		if after, err = h.store.Get(t.Context(), r.ID); err != nil || after.Run.State == engine.Waiting {
			t.Errorf("%s: %s typed: %s, %v", tt.text, tt.target, after.Run.State, err)
		}
	}
}
