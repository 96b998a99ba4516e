package metrics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Listener serves /metrics, /healthz and /readyz. If Pprof is set, it also serves the profiles of
// net/http/pprof. There is no authentication, so Address should be on loopback, or in a network
// that only the monitoring can reach.
type Listener struct {
	Address string // host:port
	Pprof   bool
	// Stuck returns the names of the bot's loops that no longer run. If there are none, the bot is
	// alive.
	Stuck func(now time.Time) []string
	// Unready returns the problems that keep the bot from working. If there are none, the bot is
	// ready.
	Unready func(ctx context.Context) []string
	Log     *slog.Logger
}

// Listen opens the socket at once, so that the bot does not start if the address is in use.
func (l Listener) Listen() (net.Listener, error) {
	s, err := net.Listen("tcp", l.Address)
	if err != nil {
		return nil, fmt.Errorf("metrics.listen: %w: name an address that is free", err)
	}
	return s, nil
}

// Serve serves s until ctx ends.
func (m *Metrics) Serve(ctx context.Context, s net.Listener, l Listener) error {
	server := &http.Server{
		Handler:           m.handler(l),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(s); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (m *Metrics) handler(l Listener) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		Registry: m.registry, MaxRequestsInFlight: 4, ErrorLog: slog.NewLogLogger(l.Log.Handler(), slog.LevelWarn),
	}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { report(w, l.Stuck(time.Now())) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { report(w, l.Unready(r.Context())) })
	if l.Pprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	}
	return mux
}

// report answers with status 200 if nothing is wrong, else with status 503 and the problems.
func report(w http.ResponseWriter, wrong []string) {
	if len(wrong) > 0 {
		http.Error(w, strings.Join(wrong, "\n"), http.StatusServiceUnavailable)
		return
	}
	_, _ = fmt.Fprintln(w, "ok") // the caller may be gone
}
