package monitor_test

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
	"dhbot/internal/monitor"
	"dhbot/internal/observe"
	"dhbot/internal/publish"
	"dhbot/internal/refusal"
	"dhbot/internal/status"
	"dhbot/internal/test/fakeclock"
	"dhbot/internal/test/memstore"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// bench is a cluster whose targets a test can break and repair, a place for messages, and a store
// that outlives the leaders.
type bench struct {
	t     *testing.T
	store *memstore.Store

	mu     sync.Mutex
	levels map[runbooks.Target]runbooks.Severity // of the targets with a problem
	looks  int
	refuse error // the answer about the person of a watch
	fail   func(call string) error
	posts  []*message

	archived string // a channel that accepts no messages
}

type message struct{ channel, thread, text string }

func newBench(t *testing.T) *bench {
	return &bench{t: t, store: memstore.New(memstore.Config{}), levels: map[runbooks.Target]runbooks.Severity{}}
}

var (
	dis  = runbooks.Target{Process: "db_dis", Host: "infra-1"}
	ltds = runbooks.Target{Process: "db_ltds", Host: "infra-1"}
)

func (b *bench) set(t runbooks.Target, s runbooks.Severity) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.levels[t] = s
}

func (b *bench) Look(_ context.Context, scope incident.Scope, _ func(runbooks.Target) time.Time) (status.Board, []incident.Seen, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.looks++
	board := status.Board{Cluster: scope.Cluster, At: time.Now()}
	var out []incident.Seen
	for _, t := range []runbooks.Target{dis, ltds} {
		if scope.Process != "" && scope.Process != t.Process {
			continue
		}
		level, bad := b.levels[t]
		if !bad {
			level = runbooks.None
		}
		s := incident.Seen{Target: t, Severity: level, Headline: "it is " + level.String(), At: time.Now()}
		out = append(out, s)
		board.Rows = append(board.Rows, status.Row{
			Process: catalogs.Process{ID: t.Process, Title: t.Process}, Host: t.Host,
			Observation: observe.Observation{State: observe.Up, At: s.At}, Finding: observe.Finding{Severity: level, Headline: s.Headline},
		})
	}
	return board, out, nil
}

func (b *bench) Watchable(incident.Scope) error { return nil }
func (b *bench) MayFollow(context.Context, incident.Follow) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.refuse
}
func (b *bench) MayOwn(context.Context, string, incident.Owner) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.refuse
}
func (b *bench) Process(string, string) (catalogs.Process, bool) { return catalogs.Process{}, false }

func (b *bench) Post(_ context.Context, at engine.Place, c card.Card) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if at.Channel == b.archived {
		return "", fmt.Errorf("posting: %w", publish.ErrNoPlace)
	}
	if b.fail != nil {
		if err := b.fail("post"); err != nil {
			return "", err
		}
	}
	b.posts = append(b.posts, &message{at.Channel, at.Thread, card.PlainText(c)})
	return fmt.Sprint(len(b.posts)), nil
}

func (b *bench) Edit(_ context.Context, channel, ts string, c card.Card, _ bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if channel == b.archived {
		return fmt.Errorf("editing: %w", publish.ErrNoPlace)
	}
	if b.fail != nil {
		if err := b.fail("edit"); err != nil {
			return err
		}
	}
	var n int
	if _, err := fmt.Sscan(ts, &n); err != nil {
		return err
	}
	b.posts[n-1].text = card.PlainText(c)
	return nil
}

// shown lists the first line of each message in the channel. Before the line of a reply are the
// id of its thread and ">".
func (b *bench) shown() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for _, m := range b.posts {
		first, _, _ := strings.Cut(m.text, "\n")
		if m.thread != "" {
			first = m.thread + "> " + first
		}
		out = append(out, first)
	}
	return out
}

// lead runs a monitor until stop is called.
func (b *bench) lead(clusters map[string]monitor.Background) (l *monitor.Monitor, stop func()) {
	b.t.Helper()
	l, err := monitor.New(monitor.Config{Keeper: b.store, Messenger: b, Looker: b, AuditChannel: "C0AUDIT", Clusters: clusters})
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	return l, func() {
		cancel()
		if err := <-done; err != nil {
			b.t.Error(err)
		}
	}
}

var prod = map[string]monitor.Background{"prod": {Channel: "C0INCIDENT", Every: 30 * time.Second, Quiet: 2 * time.Minute}}

func (b *bench) want(want ...string) {
	b.t.Helper()
	got := b.shown()
	ok := len(got) == len(want)
	for i := range min(len(got), len(want)) {
		ok = ok && strings.Contains(got[i], want[i])
	}
	if !ok {
		b.t.Errorf("shown:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// records lists the outcomes of an action in the trail.
func (b *bench) records(action string) []string {
	b.t.Helper()
	var out []string
	if err := b.store.Trail(b.t.Context(), 1, func(e audit.Sealed) error {
		if e.Record.Action == action {
			out = append(out, e.Record.Outcome)
		}
		return nil
	}); err != nil {
		b.t.Fatal(err)
	}
	return out
}

// An incident is posted once. Its changes and its end are posted in its thread, and then the
// first line of its message shows that it is over. A single short change is not posted.
func TestIncidentFromOpeningToEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		_, stop := b.lead(prod)
		defer stop()
		fakeclock.Advance(5 * time.Minute)
		b.want()
		b.set(dis, runbooks.Low)
		fakeclock.Advance(time.Minute)
		b.want("🟡 Sev 3 · Low · it is Sev 3 · Low · db_dis on infra-1 · prod")
		b.set(dis, runbooks.Critical)
		fakeclock.Advance(10 * time.Minute)
		b.want("🔴 Sev 1 · Critical", "1> 🔴 Sev 1 · Critical")
		b.set(dis, runbooks.None)
		fakeclock.Advance(time.Minute)
		b.want("🔴 Sev 1 · Critical", "1> 🔴 Sev 1 · Critical")
		fakeclock.Advance(2 * time.Minute)
		b.want("✅ Resolved after", "1> 🔴 Sev 1 · Critical", "1> 🟢 Resolved")
		if got := b.records("incident"); !slices.Equal(got, []string{"opened: Sev 3 · Low", "changed: Sev 1 · Critical", "resolved: Sev 0 · None"}) {
			t.Errorf("the trail has %q", got)
		}
		c, _, err := incident.KeptCluster(t.Context(), b.store, "prod")
		if err != nil || len(c.Incidents) != 0 || c.Last != 1 {
			t.Errorf("kept: %+v, %v", c, err)
		}
	})
}

// The next leader neither repeats nor forgets an incident, and posts what happened while
// no replica checked.
func TestIncidentOutlivesItsLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.set(dis, runbooks.Critical)
		_, stop := b.lead(prod)
		fakeclock.Advance(2 * time.Minute)
		stop()
		_, stop = b.lead(prod)
		fakeclock.Advance(10 * time.Minute)
		stop()
		b.want("🔴 Sev 1 · Critical")
		b.set(dis, runbooks.None)
		fakeclock.Advance(time.Hour)
		_, stop = b.lead(prod)
		fakeclock.Advance(5 * time.Minute)
		stop()
		b.want("✅ Resolved after", "1> 🟢 Resolved")
	})
}

// forgetful is a store whose writes fail after the first few, so it does not store that a
// message was posted.
type forgetful struct {
	*memstore.Store
	mu    sync.Mutex
	after int // calls of Keep that still work
}

func (f *forgetful) SetWatchState(ctx context.Context, name string, data []byte, rev int64, records []audit.Record, claim string) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.after == 0 {
		return 0, fmt.Errorf("%w: lost", engine.ErrStoreDown)
	}
	f.after--
	return f.Store.SetWatchState(ctx, name, data, rev, records, claim)
}

// If the bot could not store that a message was posted, the next leader posts the message again,
// and the second message says so.
func TestDoublePostIsRecognisable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.set(dis, runbooks.Critical)
		store := &forgetful{Store: b.store, after: 2} // the incident, and that its post has begun
		l, err := monitor.New(monitor.Config{Keeper: store, Messenger: b, Looker: b, AuditChannel: "C0AUDIT", Clusters: prod})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
		defer cancel()
		if err := l.Run(ctx); err != nil {
			t.Fatal(err)
		}
		b.want("🔴 Sev 1 · Critical")
		_, stop := b.lead(prod)
		fakeclock.Advance(time.Minute)
		stop()
		b.want("🔴 Sev 1 · Critical", "🔴 Sev 1 · Critical")
		if strings.Contains(b.posts[0].text, "Posted again") || len(b.records("incident")) != 1 {
			t.Errorf("the first message is %s; the trail has %q", b.posts[0].text, b.records("incident"))
		}
	})
}

// While Slack accepts nothing, nothing is lost, and the checks continue.
func TestSlackIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		back := time.Now().Add(10 * time.Minute)
		b.fail = func(string) error {
			if time.Now().Before(back) {
				return errors.New("connection refused")
			}
			return nil
		}
		b.set(dis, runbooks.Critical)
		_, stop := b.lead(prod)
		defer stop()
		fakeclock.Advance(5 * time.Minute)
		b.set(ltds, runbooks.Moderate)
		fakeclock.Advance(4 * time.Minute)
		b.want()
		fakeclock.Advance(2 * time.Minute)
		got := strings.Join(b.shown(), "\n")
		for _, want := range []string{"db_dis on infra-1", "db_ltds on infra-1"} {
			if strings.Count(got, want) != 1 {
				t.Errorf("%s is posted %d times:\n%s", want, strings.Count(got, want), got)
			}
		}
	})
}

// If the channel for incidents is archived, incidents are shown in the audit channel, also those
// that the archived channel showed before.
func TestIncidentsOfAnArchivedChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.set(dis, runbooks.Critical)
		_, stop := b.lead(prod)
		defer stop()
		fakeclock.Advance(time.Minute)
		b.want("db_dis on infra-1")
		b.mu.Lock()
		b.archived = "C0INCIDENT"
		b.mu.Unlock()
		b.set(ltds, runbooks.Moderate)
		fakeclock.Advance(time.Minute)
		b.want("db_dis on infra-1", "db_ltds on infra-1")
		b.set(dis, runbooks.Low)
		fakeclock.Advance(time.Minute)
		b.want("db_dis on infra-1", "db_ltds on infra-1", "db_dis on infra-1", "3> ")
		b.set(dis, runbooks.None)
		b.set(ltds, runbooks.None)
		fakeclock.Advance(10 * time.Minute)
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, m := range b.posts[1:min(3, len(b.posts))] {
			if m.channel != "C0AUDIT" || !strings.Contains(m.text, "Resolved") || !strings.Contains(m.text, "I may not post in the channel for incidents of prod") {
				t.Errorf("posted in %s: %s", m.channel, m.text)
			}
		}
	})
}

// Removing the monitoring of a cluster from the config closes its open incidents.
func TestWatchTakenOutOfTheConfig(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.set(dis, runbooks.Critical)
		_, stop := b.lead(prod)
		fakeclock.Advance(2 * time.Minute)
		stop()
		_, stop = b.lead(nil)
		fakeclock.Advance(time.Minute)
		stop()
		b.want("👁 Closed unresolved: the cluster is no longer monitored")
		if err := b.store.WatchState(t.Context(), "", func(name string, _ []byte, _ int64) error { return errors.New(name) }); err != nil {
			t.Errorf("still kept: %v", err)
		}
	})
}

func (b *bench) follow(length time.Duration) incident.Follow {
	b.t.Helper()
	f := incident.Follow{
		V: incident.FormVersion, Scope: incident.Scope{Cluster: "prod", Process: "db_dis"}, Person: "operator", Via: "slash", From: "C1",
		Began: time.Now(), Until: time.Now().Add(length), Message: incident.Message{Channel: "C1"},
	}
	b.keep(f, 0)
	return f
}

func (b *bench) keep(f incident.Follow, rev int64) {
	b.t.Helper()
	data, err := incident.Encode(&f)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.store.SetWatchState(b.t.Context(), f.FollowName(), data, rev, []audit.Record{f.Start(time.Now())}, ""); err != nil {
		b.t.Fatal(err)
	}
}

// A watch is one message, posts changes in its thread, and ends when its time is over.
func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.follow(30 * time.Minute)
		_, stop := b.lead(nil)
		defer stop()
		fakeclock.Advance(time.Minute)
		b.want("🟢 Sev 0 · None")
		b.set(dis, runbooks.Critical)
		fakeclock.Advance(time.Minute)
		b.want("🔴 Sev 1 · Critical", "1> 🔴 Sev 1 · Critical")
		b.set(dis, runbooks.Unknown) // the target could not be queried
		fakeclock.Advance(time.Minute)
		b.want("⚪ Unknown", "1> 🔴 Sev 1 · Critical", "1> ⚪ Unknown")
		b.set(dis, runbooks.None)
		fakeclock.Advance(time.Minute)
		fakeclock.Advance(27 * time.Minute)
		b.want("👁 Watch ended · db_dis · prod · time is up", "1> 🔴 Sev 1 · Critical", "1> ⚪ Unknown", "1> 🟢 Resolved")
		if got := b.records("watch"); len(got) != 2 || got[1] != "ended" {
			t.Errorf("the trail has %q", got)
		}
		looks := b.looks
		fakeclock.Advance(time.Hour)
		if b.looks != looks {
			t.Error("the watch still checks its target")
		}
	})
}

// The next leader continues a watch, or posts that it has ended.
func TestFollowOutlivesItsLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.follow(30 * time.Minute)
		_, stop := b.lead(nil)
		fakeclock.Advance(time.Minute)
		stop()
		b.set(dis, runbooks.Critical)
		_, stop = b.lead(nil)
		fakeclock.Advance(time.Minute)
		stop()
		b.want("🔴 Sev 1 · Critical", "1> 🔴 Sev 1 · Critical")
		fakeclock.Advance(time.Hour)
		_, stop = b.lead(nil)
		fakeclock.Advance(time.Minute)
		stop()
		b.want("👁 Watch ended · db_dis · prod · time is up", "1> 🔴 Sev 1 · Critical")
		if list, err := incident.Follows(t.Context(), b.store); err != nil || len(list) != 0 {
			t.Errorf("kept: %v, %v", list, err)
		}
	})
}

// A watch lasts longer if a person changes its end through another replica. If a person ends the
// watch there, its message shows the end.
func TestFollowChangedByOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.follow(5 * time.Minute)
		_, stop := b.lead(nil)
		defer stop()
		fakeclock.Advance(4 * time.Minute)
		change := func(how func(*incident.Follow)) {
			list, err := incident.Follows(t.Context(), b.store)
			if err != nil || len(list) != 1 {
				t.Fatal(list, err)
			}
			how(&list[0].Follow)
			b.keep(list[0].Follow, list[0].Rev)
		}
		change(func(f *incident.Follow) { f.Until = f.Until.Add(time.Hour) })
		fakeclock.Advance(10 * time.Minute)
		b.want("🟢 Sev 0 · None")
		change(func(f *incident.Follow) { f.End(time.Now(), "approver", "stopped by approver") })
		fakeclock.Advance(10 * time.Second)
		b.want("👁 Watch ended · db_dis · prod · stopped by approver")
	})
}

// A person who may no longer read the cluster is shown nothing more. A failed look-up does
// not end the watch.
func TestWatchEndsWithTheRole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.follow(30 * time.Minute)
		_, stop := b.lead(nil)
		defer stop()
		fakeclock.Advance(time.Minute)
		b.mu.Lock()
		b.refuse = &refusal.Error{Code: auth.LookupFailed, Text: "Not allowed: nobody knows"}
		b.mu.Unlock()
		b.set(dis, runbooks.Critical)
		fakeclock.Advance(time.Minute)
		b.want("🟢 Sev 0 · None")
		b.mu.Lock()
		b.refuse = &refusal.Error{Text: "Not allowed"}
		b.mu.Unlock()
		fakeclock.Advance(time.Minute)
		b.want("👁 Watch ended · db_dis · prod · operator is no longer allowed to read prod")
	})
}

// A deleted message ends the watch.
func TestFollowWhoseMessageIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.follow(30 * time.Minute)
		b.fail = func(call string) error {
			if call == "edit" {
				return fmt.Errorf("editing: %w", publish.ErrGone)
			}
			return nil
		}
		_, stop := b.lead(nil)
		defer stop()
		fakeclock.Advance(time.Minute)
		b.set(dis, runbooks.Critical)
		fakeclock.Advance(time.Minute)
		if got := b.records("watch"); len(got) != 2 || got[1] != "ended: its message was deleted" {
			t.Errorf("the trail has %q", got)
		}
		if list, err := incident.Follows(t.Context(), b.store); err != nil || len(list) != 0 {
			t.Errorf("kept: %v, %v", list, err)
		}
	})
}
