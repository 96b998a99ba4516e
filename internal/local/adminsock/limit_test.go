package adminsock

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func open(t *testing.T, h http.Handler, within time.Duration) (dir string) {
	t.Helper()
	dir = t.TempDir()
	l, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- serve(ctx, l, h, within) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestHalfOpenRequestsDoNotBlock opens 2,000 incomplete requests, of three kinds, and then sends a
// complete request as the same user, which must be answered.
func TestHalfOpenRequestsDoNotBlock(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, r *http.Request) {
		uid, ok := Peer(r.Context())
		fmt.Fprint(w, uid == os.Geteuid() && ok)
	})
	dir := open(t, mux, requestTime)
	files := openFiles(t)
	for i := range 2000 {
		conn, err := net.Dial("unix", Socket(dir))
		if err != nil {
			t.Fatalf("after %d: %v", i, err)
		}
		defer conn.Close()
		begin := []string{"", "GET /health HTTP/1.1\r\nHost: bot\r\n", "POST /ask HTTP/1.1\r\nHost: bot\r\nContent-Length: 100\r\n\r\n{"}[i%3]
		if _, err := io.WriteString(conn, begin); err != nil && !strings.Contains(err.Error(), "pipe") {
			t.Fatal(err)
		}
		if i%100 == 0 {
			ask(t, dir)
		}
	}
	ask(t, dir)
	// The test's own clients hold another 2,000 open files.
	if n := openFiles(t) - files - 2000; n > maxCapacity+50 {
		t.Errorf("the server has %d open files for the socket", n)
	}
}

func ask(t *testing.T, dir string) {
	t.Helper()
	var out bytes.Buffer
	if err := NewClient(dir).Get(t.Context(), "/health", nil, &out); err != nil || out.String() != "true" {
		t.Fatalf("got %q, %v", out.String(), err)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc here")
	}
	return len(entries)
}

// TestShares checks that no user except the bot's own ever has more than an eighth of a socket's
// connections, and that all these users together never have more than half. No request loses its
// connection while the bot answers it.
func TestShares(t *testing.T) {
	const own, anna, ben = 4001, 4002, 4003
	g := &guard{capacity: 32, own: own}
	add := func(uid, n int, heard bool) (admitted int) {
		for range n {
			near, far := net.Pipe()
			defer far.Close()
			c := &caller{Conn: near, guard: g, uid: uid}
			if g.admit(c) {
				admitted++
				if heard {
					g.hear(c)
				}
			}
		}
		return admitted
	}
	if n := add(anna, 100, true); n != 4 {
		t.Errorf("one user had %d requests answered at a time", n)
	}
	if n := add(ben, 100, false); n != 100 || g.count(ben) != 4 {
		t.Errorf("%d half-open requests were admitted, and %d are left", n, g.count(ben))
	}
	for uid := 5000; uid < 5100; uid++ {
		add(uid, 4, true)
	}
	if n := len(g.conns); n > g.capacity/2 {
		t.Errorf("other users have %d of %d connections", n, g.capacity)
	}
	if n := add(own, 100, true); n != g.capacity/2 {
		t.Errorf("the bot's own user has %d connections", n)
	}
	if g.count(anna) != 4 {
		t.Error("a request lost its connection while it was being answered")
	}
}

// TestLongAnswers checks that the time limit covers only the arrival of a request. The response may
// take longer, and its client does not count as disconnected in the meantime.
func TestLongAnswers(t *testing.T) {
	const within = 20 * time.Millisecond
	mux := http.NewServeMux()
	mux.HandleFunc("GET /slow", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(3 * within):
		case <-r.Context().Done():
		}
		fmt.Fprint(w, r.Context().Err() == nil)
	})
	var out bytes.Buffer
	if err := NewClient(open(t, mux, within)).Get(t.Context(), "/slow", nil, &out); err != nil || out.String() != "true" {
		t.Errorf("got %q, %v", out.String(), err)
	}
}

func TestCapacity(t *testing.T) {
	for files, want := range map[uint64]int{64: 16, 256: 16, 544: 16, 600: 44, 1024: 128, 1 << 20: 128} {
		if got := capacityFor(files); got != want {
			t.Errorf("of %d files: %d, want %d", files, got, want)
		}
	}
}

func TestLargeRequest(t *testing.T) {
	dir := open(t, http.NewServeMux(), requestTime)
	c := http.Client{Transport: Transport(Socket(dir))}
	resp, err := c.Post("http://bot/x", "text/plain", strings.NewReader(strings.Repeat("x", maxRequest+1)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("got %s", resp.Status)
	}
}

// TestReplay checks that the client repeats a read, or a request with an Idempotency-Key, if the
// bot closed its connection to make room. The client sends no other request twice.
func TestReplay(t *testing.T) {
	for name, c := range map[string]struct {
		method string
		marked bool
		want   int
	}{
		"a read":          {http.MethodGet, false, 3},
		"a marked POST":   {http.MethodPost, true, 3},
		"any other POST":  {http.MethodPost, false, 1},
		"any other write": {http.MethodDelete, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := Listen(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			var tries atomic.Int64
			go func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					if n := int(tries.Add(1)); n < c.want || c.want == 1 {
						conn.Close()
					} else {
						req, err := http.ReadRequest(bufio.NewReader(conn))
						if err == nil {
							_, _ = io.Copy(io.Discard, req.Body)
						}
						_, _ = io.WriteString(conn, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
						conn.Close()
					}
				}
			}()
			req, err := http.NewRequestWithContext(t.Context(), c.method, "http://bot/x", strings.NewReader("body"))
			if err != nil {
				t.Fatal(err)
			}
			if c.marked {
				req.Header["Idempotency-Key"] = nil
			}
			resp, err := Transport(l.Addr().String()).RoundTrip(req)
			if err == nil {
				resp.Body.Close()
			}
			if n := int(tries.Load()); n != c.want || (err == nil) != (c.want > 1) {
				t.Errorf("sent %d times, %v", n, err)
			}
		})
	}
}
