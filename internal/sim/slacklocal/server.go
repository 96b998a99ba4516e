package slacklocal

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Config configures a Server. The zero value is the demo workspace on a free
// port of 127.0.0.1 with Slack's own durations and limits.
type Config struct {
	Listen    string // host:port on loopback; "" means 127.0.0.1:0
	Workspace Workspace
	Clocks    Clocks
	// Unlimited disables the rate limits, for measurements that they would distort. Limits on sizes
	// and durations still apply.
	Unlimited bool
	Now       func() time.Time
	Log       *slog.Logger
}

// Clocks has the time-outs and intervals of the server. A zero field means Slack's own duration.
// Tests set shorter durations.
type Clocks struct {
	Ack     time.Duration   // to ack an envelope, and life of a trigger id: 3 s
	Ping    time.Duration   // between the server's pings: 5 s
	Retries []time.Duration // before each redelivery of an event: 0, 1 min, 5 min
	Ticket  time.Duration   // life of a WebSocket ticket: 30 s
	Warning time.Duration   // from the warning to the end of a socket: 10 s
}

func (c Clocks) withDefaults() Clocks {
	set := func(d *time.Duration, to time.Duration) {
		if *d == 0 {
			*d = to
		}
	}
	set(&c.Ack, 3*time.Second)
	set(&c.Ping, 5*time.Second)
	set(&c.Ticket, 30*time.Second)
	set(&c.Warning, 10*time.Second)
	if c.Retries == nil {
		c.Retries = []time.Duration{0, time.Minute, 5 * time.Minute}
	}
	return c
}

// Server is a running workspace.
type Server struct {
	cfg      Config
	listener net.Listener
	http     *http.Server
	methods  map[string]method
	scopes   []string // of the bot token

	mu     sync.Mutex // guards ws, room, views, triggers, hooks, files, tickets, events
	ws     Workspace
	room   *room
	views  *views
	files  map[string]*file
	passes *passes     // tickets, trigger ids, response URLs
	events []sentEvent // the newest events, for the redeliver fault

	hub    *hub
	limits *limits
	faults *faults
	feed   *feed

	life   context.Context
	end    context.CancelFunc
	gate   sync.Mutex // held while work is registered and while life ends; no work is registered afterwards
	work   sync.WaitGroup
	served chan error // what Run returned, for Start and Close
}

// New opens the listening socket. It refuses an address that is not loopback,
// because any client can act as any person. Requests are answered once Run is
// called.
func New(cfg Config) (*Server, error) {
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	if cfg.Workspace.Team.ID == "" {
		cfg.Workspace = DemoWorkspace()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	cfg.Clocks = cfg.Clocks.withDefaults()
	faults := newFaults()
	own := cfg.Now
	cfg.Now = func() time.Time { return own().Add(faults.ahead()) } // Slack's clock
	if err := cfg.Workspace.validate(); err != nil {
		return nil, err
	}
	if err := checkLoopback(cfg.Listen); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("slacklocal: cannot listen on %s: %w", cfg.Listen, err)
	}
	s := &Server{
		cfg:      cfg,
		listener: l,
		methods:  methods(),
		ws:       cfg.Workspace.clone(),
		room:     newRoom(cfg.Now),
		views:    newViews(),
		files:    map[string]*file{},
		passes:   newPasses(),
		limits:   newLimits(cfg.Now),
		feed:     newFeed(),
		served:   make(chan error, 1),
	}
	if s.scopes = s.ws.App.Scopes; s.scopes == nil {
		s.scopes = everyScope(s.methods)
	}
	s.faults = faults
	s.life, s.end = context.WithCancel(context.Background())
	s.hub = newHub(s)
	s.http = &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(cfg.Log.Handler(), slog.LevelDebug),
	}
	return s, nil
}

// checkLoopback refuses a listening address that other machines could reach.
func checkLoopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("slacklocal: listen address %q is not host:port: %w", addr, err)
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("slacklocal: the server does not listen on %q, because anyone who reaches this server can act as any person: use 127.0.0.1:PORT", addr)
}

// Run serves until ctx ends, closes every socket, waits for all goroutines, and
// returns nil. It can be called once.
func (s *Server) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, s.shutdown)
	defer stop()
	err := s.http.Serve(s.listener)
	s.shutdown()
	s.work.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("slacklocal: serving: %w", err)
}

func (s *Server) shutdown() {
	s.gate.Lock()
	s.end()
	s.gate.Unlock()
	s.http.Close()
	s.hub.closeAll()
}

// Start returns a new server, and calls its Run in the background. The caller must call Close.
func Start(cfg Config) (*Server, error) {
	s, err := New(cfg)
	if err != nil {
		return nil, err
	}
	go func() { s.served <- s.Run(context.Background()) }()
	return s, nil
}

// Close stops a started server and returns when Run has returned. It may be called again.
func (s *Server) Close() error {
	s.shutdown()
	err := <-s.served
	s.served <- err
	return err
}

// URL returns the page's address, "http://127.0.0.1:PORT".
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// APIURL returns the address to configure as Slack's API URL in clients; it
// ends in "/api/".
func (s *Server) APIURL() string { return s.URL() + "/api/" }

// AppToken returns the app-level token (xapp-…).
func (s *Server) AppToken() string {
	if t := s.cfg.Workspace.App.AppToken; t != "" {
		return t
	}
	return "xapp-1-local"
}

// BotToken returns the bot token (xoxb-…).
func (s *Server) BotToken() string {
	if t := s.cfg.Workspace.App.BotToken; t != "" {
		return t
	}
	return "xoxb-local"
}

// People returns the current people of the workspace.
func (s *Server) People() []Person {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Person(nil), s.ws.People...)
}

// Connections returns the number of open sockets.
func (s *Server) Connections() int { return s.hub.count() }

// Unacked returns the number of deliveries that currently wait for an ack.
func (s *Server) Unacked() int { return s.hub.unacked() }

// MissedAcks returns the number of deliveries that the app did not acknowledge in time. Slack shows
// an error for such a command, and delivers such an event again.
func (s *Server) MissedAcks() int { return s.hub.missedAcks() }

// enter registers work that Run waits for. It returns false if the server has ended.
func (s *Server) enter() bool {
	s.gate.Lock()
	defer s.gate.Unlock()
	if s.life.Err() != nil {
		return false
	}
	s.work.Add(1)
	return true
}

// background runs f, which must end when s.life ends. Run waits for f.
func (s *Server) background(f func()) {
	if !s.enter() {
		return
	}
	go func() {
		defer s.work.Done()
		f()
	}()
}

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", s.serveAPI)
	mux.HandleFunc("GET /link/", s.serveSocket)
	mux.HandleFunc("POST /hook/{id}", s.serveHook)
	mux.HandleFunc("POST /upload/{id}", s.serveUpload)
	s.mountLocal(mux)
	mux.Handle("/", pageHandler())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.enter() {
			http.Error(w, "the server is closing", http.StatusServiceUnavailable)
			return
		}
		defer s.work.Done()
		// An attacker could make the host name of a web page resolve to this address (DNS
		// rebinding).
		if !loopbackHost(r.Host) {
			http.Error(w, "this server answers to 127.0.0.1 and localhost only", http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// loopbackHost reports whether a Host header names this machine.
func loopbackHost(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// secret returns an unguessable part of an id or URL.
func secret() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return hex.EncodeToString(b[:])
}

// sleep waits for d. It returns false if the server ends before that.
func (s *Server) sleep(d time.Duration) bool {
	if d <= 0 {
		return s.life.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.life.Done():
		return false
	}
}
