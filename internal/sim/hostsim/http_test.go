package hostsim

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestHostHeader checks that the API refuses requests with a foreign Host header, as a web page
// could send them by DNS rebinding.
func TestHostHeader(t *testing.T) {
	h := (&Cluster{}).Handler()
	for host, want := range map[string]int{
		"127.0.0.1:8080": http.StatusNotFound, "localhost": http.StatusNotFound, "[::1]:80": http.StatusNotFound,
		"evil.example:8080": http.StatusForbidden, "127.0.0.1.evil.example": http.StatusForbidden, "": http.StatusForbidden, "10.0.0.5": http.StatusForbidden,
	} {
		r := httptest.NewRequest(http.MethodGet, "/nowhere", nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%q: %d, want %d", host, w.Code, want)
		}
	}
}
