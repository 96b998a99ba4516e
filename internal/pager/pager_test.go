package pager

import (
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dhbot/internal/secret"
)

// receiver answers requests with the given status codes in turn, and keeps the requests.
type receiver struct {
	*httptest.Server
	mu    sync.Mutex
	codes []int
	got   []string
}

func newReceiver(t *testing.T, codes ...int) (r *receiver, ca string) {
	t.Helper()
	r = &receiver{codes: codes}
	r.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		code := http.StatusAccepted
		if n := len(r.got); n < len(r.codes) {
			code = r.codes[n]
		}
		r.got = append(r.got, string(body))
		if code == http.StatusFound {
			w.Header().Set("Location", "https://elsewhere.invalid/")
		}
		w.WriteHeader(code)
	}))
	t.Cleanup(r.Close)
	ca = filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return r, ca
}

var (
	began = time.Date(2026, 3, 14, 3, 10, 0, 0, time.UTC)
	down  = Alert{Key: "prod/prod-7", Cluster: "prod", About: "prod-7", Summary: "db_dis is down", Severity: "critical", Began: began, Link: "https://x.slack.com/archives/C1/p1"}
)

func newPager(t *testing.T, shape, url, ca string) *Pager {
	t.Helper()
	p, err := New(Config{Shape: shape, URL: secret.New(url), RoutingKey: secret.New("R0UTE"), CAFile: ca, RetryPause: 10 * time.Millisecond, Now: func() time.Time { return began.Add(time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The requests match the documentation of PagerDuty and Alertmanager field by field.
func TestShapes(t *testing.T) {
	r, ca := newReceiver(t)
	for _, shape := range []string{PagerDuty, Alertmanager} {
		p := newPager(t, shape, r.URL, ca)
		if err := p.Trigger(t.Context(), down); err != nil {
			t.Fatal(err)
		}
		if err := p.Resolve(t.Context(), down); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		`{"routing_key":"R0UTE","event_action":"trigger","dedup_key":"prod/prod-7","client":"dhbot",
		  "payload":{"summary":"db_dis is down","source":"prod","severity":"critical","timestamp":"2026-03-14T03:10:00Z","component":"prod-7","group":"prod"},
		  "links":[{"href":"https://x.slack.com/archives/C1/p1","text":"The message in Slack"}]}`,
		`{"routing_key":"R0UTE","event_action":"resolve","dedup_key":"prod/prod-7"}`,
		`[{"labels":{"alertname":"DeephavenNeedsAPerson","cluster":"prod","about":"prod-7","severity":"critical"},"annotations":{"summary":"db_dis is down"},
		   "startsAt":"2026-03-14T03:10:00Z","endsAt":"2026-03-14T16:10:00Z","generatorURL":"https://x.slack.com/archives/C1/p1"}]`,
		`[{"labels":{"alertname":"DeephavenNeedsAPerson","cluster":"prod","about":"prod-7","severity":"critical"},"annotations":{"summary":"db_dis is down"},
		   "startsAt":"2026-03-14T03:10:00Z","endsAt":"2026-03-14T04:10:00Z","generatorURL":"https://x.slack.com/archives/C1/p1"}]`,
	}
	for i, w := range want {
		var got, wanted any
		if err := json.Unmarshal([]byte(r.got[i]), &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(w), &wanted); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(wanted, got); diff != "" {
			t.Errorf("message %d: %s", i, diff)
		}
	}
}

// Temporary failures are retried. Refusals and redirects are not.
func TestTries(t *testing.T) {
	for _, tt := range []struct {
		codes []int
		calls int
		fails string
	}{
		{[]int{429, 503, 202}, 3, ""},
		{[]int{400}, 1, "400"},
		{[]int{302}, 1, "302"},
	} {
		r, ca := newReceiver(t, tt.codes...)
		err := newPager(t, PagerDuty, r.URL, ca).Trigger(t.Context(), down)
		if (err == nil) != (tt.fails == "") || err != nil && !strings.Contains(err.Error(), tt.fails) || len(r.got) != tt.calls {
			t.Errorf("%v: %d calls, %v", tt.codes, len(r.got), err)
		}
	}
}

// If no known authority signed the receiver's certificate, nothing is sent to the receiver, and
// no error shows its address.
func TestUntrusted(t *testing.T) {
	r, _ := newReceiver(t)
	p := newPager(t, PagerDuty, r.URL+"/hook/s3cret", "")
	err := p.Check(t.Context())
	if err == nil || strings.Contains(err.Error(), "s3cret") || len(r.got) != 0 {
		t.Errorf("%v, sent %q", err, r.got)
	}
}
