package handlers

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dhbot/auth"
	"dhbot/handlers/call"
	"dhbot/internal/audit"
	"dhbot/internal/command"
	"dhbot/internal/incident"
	"dhbot/runbooks"
)

// opened stores n open incidents of a cluster, numbered from 1, each with a card.
func (h *testService) opened(t *testing.T, cluster string, n int) {
	t.Helper()
	c := incident.Cluster{V: incident.FormVersion, Cluster: cluster, Last: n}
	for i := range n {
		at := h.Now().Add(-time.Minute)
		c.Incidents = append(c.Incidents, &incident.Incident{
			ID: fmt.Sprintf("%s-%d", cluster, i+1), Opened: at,
			Items: []incident.Item{{Change: incident.Change{
				At: at, Since: at, Target: runbooks.Target{Process: "db_dis", Host: "infra-1"}, From: runbooks.None, To: runbooks.Critical, Headline: "Down when it should be up",
			}, First: at, Peak: runbooks.Critical}},
			Message: incident.Message{Channel: "C1", TS: fmt.Sprintf("1.%d", i+1)},
		})
	}
	data, err := incident.Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.store.SetWatchState(t.Context(), incident.ClusterName(cluster), data, 0, nil, ""); err != nil {
		t.Fatal(err)
	}
}

func (h *testService) handling(t *testing.T, cluster, id string) incident.Handling {
	t.Helper()
	list, err := incident.Handlings(t.Context(), h.store, cluster)
	if err != nil {
		t.Fatal(err)
	}
	return list[id].Handling
}

func contains(t *testing.T, answer string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(answer, p) {
			t.Errorf("%q is missing in %s", p, answer)
		}
	}
}

// Commands and buttons follow the same rules, and each change is recorded.
func TestIncidentHandling(t *testing.T) {
	h := newTestService(t)
	contains(t, h.say("URITA", "incidents").all(), "No open incident")
	contains(t, h.say("UANNA", "own").all(), "No open incident", "Nothing was changed")
	h.opened(t, "prod", 1)
	contains(t, h.say("URITA", "incidents").all(), "1 open incident", "prod-1", "no owner")
	refused(t, h.say("URITA", "own prod-1"), auth.LacksRole)
	refused(t, h.say("UCHRIS", "own"), auth.LacksRole)
	contains(t, h.say("UANNA", "own prod-1").all(), "anna is on it")
	refused(t, h.say("UBEN", "acknowledge"), incident.Owned)
	refused(t, h.say("UBEN", "handover prod-1 rita"), call.BadArgument)
	contains(t, h.say("UANNA", "handover prod-1 to @ben end of shift").all(), "handed the incident over to ben: end of shift")
	refused(t, h.say("UBEN", "mute prod-1 2h"), incident.MuteLength)
	contains(t, h.say("UBEN", "mute prod-1 for 20m").all(), "ben muted notifications until")
	contains(t, h.say("UBEN", "mute end").all(), "switched notifications on again")
	contains(t, h.say("UANNA", "note disk replaced, rebuilding at 14:00").all(), "anna: disk replaced, rebuilding at 14:00")
	contains(t, h.say("UANNA", "incidents prod-1").all(), "ben has been on it", "[Release]", "[Mute 30m]", "[→ anna]")
	contains(t, h.say("UANNA", "release").all(), "anna released the incident, which ben owned")
	refused(t, h.say("UANNA", "own prod-9"), call.NotFound)
	tap := h.message("UANNA", "")
	tap.Via, tap.Tap = call.Button, call.Tap{Action: "command", Value: command.Fields{Verb: "own", Incident: "prod-1"}.Encode()}
	contains(t, h.handleMessage(tap).all(), "anna is on it")
	form := h.message("UBEN", "")
	form.Via, form.Tap = call.Button, call.Tap{Action: "command", Value: command.Fields{Verb: "note", Incident: "prod-1"}.Encode()}
	if a := h.handleMessage(form); len(a.forms) != 1 || a.forms[0].Value != "prod-1" {
		t.Errorf("no form: %+v", a)
	}
	form = h.message("UBEN", "")
	form.Via, form.Tap = call.Form, call.Tap{Action: "noted", Value: "prod-1", Fields: map[string]string{"text": "looked at the disk"}}
	contains(t, h.handleMessage(form).all(), "ben: looked at the disk")
	if o := h.handling(t, "prod", "prod-1").Owner; o == nil || o.Person != "anna" {
		t.Errorf("owner %+v", o)
	}

	var told []string
	if err := h.store.Trail(t.Context(), 1, func(s audit.Sealed) error {
		if r := s.Record; r.Action == "incident" {
			told = append(told, r.Person+" "+strings.Fields(r.Outcome)[0]+" "+r.Target)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	want := "anna took prod-1, anna handed prod-1, ben muted prod-1, ben unmuted prod-1, anna noted prod-1, anna released prod-1, anna took prod-1, ben noted prod-1"
	if got := strings.Join(told, ", "); got != want {
		t.Errorf("recorded\n%s\nwant\n%s", got, want)
	}
	contains(t, h.say("URITA", "timeline since=2h").all(), "disk replaced, rebuilding", "looked at the disk")
}

// If several incidents are open, a command without an id changes nothing and shows each as
// a button. In the thread of an incident, the command applies to that incident.
func TestSeveralIncidents(t *testing.T) {
	h := newTestService(t)
	h.opened(t, "prod", 2)
	for _, text := range []string{"own", "release", "mute", "mute 30m", "handover ben", "note text"} {
		contains(t, h.say("UANNA", text).all(), "Which incident? Nothing was changed", "prod-1", "prod-2", "["+strings.Fields(text)[0]+" prod-2]")
	}
	if list, err := incident.Handlings(t.Context(), h.store, "prod"); err != nil || len(list) != 0 {
		t.Errorf("an incident was changed: %v %v", list, err)
	}
	m := h.message("UANNA", "own")
	m.Via, m.Thread = call.Mention, "1.2"
	contains(t, h.handleMessage(m).all(), "prod-2", "anna is on it")
}

// An incident of a hidden cluster is answered like an unknown incident.
func TestHiddenIncident(t *testing.T) {
	h := newTestService(t)
	h.opened(t, "qa", 1)
	h.opened(t, "prod", 1)
	for _, text := range []string{"incidents qa-1", "own qa-1", "own qa-77", "mute qa-1"} {
		if answer := h.say("UBEN", text).all(); !strings.Contains(answer, "There is no open incident") && !strings.Contains(answer, "I don't know “qa-1”") {
			t.Errorf("%s: %s", text, answer)
		}
	}
	contains(t, h.say("UBEN", "own").all(), "prod-1", "ben is on it")
	contains(t, h.say("UANNA", "own").all(), "Which incident?", "qa-1")
	for _, text := range []string{"own prod-1 tomorrow", "own prod-1 not", "release prod-1 when it is green"} {
		contains(t, h.say("UBEN", text).all(), "You typed:")
	}
}

func TestMayOwn(t *testing.T) {
	h := newTestService(t)
	account := func(user string) incident.Owner {
		return incident.Owner{Person: user, Account: auth.Account{Team: homeTeam, User: user}}
	}
	h.dir.profiles["UBEN"] = auth.Profile{Account: auth.Account{Team: homeTeam, User: "UBEN"}, ID: "UBEN", Organisation: homeTeam, Deleted: true}
	for user, ok := range map[string]bool{"UANNA": true, "UBEN": false, "UCHRIS": false, "UNOBODY": false} {
		if err := h.MayOwn(t.Context(), "prod", account(user)); (err == nil) != ok {
			t.Errorf("%s: %v", user, err)
		}
	}
}
