package slackio_test

import (
	"testing"
	"time"

	"dhbot/internal/presence"
	"dhbot/internal/sim/slacklocal"
	"dhbot/internal/slackio"
)

// If Slack refuses one of the two methods, the answer of the other method is used. People about
// whom Slack refuses to answer have no entry.
func TestAbsences(t *testing.T) {
	t.Parallel()
	w := newSilentWorld(t, nil, func(*slackio.Config) {})
	yes, until := true, time.Now().Add(2*time.Hour).Unix()
	change := func(c slacklocal.PersonChange) {
		t.Helper()
		if _, err := w.local.ChangePerson(c); err != nil {
			t.Fatal(err)
		}
	}
	change(slacklocal.PersonChange{User: "approver", DNDUntil: &until})
	change(slacklocal.PersonChange{User: "operator", Away: &yes})
	users := []string{slacklocal.DemoApprover, slacklocal.DemoOperator, slacklocal.DemoReader, "U0NOBODY"}
	operator, approver := presence.Absence{Away: true}, presence.Absence{DND: time.Unix(until, 0)}
	ask := func(fails bool, approver presence.Absence) {
		t.Helper()
		got, err := w.edge.Absences(t.Context(), users)
		if len(got) != 3 || got[slacklocal.DemoOperator] != operator || got[slacklocal.DemoApprover] != approver || (err != nil) != fails {
			t.Errorf("absences %+v, %v", got, err)
		}
	}
	ask(true, approver)
	users = users[:3]
	ask(false, approver)
	w.inject(slacklocal.Fault{Kind: "api-error", Method: "dnd.teamInfo", Error: "missing_scope", Count: -1})
	ask(true, presence.Absence{})
	w.inject(slacklocal.Fault{Kind: "api-error", Method: "users.getPresence", Error: "missing_scope", Count: -1})
	if got, err := w.edge.Absences(t.Context(), users); len(got) != 0 || err == nil {
		t.Errorf("an entry although Slack refused to answer: %+v, %v", got, err)
	}
	if h := w.edge.Health(); len(h.Refused) > 0 {
		t.Errorf("the token is reported as refused: %v", h.Refused)
	}
}
