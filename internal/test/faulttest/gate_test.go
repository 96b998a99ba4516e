package faulttest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"
)

// gate is the replica's side of fault injection. It reports each crossing of a point, and waits for
// permission to continue.
type gate struct {
	replica string
	http    *http.Client
}

func newGate(socket, replica string) *gate {
	return &gate{replica: replica, http: unixClient(socket)}
}

func unixClient(socket string) *http.Client {
	return &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 64,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socket)
		},
	}}
}

// pass reports a crossing and waits for permission to continue. Without permission the process
// exits, because the round is over.
func (g *gate) pass(what string) {
	resp, err := g.http.Get("http://gate/?" + url.Values{"replica": {g.replica}, "what": {what}}.Encode())
	if err != nil {
		fmt.Fprintln(os.Stderr, "the round is over:", err)
		os.Exit(3)
	}
	resp.Body.Close()
}

// around calls f, and reports a crossing before and after it.
func around[T any](g *gate, what string, f func() (T, error)) (T, error) {
	g.pass(what + " before")
	v, err := f()
	g.pass(what + " after")
	return v, err
}

// point is the nth crossing of a kind in a round, counted over all replicas.
type point struct {
	What string // for example "commit approved after"
	N    int    // from 1
}

func (p point) String() string { return fmt.Sprintf("%s %d", p.What, p.N) }

// crossing records that a replica crossed a point: a place in its code where a test can inject a
// fault.
type crossing struct {
	point
	replica string
	at      time.Time
}

// watch is the round's side of fault injection. It numbers crossings and runs traps. A replica that
// crosses a point with a trap waits until the trap has run.
type watch struct {
	server *http.Server

	mu    sync.Mutex
	seen  map[string]int
	path  []crossing
	traps map[point]func(replica string)
	each  func(n int, at point, replica string) // may be nil; one call at a time
	order sync.Mutex                            // held during calls of each
}

func newWatch(t testing.TB, socket string) *watch {
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	w := &watch{seen: map[string]int{}, traps: map[point]func(string){}}
	w.server = &http.Server{Handler: http.HandlerFunc(w.serve)}
	served := make(chan struct{})
	go func() { defer close(served); _ = w.server.Serve(l) }()
	t.Cleanup(func() { w.server.Close(); <-served })
	return w
}

func (w *watch) serve(rw http.ResponseWriter, r *http.Request) {
	if trap, replica := w.cross(r.FormValue("replica"), r.FormValue("what")); trap != nil {
		trap(replica)
	}
	_, _ = io.WriteString(rw, "go") // the replica may have been killed
}

func (w *watch) cross(replica, what string) (func(string), string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen[what]++
	p := point{what, w.seen[what]}
	w.path = append(w.path, crossing{p, replica, time.Now()})
	trap := w.traps[p]
	delete(w.traps, p)
	if each, n := w.each, len(w.path); each != nil && trap == nil {
		trap = func(replica string) {
			w.order.Lock()
			defer w.order.Unlock()
			each(n, p, replica)
		}
	}
	return trap, replica
}

// onEach makes the round call do at every point. A nil do disables this.
func (w *watch) onEach(do func(n int, at point, replica string)) {
	w.order.Lock()
	defer w.order.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.each = do
}

// trap makes the round call do when a replica crosses point p.
func (w *watch) trap(p point, do func(replica string)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.traps[p] = do
}

// untriggered returns the traps whose point no replica has crossed.
func (w *watch) untriggered() []point {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []point
	for p := range w.traps {
		out = append(out, p)
	}
	return out
}

func (w *watch) crossings() []crossing {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]crossing{}, w.path...)
}
