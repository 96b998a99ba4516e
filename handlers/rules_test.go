package handlers

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"dhbot/auth"
	"dhbot/handlers/call"
	"dhbot/internal/card/runcard"
	"dhbot/internal/command"
	"dhbot/internal/engine"
	"dhbot/internal/refusal"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

func (h *testService) tap(user string, via call.Via, action, value, text string) *answers {
	m := h.message(user, "")
	m.Via, m.Tap = via, call.Tap{Action: action, Value: value, Fields: map[string]string{"text": text}}
	return h.handleMessage(m)
}

// TestDestructiveApproval: a destructive run needs two approvers. Each must type the target's name,
// in a command or in a form.
func TestDestructiveApproval(t *testing.T) {
	h := newTestService(t)
	h.say("UANNA", "keystore-replace in prod certificates end on Friday")
	r := h.openRuns(t)[0].Run
	value := r.ID + " " + r.Plan.Digest
	name := runcard.Target(r)
	for what, try := range map[string]func() *answers{
		"typed without the name":     func() *answers { return h.say("UBEN", "approve "+r.ID) },
		"typed with another name":    func() *answers { return h.say("UBEN", "approve "+r.ID+" db_dis") },
		"a tap":                      func() *answers { return h.tap("UBEN", call.Button, TapApprove, value, "") },
		"a tap that says the name":   func() *answers { return h.tap("UBEN", call.Button, TapApprove, value, name) },
		"a form without the name":    func() *answers { return h.tap("UBEN", call.Form, TapApproved, value, "") },
		"a form with another name":   func() *answers { return h.tap("UBEN", call.Form, TapApproved, value, "db_dis") },
		"a form without a digest":    func() *answers { return h.tap("UBEN", call.Form, TapApproved, r.ID, name) },
		"a form of another plan":     func() *answers { return h.tap("UBEN", call.Form, TapApproved, r.ID+" 0000", name) },
		"the requester types it all": func() *answers { return h.say("UANNA", "approve "+r.ID+" "+name) },
	} {
		a := try()
		if now := h.run(t, r.ID); len(now.Votes) != 0 || now.State != engine.Waiting {
			t.Fatalf("%s: %s with %d approvals", what, now.State, len(now.Votes))
		}
		if len(a.whispered)+len(a.forms) == 0 {
			t.Errorf("%s: no answer", what)
		}
	}
	h.tap("UBEN", call.Form, TapApproved, value, name)
	if now := h.run(t, r.ID); len(now.Votes) != 1 || now.State != engine.Waiting {
		t.Fatalf("after the first: %s with %d approvals", now.State, len(now.Votes))
	}
	h.say("UCHRIS", "approve "+r.ID+" "+name)
	if now := h.run(t, r.ID); len(now.Votes) != 2 || now.State != engine.Approved {
		t.Errorf("after the second: %s with %d approvals", now.State, len(now.Votes))
	}
}

// secretFiles returns a catalog with the action peek, which has the given class.
func secretFiles(class, catalog string) string {
	return "catalog: " + catalog + `
actions:
  - action: peek
    title: what is in a file
    about: cluster
    class: ` + class + `
    level: 1
    steps:
      - {kind: wait, title: the file, process: db_dis, run: [sudo, cat, /etc/peek], until: shown, timeout: 15s, within: 15s, source: "own.md:1"}
`
}

// TestPlanClass: in some clusters, the plan of a verb has a different class than the verb itself.
// The gate checks both classes before a host is queried.
func TestPlanClass(t *testing.T) {
	catalogs, err := catalogs.Load(fstest.MapFS{
		"a.yaml": {Data: []byte(secretFiles("read", "current"))}, "b.yaml": {Data: []byte(secretFiles("sensitive", "legacy-20200121"))},
	})
	if err != nil {
		t.Fatal(err)
	}
	h := newTestServiceWith(t, func(s *call.Settings) { s.Catalogs = catalogs })
	h.Rules.Clusters["qa"] = auth.Roles{auth.Reader: {"rita"}, auth.Data: {"anna"}}
	if a := h.say("URITA", "peek in prod"); len(h.hosts.sent) == 0 {
		t.Errorf("a read: %q", a.all())
	}
	h.hosts.sent = nil
	a := h.say("URITA", "peek in qa")
	if !strings.Contains(a.all(), "role `data`") || len(h.hosts.sent) != 0 || len(a.direct) != 0 {
		t.Errorf("a sensitive read: %q, direct %q, sent %q", a.all(), a.direct, h.hosts.sent)
	}
	if a := h.say("UANNA", "peek in qa"); len(a.direct) != 1 {
		t.Errorf("with the role: %q, direct %q", a.all(), a.direct)
	}
}

// TestGateClass: a change without a plan has the class of its verb.
func TestGateClass(t *testing.T) {
	h := newTestService(t)
	refused(t, h.say("URITA", "maintenance db_ltds 2h"), auth.LacksRole)
	if list, err := h.store.Maintenance(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("announced: %v, %v", list, err)
	}
}

// TestWhoMay checks who may use each verb on a run, whatever the state of the run.
func TestWhoMay(t *testing.T) {
	const noRole, ownRequest = auth.LacksRole, auth.OwnRequest
	for _, tt := range []struct {
		verb, person string
		level        runbooks.Severity
		want         refusal.Code // "" if the gate allows it
	}{
		{"cancel", "anna", runbooks.Critical, ""}, {"cancel", "chris", runbooks.Critical, ""}, {"cancel", "rita", runbooks.Critical, noRole},
		{"close", "anna", runbooks.Critical, ownRequest}, {"close", "anna", runbooks.Unknown, ownRequest}, {"close", "anna", runbooks.Moderate, ""},
		{"close", "chris", runbooks.Critical, ""}, {"close", "rita", runbooks.Low, noRole},
		{"done", "anna", runbooks.Critical, ""}, {"done", "ben", runbooks.Critical, ""}, {"done", "chris", runbooks.Critical, noRole}, {"done", "rita", runbooks.Critical, noRole},
		{"continue", "anna", runbooks.Critical, ""}, {"continue", "chris", runbooks.Critical, noRole}, {"continue", "rita", runbooks.Low, noRole},
		{"approve", "ben", runbooks.Critical, ""}, {"approve", "anna", runbooks.Critical, ownRequest}, {"approve", "rita", runbooks.Critical, noRole},
		{"deny", "chris", runbooks.Critical, ""}, {"deny", "rita", runbooks.Critical, noRole},
		{"looking", "chris", runbooks.Critical, ""}, {"looking", "rita", runbooks.Critical, noRole},
		{"withdraw", "rita", runbooks.Critical, ""}, {"show", "rita", runbooks.Critical, ""}, {"details", "rita", runbooks.Critical, ""},
		{"explode", "ben", runbooks.Critical, "none"},
	} {
		h := newTestService(t)
		who, _ := h.Rules.Identify(auth.Profile{Account: auth.Account{Team: homeTeam, User: "U" + strings.ToUpper(tt.person)}, ID: "U" + strings.ToUpper(tt.person), Organisation: homeTeam})
		r := engine.Run{Asked: engine.Actor{Person: "anna"}, Plan: runbooks.Plan{Cluster: "prod", Class: runbooks.Disruptive, Severity: tt.level}}
		err := h.mayRun(&call.Call{Cmd: command.Command{Verb: tt.verb}, Who: call.Person{Person: who}, About: r})
		code := refusal.Code("")
		if refusal := (*refusal.Error)(nil); errors.As(err, &refusal) {
			code = refusal.Code
		} else if err != nil {
			code = "none"
		}
		if code != tt.want {
			t.Errorf("%s of a run of level %s by %s: %q, want %q", tt.verb, tt.level, tt.person, code, tt.want)
		}
	}
	for _, cmd := range command.Table() {
		if _, has := runRules[cmd.Verb]; has != (cmd.Object == command.RunNamed) {
			t.Errorf("%s has a rule: %v", cmd.Verb, has)
		}
	}
}

// asking records the maxAge of each look-up.
type asking struct {
	call.Directory
	ages []time.Duration
}

func (a *asking) Lookup(ctx context.Context, of auth.Account, maxAge time.Duration) (auth.Profile, error) {
	a.ages = append(a.ages, maxAge)
	return a.Directory.Lookup(ctx, of, maxAge)
}

// TestChangesQueryTheirAuthorAgain: the bot looks up the author of every change again, and uses no
// earlier answer of the platform.
func TestChangesQueryTheirAuthorAgain(t *testing.T) {
	h := newTestService(t)
	a := &asking{Directory: h.Directory}
	h.Directory = a
	for text, want := range map[string]bool{"restart db_ltds": true, "maintenance db_ltds 2h": true, "approve R-7F3K db_dis": true, "status db_ltds": false, "runs": false} {
		a.ages = nil
		h.say("UANNA", text)
		if got := slices.Contains(a.ages, 0); got != want {
			t.Errorf("%s: asked with %v", text, a.ages)
		}
	}
}

// TestRecheckInSilence: while Slack does not answer, an approval by the requester's own
// local user does not count.
func TestRecheckInSilence(t *testing.T) {
	h := newTestService(t)
	h.say("UANNA", "restart db_dis")
	id := h.openRuns(t)[0].Run.ID
	h.say("UBEN", "approve "+id+" db_dis")
	r := h.run(t, id)
	r.Asked.Origin, r.Votes[0].Origin = "uid 1", "uid 1"
	if err := h.Recheck(t.Context(), r); err != nil {
		t.Fatalf("while Slack answers: %v", err)
	}
	h.dir.profiles["UBEN"] = auth.Profile{Account: r.Votes[0].Account, ID: "UBEN", Organisation: homeTeam, SilentSince: h.Now()}
	if err := h.Recheck(t.Context(), r); err == nil {
		t.Error("while Slack does not answer, the requester's own user approved")
	}
	r.Votes[0].Origin = "uid 2"
	if err := h.Recheck(t.Context(), r); err != nil {
		t.Errorf("by another user: %v", err)
	}
}

// TestRecheckCountsThisPlan: before the start, an approval of another plan does not count,
// and a run whose requester is now only a reader is refused.
func TestRecheckCountsThisPlan(t *testing.T) {
	h := newTestService(t)
	h.say("UANNA", "restart db_dis")
	id := h.openRuns(t)[0].Run.ID
	h.say("UBEN", "approve "+id+" db_dis")
	r := h.run(t, id)
	if err := h.Recheck(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	r.Votes = []engine.Vote{{Actor: r.Votes[0].Actor, At: r.Votes[0].At, Digest: strings.Repeat("0", 64)}}
	if err := h.Recheck(t.Context(), r); err == nil {
		t.Error("an approval of another plan counts")
	}
	r = h.run(t, id)
	h.Rules.Clusters["prod"] = auth.Roles{auth.Reader: {"anna"}, auth.Approver: {"ben", "chris"}}
	if err := h.Recheck(t.Context(), r); err == nil {
		t.Error("a run is accepted although its requester may now only read")
	}
}
