package app_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"dhbot/internal/app"
)

func TestReloading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var lives []string
		note := func(s string) { mu.Lock(); defer mu.Unlock(); lives = append(lives, s) }
		run := func(ctx context.Context, config int) error {
			note(fmt.Sprintf("begin %d", config))
			<-ctx.Done()
			note(fmt.Sprintf("end %d", config))
			return nil
		}
		loads := []error{errors.New("line 3: there is no such process"), nil, nil}
		n := 0
		load := func() (int, error) { n++; return n, loads[n-1] }
		reload := make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- app.Reloading(ctx, 0, load, reload, run, slog.New(slog.DiscardHandler)) }()
		for range loads {
			reload <- struct{}{}
			synctest.Wait()
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		want := []string{"begin 0", "end 0", "begin 2", "end 2", "begin 3", "end 3"}
		if !slices.Equal(lives, want) {
			t.Errorf("configs in use: %q, want %q: an invalid config changes nothing", lives, want)
		}
	})
}

// If the function returns on its own, Reloading returns its error.
func TestReloadingEnds(t *testing.T) {
	broken := errors.New("the app token is refused")
	err := app.Reloading(t.Context(), 0, func() (int, error) { return 0, nil }, nil,
		func(context.Context, int) error { return broken }, slog.New(slog.DiscardHandler))
	if !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
}
