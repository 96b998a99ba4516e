package memstore

import (
	"context"

	"dhbot/internal/audit"
	"dhbot/internal/publish"
)

// Append seals a record that belongs to no run, and settles its claim.
func (s *Store) Append(ctx context.Context, r audit.Record, claim string) error {
	if err := down(ctx); err != nil {
		return err
	}
	r = audit.Link(r, 0, "")
	if _, err := audit.Canonical(r); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle(claim)
	s.rev++
	s.seal(r)
	return nil
}

// seal adds records to the trail. The caller holds mu and has raised the revision.
func (s *Store) seal(r audit.Record) {
	var last audit.Sealed
	if n := len(s.trail); n > 0 {
		last = s.trail[n-1]
	}
	s.trail = append(s.trail, audit.Seal(last, s.rev, r))
}

// Seal does nothing: records are sealed when they are stored.
func (s *Store) Seal(ctx context.Context) (int, error) { return 0, down(ctx) }

// Trail calls f with the sealed entries from number n on.
func (s *Store) Trail(ctx context.Context, n uint64, f func(audit.Sealed) error) error {
	if err := down(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	list := s.trail[min(max(n, 1)-1, uint64(len(s.trail))):]
	s.mu.Unlock()
	for _, e := range list {
		if err := f(e); err != nil {
			return err
		}
	}
	return nil
}

// Find calls f with the entries that a query selects.
func (s *Store) Find(ctx context.Context, q audit.Query, f func(audit.Sealed) error) (older int, err error) {
	return audit.Scan(ctx, s, 1, q, f)
}

// Head returns the newest sealed entry.
func (s *Store) Head(ctx context.Context) (audit.Sealed, bool, error) {
	if err := down(ctx); err != nil {
		return audit.Sealed{}, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.trail) == 0 {
		return audit.Sealed{}, false, nil
	}
	return s.trail[len(s.trail)-1], true, nil
}

// Post returns the message of a run.
func (s *Store) Post(ctx context.Context, run string) (publish.Post, bool, error) {
	if err := down(ctx); err != nil {
		return publish.Post{}, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.posts[run]
	return p, ok, nil
}

// SetPost stores the message of a run.
func (s *Store) SetPost(ctx context.Context, run string, p publish.Post) error {
	if err := down(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.posts[run] = p
	return nil
}

// MarkBehind records that a run's message may show an older state.
func (s *Store) MarkBehind(ctx context.Context, run string) error {
	if err := down(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ok := s.posts[run]; ok && p.TS != "" {
		p.Rev = 0
		s.posts[run] = p
	}
	return nil
}

// Thread returns the thread of a run's trail.
func (s *Store) Thread(ctx context.Context, run string) (publish.Thread, bool, error) {
	if err := down(ctx); err != nil {
		return publish.Thread{}, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.threads[run]
	return t, ok, nil
}

// SetThread stores the thread of a run's trail.
func (s *Store) SetThread(ctx context.Context, run string, t publish.Thread) error {
	if err := down(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.threads[run] = t
	return nil
}

// TrailPosted returns the number of the last posted trail entry.
func (s *Store) TrailPosted(ctx context.Context) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.posted, down(ctx)
}

// SetTrailPosted raises the number of the last posted trail entry, and never lowers it.
func (s *Store) SetTrailPosted(ctx context.Context, n uint64) error {
	if err := down(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.posted = max(s.posted, n)
	return nil
}
