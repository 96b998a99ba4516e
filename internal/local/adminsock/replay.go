package adminsock

import (
	"errors"
	"net"
	"net/http"
	"time"

	"dhbot/internal/pause"
)

const (
	replays     = 20
	replayAfter = 50 * time.Millisecond
)

// replay repeats a request whose connection was closed before the response began. This happens when
// a user's incomplete requests arrive faster than the socket reads them (guard.dropHalfOpen). It
// repeats only a GET, or a request with an Idempotency-Key, a header that net/http also respects.
type replay struct {
	http.Transport
}

// lost reports whether an error means that a connection ended before the response began. net/http
// has several such errors, and does not export all of them.
func lost(err error) bool {
	var op *net.OpError
	if err == nil || errors.As(err, &op) && (op.Op == "dial" || op.Timeout()) {
		return false
	}
	var slow net.Error
	return !errors.As(err, &slow) || !slow.Timeout()
}

func (t *replay) RoundTrip(req *http.Request) (*http.Response, error) {
	_, marked := req.Header["Idempotency-Key"]
	for n := 0; ; n++ {
		resp, err := t.Transport.RoundTrip(req)
		if !lost(err) || n == replays || req.Method != http.MethodGet && !marked {
			return resp, err
		}
		if !pause.For(req.Context(), replayAfter) {
			return nil, err
		}
		if req.GetBody == nil {
			continue
		}
		body, bodyErr := req.GetBody()
		if bodyErr != nil {
			return nil, err
		}
		req = req.Clone(req.Context())
		req.Body = body
	}
}
