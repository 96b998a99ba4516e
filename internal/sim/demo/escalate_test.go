package demo_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dhbot/internal/app"
	"dhbot/internal/sim/demo"
	"dhbot/internal/sim/hostsim"
	"dhbot/internal/sim/slacklocal"
)

// escalatingBot is the whole bot with a clock that the test controls. It includes an Alertmanager that
// records the alerts it receives.
type escalatingBot struct {
	t     *testing.T
	ahead atomic.Int64
	pager *httptest.Server
	store app.Store

	mu     sync.Mutex
	alerts []sentAlert
}

type sentAlert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
}

func newEscalatingBot(t *testing.T) *escalatingBot {
	n := &escalatingBot{t: t}
	n.pager = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var list []sentAlert
		if r.Method == http.MethodPost {
			if err := json.NewDecoder(r.Body).Decode(&list); err != nil {
				t.Errorf("the pager got a body that is not a list of alerts: %v", err)
			}
		}
		n.mu.Lock()
		defer n.mu.Unlock()
		n.alerts = append(n.alerts, list...)
	}))
	t.Cleanup(n.pager.Close)
	return n
}

func (n *escalatingBot) now() time.Time { return time.Now().Add(time.Duration(n.ahead.Load())) }

// run calls f with a running bot. The bot's escalation mentions people or a group before it
// alerts the pager. The argument mentioned is the part of the config that names these people or
// this group.
func (n *escalatingBot) run(mentioned string, watch bool, f func(d *demo.Demo) error) {
	n.t.Helper()
	o := demo.Options{
		Generation: hostsim.Current, Pace: 0.1, Log: warnings(n.t), Watch: watch, Now: n.now,
		Wrap:       func(e *app.Edges) { n.store = e.Store },
		Escalation: fmt.Sprintf("{after: 5m, %s, page: {after: 10m, shape: alertmanager, url: %q}}", mentioned, n.pager.URL+"/api/v2/alerts"),
	}
	if err := demo.Run(n.t.Context(), o, func(_ context.Context, d *demo.Demo) error { return f(d) }); err != nil {
		n.t.Fatal(err)
	}
}

// pass advances the clock by d and waits until done returns true. While it waits, it advances the
// clock further, because the machine may be slow.
func (n *escalatingBot) pass(d time.Duration, what string, done func() bool) {
	n.t.Helper()
	n.ahead.Add(int64(d))
	for range 12 {
		for range 200 {
			if done() {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		n.ahead.Add(int64(30 * time.Second))
	}
	n.t.Fatalf("not within two minutes: %s", what)
}

// sent returns the alerts that the pager received, oldest first.
func (n *escalatingBot) sent() []sentAlert {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.alerts)
}

// find returns the first message in the incident channel that contains all
// words.
func (n *escalatingBot) find(d *demo.Demo, words ...string) (slacklocal.Message, bool) {
	n.t.Helper()
	list, err := d.Slack.Messages(slacklocal.DemoIncident, "")
	if err != nil {
		n.t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(m slacklocal.Message) bool {
		all := m.Text + string(m.Blocks)
		return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(all, w) })
	})
	if i < 0 {
		return slacklocal.Message{}, false
	}
	return list[i], true
}

func (n *escalatingBot) has(d *demo.Demo, words ...string) func() bool {
	return func() bool { _, ok := n.find(d, words...); return ok }
}

// away makes every approver of the demo absent, each in a different way.
func (n *escalatingBot) away(d *demo.Demo) {
	n.t.Helper()
	yes, until := true, n.now().Add(8*time.Hour).Unix()
	for _, p := range []slacklocal.PersonChange{{User: "approver", Away: &yes}, {User: "approver2", DNDUntil: &until}} {
		if _, err := d.Slack.ChangePerson(p); err != nil {
			n.t.Fatal(err)
		}
	}
}

// TestIncidentWithoutOwner checks an incident without an owner. First the bot mentions
// people in the thread of the incident and in the channel, and reports who is away. Then it
// alerts the pager, and resolves the alert when the incident ends.
func TestIncidentWithoutOwner(t *testing.T) {
	t.Parallel()
	n := newEscalatingBot(t)
	n.run("people: [approver, approver2]", true, func(d *demo.Demo) error {
		n.away(d)
		if err := d.Hosts.Fault("infra-1", "db_dis", "stop"); err != nil {
			return err
		}
		await(t, "the incident", n.has(d, "incident prod-1", "Sev 1"))
		card, _ := n.find(d, "incident prod-1", "Sev 1")
		n.pass(5*time.Minute, "people are called", n.has(d, "No owner for"))
		call, _ := n.find(d, "No owner for")
		if call.ThreadTS != card.TS || !call.Broadcast {
			t.Errorf("called in the thread %s, shown in the channel %v, want the thread %s and both", call.ThreadTS, call.Broadcast, card.TS)
		}
		if want := []string{"@" + slacklocal.DemoApprover, "@" + slacklocal.DemoApprover2}; !slices.Equal(slices.Sorted(slices.Values(call.Notifies)), slices.Sorted(slices.Values(want))) {
			t.Errorf("the call notifies %q, want %q", call.Notifies, want)
		}
		for _, words := range []string{"approver is away", "approver2: Do Not Disturb until"} {
			if !strings.Contains(string(call.Blocks), words) {
				t.Errorf("%q is missing in %s", words, call.Blocks)
			}
		}
		n.pass(5*time.Minute, "the pager is alerted", func() bool { return len(n.sent()) > 0 && n.has(d, "Alertmanager was alerted")() })
		first := n.sent()[0]
		if first.Labels["about"] != "prod-1" || first.Labels["severity"] != "critical" || !first.EndsAt.After(n.now()) || first.GeneratorURL == "" {
			t.Errorf("the pager got %+v", first)
		}
		if err := d.Hosts.Fault("infra-1", "db_dis", "start"); err != nil {
			return err
		}
		n.pass(time.Minute, "the alert is resolved", func() bool {
			list := n.sent()
			last := list[len(list)-1]
			return len(list) > 1 && last.Labels["about"] == "prod-1" && !last.EndsAt.After(n.now())
		})
		n.once(d, "No owner for", "Alertmanager was alerted")
		return nil
	})
}

// TestRequestWithoutVotes checks a Sev 1 request for which nobody votes. The card shows which of
// the mentioned approvers are away. Then the bot mentions a user group, and after that it alerts
// the pager. It mentions the requester once, at the end of the request.
func TestRequestWithoutVotes(t *testing.T) {
	t.Parallel()
	n := newEscalatingBot(t)
	n.run("group: "+slacklocal.DemoGroup, false, func(d *demo.Demo) error {
		n.away(d)
		request(t, d, "restart db_dis because disk was full")
		run := shows(t, d, "Approval needed")
		card, _ := n.find(d, run, "Approval needed")
		for _, words := range []string{"approver is away", "approver2: Do Not Disturb until"} {
			if !strings.Contains(string(card.Blocks), words) {
				t.Errorf("%q is missing in %s", words, card.Blocks)
			}
		}
		await(t, "the stored place of the card, in whose thread the group is called", func() bool {
			post, ok, err := n.store.Post(t.Context(), run)
			return err == nil && ok && post.TS == card.TS
		})
		n.pass(5*time.Minute, "the group is called", n.has(d, "No approval or denial for", run))
		call, _ := n.find(d, "No approval or denial for", run)
		if call.ThreadTS != card.TS || !call.Broadcast || !slices.Contains(call.Notifies, "!subteam^"+slacklocal.DemoGroup) {
			t.Errorf("called in the thread %s, shown in the channel %v, notifies %q", call.ThreadTS, call.Broadcast, call.Notifies)
		}
		n.pass(5*time.Minute, "the pager is alerted", func() bool { return len(n.sent()) > 0 && n.has(d, "Alertmanager was alerted")() })
		if first := n.sent()[0]; first.Labels["about"] != run || first.Labels["severity"] != "critical" {
			t.Errorf("the pager got %+v", first)
		}
		n.pass(5*time.Minute, "it expires, and the alert is resolved", func() bool {
			list := n.sent()
			return len(list) > 1 && !list[len(list)-1].EndsAt.After(n.now()) && n.has(d, "Expired", "U0OPERATOR", run)()
		})
		end, _ := n.find(d, "Expired", "U0OPERATOR", run)
		if end.ThreadTS != card.TS || !end.Broadcast || !slices.Equal(end.Notifies, []string{"@" + slacklocal.DemoOperator}) {
			t.Errorf("the end is in the thread %s, shown in the channel %v, notifies %q", end.ThreadTS, end.Broadcast, end.Notifies)
		}
		n.once(d, "No approval or denial for", "Alertmanager was alerted")
		return nil
	})
}

// once checks, for each of the words, that exactly one message contains it. A duplicate would have
// appeared by now, because the bot has polled several times since.
func (n *escalatingBot) once(d *demo.Demo, words ...string) {
	n.t.Helper()
	list, err := d.Slack.Messages(slacklocal.DemoIncident, "")
	if err != nil {
		n.t.Fatal(err)
	}
	for _, w := range words {
		count := 0
		for _, m := range list {
			if strings.Contains(m.Text+string(m.Blocks), w) {
				count++
			}
		}
		if count != 1 {
			n.t.Errorf("%q is in %d messages, want 1", w, count)
		}
	}
}
