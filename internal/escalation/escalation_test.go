package escalation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dhbot/auth"
	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/incident"
	"dhbot/internal/pager"
	"dhbot/internal/publish"
	"dhbot/internal/test/fakeclock"
	"dhbot/internal/test/memstore"
	"dhbot/runbooks"
)

// bench simulates what an Escalator needs: a store that several leaders use in turn, a channel for
// messages, and a pager.
type bench struct {
	t     *testing.T
	store *memstore.Store
	mu    sync.Mutex
	said  []string
	fails error // the answer of the pager to an alert
	hangs bool  // whether the pager never answers
	open  []engine.Stored
	// refuse returns the error with which Slack answers a message, and the pager answers the end of
	// an alert.
	refuse func(ctx context.Context) error
	level  runbooks.Severity // the minimum severity of the policy
	// archived is a channel that accepts no messages.
	archived string
}

func newBench(t *testing.T) *bench {
	return &bench{t: t, store: memstore.New(memstore.Config{}), level: runbooks.Critical}
}

func (b *bench) say(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.said = append(b.said, text)
}

// refused returns the result of b.refuse, or nil if the test has not set it.
func (b *bench) refused(ctx context.Context) error {
	b.mu.Lock()
	refuse := b.refuse
	b.mu.Unlock()
	if refuse == nil {
		return nil
	}
	return refuse(ctx)
}

func (b *bench) setRefuse(refuse func(ctx context.Context) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refuse = refuse
}

func (b *bench) Post(ctx context.Context, at engine.Place, c card.Card) (string, error) {
	if err := b.refused(ctx); err != nil {
		return "", err
	}
	if at.Channel == b.archived {
		return "", fmt.Errorf("posting: %w", publish.ErrNoPlace)
	}
	first, _, _ := strings.Cut(card.PlainText(c), "\n")
	b.say(at.Channel + "/" + at.Thread + " " + first)
	return "9", nil
}

func (b *bench) Link(context.Context, string, string) (string, error) {
	return "https://x.slack.com/1", nil
}

func (b *bench) Trigger(ctx context.Context, a pager.Alert) error {
	b.say("page " + a.Key + " " + a.Severity)
	if b.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	return b.fails
}

func (b *bench) Resolve(ctx context.Context, a pager.Alert) error {
	if err := b.refused(ctx); err != nil {
		return err
	}
	b.say("resolve " + a.Key + " " + a.Severity)
	return nil
}

// runs is an engine.Runs whose open runs are set by the test.
type runs struct {
	engine.Runs
	*bench
}

func (r runs) Open(context.Context) ([]engine.Stored, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.open), nil
}

type posts struct{}

func (posts) Post(_ context.Context, run string) (publish.Post, bool, error) {
	return publish.Post{Channel: "C1", TS: "5"}, run != "R-NONE", nil
}

func (b *bench) policy() map[string]Policy {
	return map[string]Policy{"prod": {
		After: 5 * time.Minute, Level: b.level,
		Callees: []engine.Callee{{Person: "chris", Account: auth.Account{User: "U0CHRIS"}}},
		Page:    &Page{After: 10 * time.Minute, Name: "PagerDuty", Pager: b},
	}}
}

// lead runs an escalator until stop is called.
func (b *bench) lead() (stop func()) {
	b.t.Helper()
	e, err := New(Config{
		Keeper: b.store, Runs: runs{b.store, b}, Posts: posts{}, Messenger: b, Absent: func(context.Context, []engine.Callee) []card.Absent { return nil }, AuditChannel: "C0AUDIT", Clusters: b.policy(), Replica: "bot",
	})
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			b.t.Error(err)
		}
	}
}

func (b *bench) keep(name string, v any) {
	b.t.Helper()
	data, err := incident.Encode(v)
	if err != nil {
		b.t.Fatal(err)
	}
	var rev int64
	if err := b.store.WatchState(b.t.Context(), name, func(_ string, _ []byte, r int64) error { rev = r; return nil }); err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.store.SetWatchState(b.t.Context(), name, data, rev, nil, ""); err != nil {
		b.t.Fatal(err)
	}
}

// incident stores an open incident prod-7 with one item, whose level and worst case are the
// arguments.
func (b *bench) incident(level, worst runbooks.Severity) incident.Incident {
	now := time.Now()
	i := incident.Incident{ID: "prod-7", Opened: now, Message: incident.Message{Channel: "C1", TS: "7"}, Items: []incident.Item{{
		Change: incident.Change{Target: runbooks.Target{Process: "db_dis", Host: "infra-1"}, From: runbooks.None, To: level, WorstCase: worst, Since: now, Headline: "Down"},
	}}}
	b.keep(incident.ClusterName("prod"), incident.Cluster{V: incident.FormVersion, Cluster: "prod", Incidents: []*incident.Incident{&i}})
	return i
}

func (b *bench) handle(i incident.Incident, change func(h *incident.Handling)) {
	h := incident.Handling{V: incident.HandlingVersion, Cluster: "prod", ID: i.ID, Opened: i.Opened}
	change(&h)
	b.keep(h.Name(), h)
}

func (b *bench) want(want ...string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	ok := len(b.said) == len(want)
	for i := range min(len(b.said), len(want)) {
		ok = ok && strings.HasPrefix(b.said[i], want[i])
	}
	if !ok {
		b.t.Errorf("said:\n%s\nwant:\n%s", strings.Join(b.said, "\n"), strings.Join(want, "\n"))
	}
}

// An incident without an owner is reported once to people and then once to the pager, even if
// several replicas lead or believe that they lead. The end of the incident resolves the alert.
func TestIncidentThatNoOneTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		i := b.incident(runbooks.Critical, 0)
		first, second := b.lead(), b.lead()
		fakeclock.Advance(4 * time.Minute)
		b.want()
		fakeclock.Advance(2 * time.Minute)
		people := "C1/7 🚨 No owner for 5 min · prod-7"
		b.want(people)
		first()
		third := b.lead()
		fakeclock.Advance(5 * time.Minute)
		key := fmt.Sprintf("prod/prod-7@%d", i.Opened.UnixMilli())
		b.want(people, "page "+key+" critical", "C1/7 📟 PagerDuty was alerted")
		second()
		fakeclock.Advance(time.Hour)
		b.want(people, "page "+key+" critical", "C1/7 📟 PagerDuty was alerted")
		b.keep(incident.ClusterName("prod"), incident.Cluster{V: incident.FormVersion, Cluster: "prod"})
		fakeclock.Advance(time.Minute)
		third()
		b.want(people, "page "+key+" critical", "C1/7 📟 PagerDuty was alerted", "resolve "+key)
		b.wantNoStages()
		b.wantTrail("people: begun", "people: sent", "page: begun", "page: sent", "page: resolved")
	})
}

func (b *bench) wantNoStages() {
	b.t.Helper()
	if left, err := stages(b.t.Context(), b.store, "prod"); err != nil || len(left) != 0 {
		b.t.Errorf("still kept: %v, %v", left, err)
	}
}

// wantTrail checks that the trail has the given outcomes.
func (b *bench) wantTrail(want ...string) {
	b.t.Helper()
	var got []string
	if err := b.store.Trail(b.t.Context(), 1, func(e audit.Sealed) error { got = append(got, e.Record.Outcome); return nil }); err != nil {
		b.t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		b.t.Errorf("the trail says %q, want %q", got, want)
	}
}

// stalled blocks until ctx ends.
func stalled(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// A mention is repeated if Slack refuses it, or if the leader stops while it posts.
func TestMentionIsRepeated(t *testing.T) {
	t.Run("Slack refuses it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			b.incident(runbooks.Critical, 0)
			b.setRefuse(func(context.Context) error { return errors.New("connection refused") })
			defer b.lead()()
			fakeclock.Advance(5*time.Minute + repeatAfter/2)
			b.setRefuse(nil)
			b.want()
			fakeclock.Advance(repeatAfter)
			b.want("C1/7 🚨 No owner for 6 min")
			fakeclock.Advance(3 * time.Minute)
			b.want("C1/7 🚨 No owner for 6 min")
			b.wantTrail("people: begun", "people: failed", "people: begun again", "people: sent")
		})
	})
	t.Run("Slack refuses it for a day", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			b.incident(runbooks.Critical, 0)
			b.setRefuse(func(context.Context) error { return errors.New("channel_not_found") })
			defer b.lead()()
			fakeclock.Advance(24 * time.Hour)
			entries := 0
			if err := b.store.Trail(t.Context(), 1, func(audit.Sealed) error { entries++; return nil }); err != nil {
				t.Fatal(err)
			}
			if entries < 20 || entries > 100 {
				t.Errorf("%d entries in the trail, want 20 to 100", entries)
			}
		})
	})
	t.Run("the leader stops", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			b.incident(runbooks.Critical, 0)
			b.setRefuse(stalled)
			stop := b.lead()
			fakeclock.Advance(5*time.Minute + repeatAfter/2)
			stop()
			b.setRefuse(nil)
			defer b.lead()()
			fakeclock.Advance(repeatAfter)
			b.want("C1/7 🚨 No owner for 6 min")
			b.wantTrail("people: begun", "people: begun again", "people: sent")
		})
	})
}

// If the channel of an incident is archived, the audit channel shows that no one owns it, and that
// the pager was alerted.
func TestIncidentInAnArchivedChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.archived = "C1"
		i := b.incident(runbooks.Critical, 0)
		defer b.lead()()
		fakeclock.Advance(11 * time.Minute)
		b.want("C0AUDIT/ 🚨 No owner for 5 min · prod-7", fmt.Sprintf("page prod/prod-7@%d critical", i.Opened.UnixMilli()), "C0AUDIT/ 📟 PagerDuty was alerted")
	})
}

// The pager is alerted about an incident whose message is not in Slack yet. People are mentioned
// below the message, so not before.
func TestIncidentThatIsNotPosted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		i := b.incident(runbooks.Critical, 0)
		i.TS = ""
		b.keep(incident.ClusterName("prod"), incident.Cluster{V: incident.FormVersion, Cluster: "prod", Incidents: []*incident.Incident{&i}})
		defer b.lead()()
		fakeclock.Advance(11 * time.Minute)
		alerted := []string{fmt.Sprintf("page prod/prod-7@%d critical", i.Opened.UnixMilli()), "C1/ 📟 PagerDuty was alerted"}
		b.want(alerted...)
		i.TS = "7"
		b.keep(incident.ClusterName("prod"), incident.Cluster{V: incident.FormVersion, Cluster: "prod", Incidents: []*incident.Incident{&i}})
		fakeclock.Advance(time.Minute)
		b.want(append(alerted, "C1/7 🚨 No owner for 11 min")...)
	})
}

// The end of an alert has the severity of the alert, also if the incident has become worse since.
func TestEndOfAnAlertHasItsSeverity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.level = runbooks.Low
		i := b.incident(runbooks.Moderate, 0)
		stop := b.lead()
		fakeclock.Advance(11 * time.Minute)
		i.Items[0].To = runbooks.Critical
		b.keep(incident.ClusterName("prod"), incident.Cluster{V: incident.FormVersion, Cluster: "prod", Incidents: []*incident.Incident{&i}})
		stop()
		defer b.lead()()
		fakeclock.Advance(time.Minute)
		b.keep(incident.ClusterName("prod"), incident.Cluster{V: incident.FormVersion, Cluster: "prod"})
		fakeclock.Advance(time.Minute)
		key := fmt.Sprintf("prod/prod-7@%d", i.Opened.UnixMilli())
		b.want("C1/7 🚨 No owner for 5 min · prod-7", "page "+key+" error", "C1/7 📟 PagerDuty was alerted", "resolve "+key+" error")
	})
}

// If a leader stops while it resolves an alert, the next leader resolves the alert. If the pager
// refuses this, the thread and the trail say so.
func TestAlertIsResolvedAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		refuse func(ctx context.Context) error
		said   string
		trail  string
	}{
		"the leader stops":     {stalled, "resolve prod/prod-7@", "page: resolved"},
		"the pager refuses it": {refuseOnce("it answered 400"), "C1/7 ⚠️ The alert about prod-7 may still be open in PagerDuty", "page: not resolved"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.incident(runbooks.Critical, 0)
				stop := b.lead()
				fakeclock.Advance(11 * time.Minute)
				b.keep(incident.ClusterName("prod"), incident.Cluster{V: incident.FormVersion, Cluster: "prod"})
				b.setRefuse(tt.refuse)
				fakeclock.Advance(30 * time.Second)
				stop()
				b.setRefuse(nil)
				stop = b.lead()
				fakeclock.Advance(5 * time.Minute)
				stop()
				b.want("C1/7 🚨 No owner", "page prod/prod-7@", "C1/7 📟 PagerDuty was alerted", tt.said)
				b.wantNoStages()
				b.wantTrail("people: begun", "people: sent", "page: begun", "page: sent", tt.trail)
			})
		})
	}
}

// refuseOnce returns a function that fails on its first call only.
func refuseOnce(why string) func(context.Context) error {
	refused := false
	return func(context.Context) error {
		if refused {
			return nil
		}
		refused = true
		return errors.New(why)
	}
}

// If two leaders read the same store at the same time, only one of them claims a stage.
func TestStageIsClaimedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		i := b.incident(runbooks.Critical, 0)
		fakeclock.Advance(time.Hour)
		for range 2 {
			e, err := New(Config{
				Keeper: b.store, Runs: runs{b.store, b}, Posts: posts{}, Messenger: b, Absent: func(context.Context, []engine.Callee) []card.Absent { return nil },
				AuditChannel: "C0AUDIT", Clusters: b.policy(), Replica: "bot",
			})
			if err != nil {
				t.Fatal(err)
			}
			s := e.ofIncident("prod", b.policy()["prod"], i, incident.Handling{})
			if err := e.carryOut(t.Context(), b.policy()["prod"], s, people, stored{}); err != nil {
				t.Error(err)
			}
			e.work.Wait()
		}
		b.want("C1/7 🚨 No owner")
	})
}

// An incident that is owned, muted or below the configured level is not escalated. An incident of
// unknown level is escalated if its worst case reaches the configured level.
func TestWhatIsEscalated(t *testing.T) {
	for name, tt := range map[string]struct {
		level, worst runbooks.Severity
		handle       func(h *incident.Handling)
		calls        bool
	}{
		"free":                          {runbooks.Critical, 0, func(*incident.Handling) {}, true},
		"owned":                         {runbooks.Critical, 0, func(h *incident.Handling) { h.Owner = &incident.Owner{Person: "anna"} }, false},
		"the owner of another incident": {runbooks.Critical, 0, func(h *incident.Handling) { h.Owner, h.Opened = &incident.Owner{Person: "anna"}, time.Time{} }, true},
		"muted":                         {runbooks.Critical, 0, muted(runbooks.Critical), false},
		"muted, and worse since":        {runbooks.Critical, 0, muted(runbooks.Low), true},
		"low":                           {runbooks.Low, 0, func(*incident.Handling) {}, false},
		"unknown, could be Sev 1":       {runbooks.Unknown, runbooks.Critical, func(*incident.Handling) {}, true},
		"unknown, could be Sev 3":       {runbooks.Unknown, runbooks.Low, func(*incident.Handling) {}, false},
		"unknown, could be any level":   {runbooks.Unknown, runbooks.Unknown, func(*incident.Handling) {}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.handle(b.incident(tt.level, tt.worst), tt.handle)
				stop := b.lead()
				fakeclock.Advance(7 * time.Minute)
				stop()
				if called := len(b.said) > 0; called != tt.calls {
					t.Errorf("called %t: %q", called, b.said)
				}
			})
		})
	}
}

func muted(worst runbooks.Severity) func(h *incident.Handling) {
	return func(h *incident.Handling) {
		h.Mute = &incident.Mute{By: "anna", Until: time.Now().Add(time.Hour), Worst: worst}
	}
}

// A Sev 1 request without a vote is escalated. A request with a vote, or of a lower
// level, is not.
func TestRequestThatNoOneApproves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		run := func(id string, level runbooks.Severity, votes ...engine.Vote) engine.Stored {
			r := engine.Run{ID: id, State: engine.Waiting, RequestedAt: time.Now(), VoteBy: time.Now().Add(15 * time.Minute), Votes: votes}
			r.Plan = runbooks.Plan{Cluster: "prod", Severity: level, Title: "restart db_dis"}
			r.Asked.Person = "anna"
			return engine.Stored{Run: r, Rev: 1}
		}
		b.open = []engine.Stored{run("R-7F3K", runbooks.Critical), run("R-VOTE", runbooks.Critical, engine.Vote{}), run("R-LOWE", runbooks.Low), run("R-NONE", runbooks.Unknown)}
		stop := b.lead()
		fakeclock.Advance(6 * time.Minute)
		b.mu.Lock()
		slices.Sort(b.said)
		b.mu.Unlock()
		b.want("C0AUDIT/ 🚨 No approval or denial for 5 min · R-NONE", "C1/5 🚨 No approval or denial for 5 min · R-7F3K")
		b.mu.Lock()
		b.open = nil
		b.mu.Unlock()
		fakeclock.Advance(10 * time.Minute)
		stop()
		b.want("C0AUDIT/ 🚨 No approval or denial for 5 min · R-NONE", "C1/5 🚨 No approval or denial for 5 min · R-7F3K")
	})
}

// A failed alert is reported as failed. The pager is not alerted again, even if the fate of
// the alert is unknown.
func TestPageFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.fails = errors.New("it answered 400")
		b.incident(runbooks.Critical, 0)
		stop := b.lead()
		fakeclock.Advance(time.Hour)
		stop()
		b.want("C1/7 🚨 No owner", "page prod/prod-7@", "C1/7 🚨 The alert about prod-7 could not be sent to PagerDuty")
	})
}

// If the leader stops while it sends an alert, the next leader reports that the alert may be
// missing.
func TestPageIsInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.hangs = true
		b.incident(runbooks.Critical, 0)
		stop := b.lead()
		fakeclock.Advance(11 * time.Minute)
		stop()
		defer b.lead()()
		fakeclock.Advance(time.Hour)
		b.want("C1/7 🚨 No owner", "page prod/prod-7@", "C1/7 🚨 It is unknown whether the pager was alerted about prod-7")
	})
}

func TestPageInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		i := b.incident(runbooks.Critical, 0)
		name := stageName("prod", fmt.Sprintf("prod-7@%d", i.Opened.UnixMilli()), page)
		b.keep(name, stored{V: formVersion, Key: fmt.Sprintf("prod-7@%d", i.Opened.UnixMilli()), ID: "prod-7", Stage: page, At: time.Now(), By: "gone", Place: engine.Place{Channel: "C1", Thread: "7"}})
		stop := b.lead()
		fakeclock.Advance(time.Hour)
		stop()
		b.want("C1/7 🚨 It is unknown whether the pager was alerted about prod-7", "C1/7 🚨 No owner")
	})
}
