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

// replay repeats a request whose connection ended before any answer. This happens when
// half-open requests of the same user arrive faster than the socket reads them
// (guard.dropHalfOpen). Only requests that may be sent twice are repeated: a GET, or a
// request with an Idempotency-Key, as in net/http.
type replay struct {
	http.Transport
}

// lost reports whether an error means that a connection existed, and ended before the
// answer. net/http has several such errors, and not all are exported.
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
