package memstore

import (
	"context"

	"dhbot/internal/audit"
	"dhbot/internal/publish"
)

// Append adds a record without a run to the trail, and settles the claim.
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

// seal adds a record to the trail. The caller holds s.mu, and has raised the revision.
func (s *Store) seal(r audit.Record) {
	var last audit.Sealed
	if n := len(s.trail); n > 0 {
		last = s.trail[n-1]
	}
	s.trail = append(s.trail, audit.Seal(last, s.rev, r))
}

// Seal does nothing, because this store seals records as soon as they are stored.
func (s *Store) Seal(ctx context.Context) (int, error) { return 0, down(ctx) }

// Trail calls f with the entries of the trail, starting at number n.
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

// MarkBehind records that the message of a run may show an older state of the run.
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

// Thread returns the Slack thread in which the trail of a run is posted.
func (s *Store) Thread(ctx context.Context, run string) (publish.Thread, bool, error) {
	if err := down(ctx); err != nil {
		return publish.Thread{}, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.threads[run]
	return t, ok, nil
}

// SetThread stores the Slack thread in which the trail of a run is posted.
func (s *Store) SetThread(ctx context.Context, run string, t publish.Thread) error {
	if err := down(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.threads[run] = t
	return nil
}

// TrailPosted returns the number of the last trail entry that was posted.
func (s *Store) TrailPosted(ctx context.Context) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.posted, down(ctx)
}

// SetTrailPosted stores the number of the last trail entry that was posted. It ignores a lower
// number than the stored number.
func (s *Store) SetTrailPosted(ctx context.Context, n uint64) error {
	if err := down(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.posted = max(s.posted, n)
	return nil
}
