package sdnotify

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// listen stands in for systemd's end of the socket.
func listen(t *testing.T) func() string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv("NOTIFY_SOCKET", name)
	return func() string {
		b := make([]byte, 4096)
		if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
}

func TestStates(t *testing.T) {
	read := listen(t)
	for want, send := range map[string]func() error{"READY=1": Ready, "STOPPING=1": Stopping, "RELOADING=1\nMONOTONIC_USEC=": Reloading} {
		if err := send(); err != nil {
			t.Fatal(err)
		}
		if got := read(); !strings.HasPrefix(got, want) {
			t.Errorf("sent %q, want %q", got, want)
		}
	}
}

func TestWatchdogStaysSilentWhenStuck(t *testing.T) {
	read := listen(t)
	t.Setenv("WATCHDOG_USEC", "20000")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	looks := make(chan []string)
	go func() {
		ended <- Watchdog(ctx, func(time.Time) []string { return <-looks }, slog.New(slog.DiscardHandler))
	}()
	looks <- nil
	if got := read(); got != "WATCHDOG=1" {
		t.Errorf("alive: %q", got)
	}
	looks <- []string{"the engine loop has not run for 2m0s"}
	looks <- nil // so the previous result has been handled
	if err := Stopping(); err != nil {
		t.Fatal(err)
	}
	// There would be two WATCHDOG messages if one had been sent while a loop was stuck.
	got := []string{read(), read()}
	if strings.Join(got, " ") != "WATCHDOG=1 STOPPING=1" && strings.Join(got, " ") != "STOPPING=1 WATCHDOG=1" {
		t.Errorf("after a stuck loop: %q", got)
	}
	stop()
	select {
	case looks <- nil:
	case err := <-ended:
		ended <- err
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestWithoutSystemd(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	t.Setenv("WATCHDOG_USEC", "")
	if err := Ready(); err != nil {
		t.Error(err)
	}
	if err := Watchdog(t.Context(), nil, slog.New(slog.DiscardHandler)); err != nil {
		t.Error(err)
	}
}
