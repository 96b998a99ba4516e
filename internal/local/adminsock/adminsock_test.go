package adminsock

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
)

func TestRoundTrip(t *testing.T) {
	dir := t.TempDir()
	l, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(Socket(dir)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket mode %v, %v", info.Mode(), err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /trail", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "from "+r.FormValue("from")) })
	mux.HandleFunc("GET /bad", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "the store does not answer", http.StatusServiceUnavailable)
	})
	mux.HandleFunc("GET /half", func(w http.ResponseWriter, _ *http.Request) {
		Declare(w)
		fmt.Fprint(w, "half")
		Fail(w, errors.New("segment 2\nis gone"))
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, l, mux) }()

	c := NewClient(dir)
	var out bytes.Buffer
	if err := c.Get(ctx, "/trail", map[string][]string{"from": {"7"}}, &out); err != nil || out.String() != "from 7" {
		t.Errorf("got %q, %v", out.String(), err)
	}
	if err := c.Get(ctx, "/bad", nil, &out); err == nil || !strings.Contains(err.Error(), "the store does not answer") {
		t.Errorf("got %v", err)
	}
	out.Reset()
	if err := c.Get(ctx, "/half", nil, &out); err == nil || !strings.Contains(err.Error(), "segment 2 is gone") || out.String() != "half" {
		t.Errorf("got %q, %v", out.String(), err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := c.Get(t.Context(), "/trail", nil, &out); !errors.Is(err, ErrNotRunning) {
		t.Errorf("after the server ended: %v", err)
	}
}

func TestDeadSocketIsReplaced(t *testing.T) {
	dir := t.TempDir()
	l, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	l.(interface{ SetUnlinkOnClose(bool) }).SetUnlinkOnClose(false)
	l.Close()
	if err := NewClient(dir).Get(t.Context(), "/", nil, &bytes.Buffer{}); !errors.Is(err, ErrNotRunning) {
		t.Errorf("a socket without a listener: %v", err)
	}
	again, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}
