package card_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/card/runcard"
	"dhbot/internal/command"
	"dhbot/internal/engine"
	"dhbot/internal/observe"
	"dhbot/internal/status"
	"dhbot/runbooks"
)

// TestWorst checks that the worst severity of no rows, and of rows in unknown states, is unknown.
func TestWorst(t *testing.T) {
	row := func(s runbooks.Severity) status.Row { return status.Row{Finding: observe.Finding{Severity: s}} }
	for _, tt := range []struct {
		name string
		rows []status.Row
		want runbooks.Severity
	}{
		{"an empty board", nil, runbooks.Unknown},
		{"all as expected", []status.Row{row(runbooks.None), row(runbooks.None)}, runbooks.None},
		{"one unknown, one as expected", []status.Row{row(runbooks.None), row(runbooks.Unknown)}, runbooks.Unknown},
		{"one critical", []status.Row{row(runbooks.Low), row(runbooks.Critical), row(runbooks.None)}, runbooks.Critical},
	} {
		if got := (status.Board{Rows: tt.rows}).Worst(); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// If a restart succeeds but the process is not ready, the card shows the state of the pid and
// offers the next actions. If the log could not be read, nobody knows whether the process is
// ready, so the card shows no state of the pid and offers no actions.
func TestNotReadyOffersNextActions(t *testing.T) {
	exit := 0
	for state, want := range map[engine.StepState]string{engine.StepNoted: "status  stop", engine.StepDone: ""} {
		run := engine.Run{
			ID: "R-7F3K", State: engine.Done, Asked: engine.Actor{Person: "anna"},
			Plan: runbooks.Plan{Cluster: "prod", Action: "restart", Steps: []runbooks.Step{
				{Kind: runbooks.Wait, Until: runbooks.Ready, Process: "db_dis", Host: "infra-1"},
			}},
			Steps: []engine.Step{{State: state, Exit: &exit, NewPID: 7, Kept: []string{"pid 7: sleeping", "thread dump:"}}},
		}
		for range 2 {
			var verbs []string
			c := runcard.Run(run)
			for _, b := range c.Buttons {
				f, _ := command.Decode(b.Value) // a thread dump was kept: the button for it shows the details of the run
				verbs = append(verbs, f.Verb)
			}
			if got := strings.Join(verbs, " "); got != want || strings.Contains(card.PlainText(c), "pid 7: sleeping") != (want != "") {
				t.Errorf("%s: offers %q, want %q: %s", state, got, want, card.PlainText(c))
			}
			run.Steps[0].Exit, want = nil, "" // the host did not answer
		}
	}
}

// A run that was stopped while it waited for a person says only that the bot changed nothing.
func TestStoppedAtManualStep(t *testing.T) {
	begun := time.Date(2026, 3, 14, 14, 7, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		step engine.Step
		want string
	}{
		"the step did not begin": {engine.Step{State: engine.StepSkipped}, "Nothing was changed."},
		"the step began":         {engine.Step{State: engine.StepSkipped, Started: &begun}, "The bot changed nothing. Check this step, which a person may have begun: move the file"},
	} {
		run := engine.Run{
			ID: "R-7F3K", State: engine.Cancelled, Asked: engine.Actor{Person: "anna"},
			Plan:  runbooks.Plan{Cluster: "prod", Steps: []runbooks.Step{{Kind: runbooks.Manual, Title: "move the file", Host: "infra-1"}}},
			Steps: []engine.Step{tt.step},
		}
		text := card.PlainText(runcard.Run(run))
		if !strings.Contains(text, tt.want) || strings.Contains(text, "Nothing was changed") != (tt.step.Started == nil) {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// However many checks had no result, one more approval is needed.
func TestOneMoreApproval(t *testing.T) {
	run := engine.Run{ID: "R-7F3K", State: engine.Waiting, Need: 2, Unclear: []engine.Unclear{{Step: 0, Text: "no etcdctl on infra-1"}, {Step: 3, Text: "no etcdctl on infra-2"}}}
	text := card.PlainText(runcard.Run(run))
	want := "Could not be checked, so one more approval is needed: no etcdctl on infra-1\n⚠️ Could not be checked either: no etcdctl on infra-2\n"
	if !strings.Contains(text, want) || strings.Count(text, "one more approval") != 1 {
		t.Error(text)
	}
}

// If monit does not watch the process, the restart is not sent, and the card offers to start the
// process. After any other failure the card offers only a status.
func TestRestartOfAnUnwatchedOffersStart(t *testing.T) {
	for state, want := range map[observe.State]bool{observe.NotMonitored: true, observe.Missing: false, observe.Up: false} {
		seen, err := json.Marshal(observe.Observation{State: state})
		if err != nil {
			t.Fatal(err)
		}
		run := engine.Run{
			ID: "R-7F3K", State: engine.Failed, Asked: engine.Actor{Person: "anna"},
			Plan: runbooks.Plan{Cluster: "prod", Action: "restart", Steps: []runbooks.Step{
				{Kind: runbooks.Wait, Until: runbooks.Supervised, Process: "db_dis", Host: "infra-1"},
			}},
			Steps: []engine.Step{{State: engine.StepFailed, Seen: seen}},
		}
		offered := false
		for _, b := range runcard.Run(run).Buttons {
			f, err := command.Decode(b.Value)
			offered = offered || err == nil && f.Verb == "start"
		}
		if offered != want {
			t.Errorf("%s: start offered: %v", state, offered)
		}
	}
}

// TestLocksNameWhoCloses checks that someone other than the requester must
// close a run with an unknown outcome, unless its level is 2 or 3.
func TestLocksNameWhoCloses(t *testing.T) {
	for level, other := range map[runbooks.Severity]bool{runbooks.Critical: true, runbooks.Unknown: true, runbooks.Moderate: false, runbooks.Low: false} {
		run := engine.Run{ID: "R-7F3K", State: engine.Unknown, Asked: engine.Actor{Person: "anna"}, Plan: runbooks.Plan{Severity: level}}
		text := card.PlainText(runcard.Locks([]engine.Lock{{Name: "prod/process/db_dis", Run: run.ID}}, []engine.Stored{{Run: run}}, time.Now()))
		if got := strings.Contains(text, "other than anna"); got != other {
			t.Errorf("level %s: names another person: %v\n%s", level, got, text)
		}
	}
}
