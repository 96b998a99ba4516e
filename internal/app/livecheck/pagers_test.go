package livecheck

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"dhbot/internal/config"
	"dhbot/internal/secret"
)

// The live check connects to each pager and sends no alert. A pager that is
// down, or whose certificate no known authority signed, is reported.
func TestCheckPagers(t *testing.T) {
	posts := 0
	answers := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			posts++
		}
		w.WriteHeader(http.StatusMethodNotAllowed)
	})
	good, untrusted := httptest.NewServer(answers), httptest.NewTLSServer(answers)
	defer good.Close()
	defer untrusted.Close()
	page := func(url string) config.Escalation {
		return config.Escalation{Page: &config.Page{Shape: "alertmanager", URL: secret.New(url)}}
	}
	cfg := &config.Config{Escalations: map[string]config.Escalation{"a": page(good.URL), "b": page(untrusted.URL), "c": {After: time.Minute}}}
	found := CheckPagers(t.Context(), cfg)
	if len(found) != 2 || !found[0].OK || found[1].OK || !strings.Contains(found[1].Text, "certificate") || posts != 0 {
		t.Errorf("%+v, %d alerts", found, posts)
	}
}
