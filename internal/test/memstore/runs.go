package memstore

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"dhbot/internal/engine"
)

// Commit makes a change completely or not at all.
func (s *Store) Commit(ctx context.Context, c engine.Change) (int64, error) {
	if err := down(ctx); err != nil {
		return 0, err
	}
	if err := c.Check(); err != nil {
		return 0, err
	}
	data, err := engine.EncodeRun(c.Run)
	if err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refuse(c); err != nil {
		return 0, err
	}
	s.settle(c.Claim)
	s.rev++
	s.store(c, form{data, s.rev})
	for _, r := range c.Records {
		s.seal(r)
	}
	for _, name := range c.Take {
		if _, own := s.locks[name]; !own {
			s.locks[name] = engine.Lock{Name: name, Run: c.Run.ID, Reason: c.Run.Plan.Title, Since: s.now().UnixMilli()}
		}
	}
	if c.Release {
		maps.DeleteFunc(s.locks, func(_ string, l engine.Lock) bool { return l.Run == c.Run.ID })
	}
	return s.rev, nil
}

// refuse returns an error if a change cannot be made, otherwise nil. The caller holds s.mu.
func (s *Store) refuse(c engine.Change) error {
	old, exists := s.runs[c.Run.ID]
	switch {
	case s.lost:
		return engine.ErrLeaseLost
	case c.Rev == 0 && exists:
		return engine.ErrIDTaken
	case c.Rev != 0 && (!exists || old.rev != c.Rev):
		return engine.ErrConflict
	}
	if cl, ok := s.claims[c.Claim]; ok && cl.settled {
		return engine.ErrSettled
	}
	for _, name := range slices.Sorted(slices.Values(c.Take)) {
		if l, held := s.locks[name]; held && l.Run != c.Run.ID {
			return &engine.LockedError{Lock: name, Run: l.Run}
		}
	}
	return nil
}

// store stores a new version of a run. The caller holds mu.
func (s *Store) store(c engine.Change, f form) {
	r, ok := s.runs[c.Run.ID]
	if !ok {
		r = &run{created: f.rev}
		s.runs[c.Run.ID] = r
	}
	r.form = f
	if c.Run.State.Ended() && r.ended.IsZero() {
		r.ended = s.now()
		if c.Run.EndedAt != nil {
			r.ended = *c.Run.EndedAt
		}
	}
	s.history = append(s.history, f)
	close(s.changed)
	s.changed = make(chan struct{})
}

func (f form) stored() (engine.Stored, error) {
	r, err := engine.DecodeRun(f.data)
	return engine.Stored{Run: r, Rev: f.rev}, err
}

// Get returns a run.
func (s *Store) Get(ctx context.Context, id string) (engine.Stored, error) {
	if err := down(ctx); err != nil {
		return engine.Stored{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.runs[id]
	if !ok {
		return engine.Stored{}, fmt.Errorf("%w: %s", engine.ErrNotFound, id)
	}
	return r.stored()
}

// Open returns the runs that have not ended, oldest first.
func (s *Store) Open(ctx context.Context) ([]engine.Stored, error) {
	if err := down(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open()
}

// open returns the open runs. The caller holds mu.
func (s *Store) open() ([]engine.Stored, error) {
	list := slices.SortedFunc(maps.Values(s.runs), func(a, b *run) int { return cmp.Compare(a.created, b.created) })
	return decode(slices.DeleteFunc(list, func(r *run) bool { return !r.ended.IsZero() }))
}

// Recent returns the n runs that ended last, the newest first.
func (s *Store) Recent(ctx context.Context, n int) ([]engine.Stored, error) {
	if err := down(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.SortedFunc(maps.Values(s.runs), func(a, b *run) int {
		return cmp.Or(b.ended.Compare(a.ended), cmp.Compare(b.created, a.created))
	})
	list = slices.DeleteFunc(list, func(r *run) bool { return r.ended.IsZero() })
	return decode(list[:min(max(n, 0), len(list))])
}

func decode(list []*run) ([]engine.Stored, error) {
	out := make([]engine.Stored, 0, len(list))
	for _, r := range list {
		s, err := r.stored()
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// Watch calls f with the open runs and then with every new version.
func (s *Store) Watch(ctx context.Context, f func(engine.Stored)) error {
	s.mu.Lock()
	list, err := s.open()
	next := len(s.history)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	for _, r := range list {
		f(r)
	}
	for {
		s.mu.Lock()
		fresh, changed := s.history[next:], s.changed
		next = len(s.history)
		s.mu.Unlock()
		for _, h := range fresh {
			r, err := h.stored()
			if err != nil {
				return err
			}
			f(r)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// Locks returns the held locks by name.
func (s *Store) Locks(ctx context.Context) ([]engine.Lock, error) {
	if err := down(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.locks), func(a, b engine.Lock) int { return cmp.Compare(a.Name, b.Name) }), nil
}

// NewID returns an unused run id.
func (s *Store) NewID(ctx context.Context) (string, error) {
	return engine.FreshID(1, func(id string) (bool, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.runs[id] != nil, down(ctx)
	})
}

// unsettled returns the keys of the claims that are not settled, the oldest first.
func (s *Store) unsettled() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	open := map[string]time.Time{}
	for key, c := range s.claims {
		if !c.settled {
			open[key] = c.at
		}
	}
	return slices.SortedFunc(maps.Keys(open), func(a, b string) int {
		return cmp.Or(open[a].Compare(open[b]), bytes.Compare([]byte(a), []byte(b)))
	})
}
