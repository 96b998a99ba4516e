package metrics

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// full returns the metrics of a bot in which every kind of event has happened once.
func full() *Metrics {
	m := New(Build{Version: "v0.2.0", Commit: "abc", Go: "go1.26"}, "f00d")
	h := Host{Cluster: "prod", Name: "infra-1"}
	m.Acked(time.Millisecond)
	m.Answered(time.Second)
	m.Approved(time.Minute)
	m.SlackCalled("chat.postMessage", http.StatusOK)
	m.SlackCalled("chat.update", http.StatusTooManyRequests)
	m.SlackCalled("users.info", 0)
	m.RunEnded("done")
	m.SSHDialled(h, true)
	m.SSHCommanded(h, "answered", time.Second)
	m.StoreCalled("commit", time.Millisecond, true)
	m.Leads(true)
	m.Assessed("prod", []Assessment{{"infra-1", "db_dis", 1}, {"infra-1", "tailer1", -1}}, time.Unix(1e9, 0))
	m.Watch(func(context.Context) Snapshot {
		return Snapshot{
			Ready: true, Hears: true, LastHeard: time.Unix(1e9, 0), SocketsUp: 2, Capacity: 268,
			Runs: map[string]int{"running": 1}, Incidents: []Incidents{{"prod", 1, 1}},
			Store: &Store{Up: true, Size: 2, InUse: 1, Quota: 3}, Trail: Trail{Head: 9, Unsealed: 1, Unposted: 2, Unlodged: []Unlodged{{"/mnt/heads", 4}}},
			Reload: Reload{OK: true, At: time.Unix(1e9, 0)},
		}
	})
	return m
}

// TestNames checks that the names of the metrics follow Prometheus's conventions.
func TestNames(t *testing.T) {
	problems, err := testutil.GatherAndLint(full().registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func get(t *testing.T, h http.Handler, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, string(body)
}

func TestListener(t *testing.T) {
	var stuck, unready []string
	l := Listener{
		Stuck:   func(time.Time) []string { return stuck },
		Unready: func(context.Context) []string { return unready },
		Log:     slog.New(slog.DiscardHandler),
	}
	h := full().handler(l)
	for _, line := range []string{
		`dhbot_build_info{commit="abc",goversion="go1.26",version="v0.2.0"} 1`,
		`dhbot_process_severity{cluster="prod",host="infra-1",process="db_dis"} 1`,
		`dhbot_process_severity{cluster="prod",host="infra-1",process="tailer1"} -1`,
		`dhbot_slack_rate_limited_total{method="chat.update"} 1`,
		`dhbot_slack_requests_total{code="none",method="users.info"} 1`,
		`dhbot_store_errors_total{operation="commit"} 1`,
		`dhbot_trail_unlodged_entries{witness="/mnt/heads"} 4`,
		`dhbot_trail_unposted_entries 2`, `dhbot_leader 1`, `dhbot_ready 1`,
	} {
		if _, body := get(t, h, "/metrics"); !strings.Contains(body, line+"\n") {
			t.Errorf("/metrics does not have %s", line)
		}
	}
	if code, body := get(t, h, "/healthz"); code != http.StatusOK || body != "ok\n" {
		t.Errorf("alive: %d %s", code, body)
	}
	// A bot that is not ready is still alive, because a restart would not bring Slack back.
	unready = []string{"no socket has received anything from Slack recently"}
	if code, body := get(t, h, "/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(body, "no socket") {
		t.Errorf("not ready: %d %s", code, body)
	}
	if code, _ := get(t, h, "/healthz"); code != http.StatusOK {
		t.Errorf("not ready, alive: %d", code)
	}
	stuck = []string{"the engine loop has not run for 2m0s"}
	if code, body := get(t, h, "/healthz"); code != http.StatusServiceUnavailable || !strings.Contains(body, "engine") {
		t.Errorf("stuck: %d %s", code, body)
	}
	if code, _ := get(t, h, "/debug/pprof/"); code != http.StatusNotFound {
		t.Errorf("pprof without its switch: %d", code)
	}
	l.Pprof = true
	if code, _ := get(t, full().handler(l), "/debug/pprof/"); code != http.StatusOK {
		t.Errorf("pprof: %d", code)
	}
}

// TestFollowersHaveNoSeverities checks that only the leader exports severities. On another replica,
// an old severity would never be updated.
func TestFollowersHaveNoSeverities(t *testing.T) {
	m := full()
	m.Leads(false)
	if n := testutil.CollectAndCount(m.severity) + testutil.CollectAndCount(m.assessed); n != 0 {
		t.Errorf("%d series of processes are left", n)
	}
	m.Leads(true)
	m.Assessed("prod", []Assessment{{"infra-1", "db_dis", 0}}, time.Unix(1e9, 0))
	m.Assessed("prod", []Assessment{{"query-1", "db_tdcp", 0}}, time.Unix(1e9, 0))
	if n := testutil.CollectAndCount(m.severity); n != 1 {
		t.Errorf("%d series, want the one of the last round", n)
	}
}
