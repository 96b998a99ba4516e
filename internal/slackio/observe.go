package slackio

import (
	"net/http"
	"strings"
)

// observedTransport reports every call of the Web API.
type observedTransport struct {
	*http.Transport
	apiURL string
	called func(method string, status int)
}

// RoundTrip implements http.RoundTripper.
func (t *observedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.Transport.RoundTrip(r)
	status := 0
	if err == nil {
		status = resp.StatusCode
	}
	t.called(t.method(r), status)
	return resp, err
}

// otherCall is the name, in metrics, of a call to a one-time address that Slack gave to the bot.
const otherCall = "other"

func (t *observedTransport) method(r *http.Request) string {
	u := *r.URL
	u.RawQuery = ""
	method, ours := strings.CutPrefix(u.String(), t.apiURL)
	if !ours || strings.Contains(method, "/") {
		return otherCall
	}
	return method
}
