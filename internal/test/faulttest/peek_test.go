package faulttest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/publish"
	"dhbot/internal/store/etcdstore"
)

// state is what a test has read from the store, all at about the same time.
type state struct {
	Runs      []engine.Stored // open runs, then ended runs, then archived runs
	Archived  map[string]bool // by run; a run is archived once its message is final
	Locks     []engine.Lock
	Posts     map[string]publish.Post // by run
	Unsettled []string                // keys of deliveries, with their replicas
	Posted    uint64                  // the last trail entry in the audit channel
	Trail     []audit.Sealed
	Pending   int64 // records that are not yet sealed
}

// readState reads the whole state.
func readState(ctx context.Context, s *etcdstore.Store) (state, error) {
	out := state{Archived: map[string]bool{}, Posts: map[string]publish.Post{}}
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
	if err != nil {
		return out, err
	}
	return out, addArchived(ctx, s, &out)
}

// addArchived adds to st the runs that the trail mentions and that the store has moved to the
// archive.
func addArchived(ctx context.Context, s *etcdstore.Store, st *state) error {
	known := map[string]bool{"": true}
	for _, r := range st.Runs {
		known[r.Run.ID] = true
	}
	for _, e := range st.Trail {
		if known[e.Record.Run] {
			continue
		}
		known[e.Record.Run] = true
		run, err := s.Get(ctx, e.Record.Run)
		if errors.Is(err, engine.ErrNotFound) {
			continue // the run began after the runs were read; otherwise the judge reports it
		}
		if err != nil {
			return err
		}
		st.Runs, st.Archived[e.Record.Run] = append(st.Runs, run), true
	}
	return nil
}

// servePeek lets the round read the store of a running replica, because an embedded store can be
// read in no other way.
func servePeek(socket string, s *etcdstore.Store) (stop func() error, err error) {
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	answer(mux, "GET /state", func(ctx context.Context) (state, error) { return readState(ctx, s) })
	answer(mux, "GET /usage", func(ctx context.Context) (usage, error) { return readUsage(ctx, s) })
	srv := &http.Server{Handler: mux}
	served := make(chan struct{})
	go func() { defer close(served); _ = srv.Serve(l) }()
	return func() error { err := srv.Close(); <-served; return err }, nil
}

func answer[T any](mux *http.ServeMux, pattern string, read func(context.Context) (T, error)) {
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		v, err := read(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_ = json.NewEncoder(w).Encode(v)
	})
}

// usage is how much memory and other resources a replica uses.
type usage struct {
	RSS, Heap, Size, InUse  int64 // bytes: the process, its heap, the store's database, and the used part of it
	Goroutines, Descriptors int
	Sealed, Stored          uint64 // the last sealed entry of the trail, and the first entry that is still in the store
}

func readUsage(ctx context.Context, s *etcdstore.Store) (usage, error) {
	h, err := s.Health(ctx)
	if err != nil {
		return usage{}, err
	}
	b := usage{Size: h.Size, InUse: h.InUse, Sealed: h.Sealed, Stored: h.Stored, Goroutines: runtime.NumGoroutine()}
	// Without this, garbage would count as used memory.
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.Heap = int64(m.HeapAlloc)
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return usage{}, err
	}
	b.Descriptors = len(open)
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return usage{}, err
	}
	var total, resident int64
	if _, err := fmt.Sscan(string(statm), &total, &resident); err != nil {
		return usage{}, fmt.Errorf("/proc/self/statm: %w", err)
	}
	b.RSS = resident * int64(os.Getpagesize())
	return b, nil
}

// peek sends a request to a replica, for example for its state, and decodes the answer.
func peek[T any](ctx context.Context, socket, path string) (T, error) {
	var st T
	client := unixClient(socket)
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://peek"+path, nil)
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
