package faulttest

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/etcdstore"
	"dhbot/internal/poster"
)

// state is what the store holds, at about one moment.
type state struct {
	Runs      []engine.Stored // open ones, then those that ended
	Locks     []engine.Lock
	Posts     map[string]poster.Post // by run
	Unsettled []string               // keys of deliveries, with who took them
	Posted    uint64                 // the last trail entry in the audit channel
	Trail     []audit.Sealed
	Pending   int64 // records that wait to be sealed
}

// readState reads all of it.
func readState(ctx context.Context, s *etcdstore.Store) (state, error) {
	out := state{Posts: map[string]poster.Post{}}
	open, err := s.Open(ctx)
	if err != nil {
		return out, err
	}
	ended, err := s.Recent(ctx, 1000)
	if err != nil {
		return out, err
	}
	out.Runs = append(open, ended...)
	if out.Locks, err = s.Locks(ctx); err != nil {
		return out, err
	}
	for _, r := range out.Runs {
		if out.Posts[r.Run.ID], _, err = s.Post(ctx, r.Run.ID); err != nil {
			return out, err
		}
	}
	err = s.Unsettled(ctx, func(key string, _ []byte, replica string, _ time.Time) error {
		out.Unsettled = append(out.Unsettled, key+" taken by "+replica)
		return nil
	})
	if err != nil {
		return out, err
	}
	if out.Posted, err = s.TrailPosted(ctx); err != nil {
		return out, err
	}
	health, err := s.Health(ctx)
	if err != nil {
		return out, err
	}
	out.Pending = health.Pending
	err = s.Trail(ctx, 1, func(e audit.Sealed) error { out.Trail = append(out.Trail, e); return nil })
	return out, err
}

// servePeek lets the round look into the store of a living replica, which is
// the only way in where it is embedded.
func servePeek(socket string, s *etcdstore.Store) (stop func() error, err error) {
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		return nil, err
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		st, err := readState(r.Context(), s)
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_ = json.NewEncoder(w).Encode(st)
	})}
	served := make(chan struct{})
	go func() { defer close(served); _ = srv.Serve(l) }()
	return func() error { err := srv.Close(); <-served; return err }, nil
}

// peek asks a replica for the state.
func peek(ctx context.Context, socket string) (state, error) {
	var st state
	client := unixClient(socket)
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://peek/", nil)
	if err != nil {
		return st, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return st, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return st, errors.New(resp.Status)
	}
	return st, json.NewDecoder(resp.Body).Decode(&st)
}
