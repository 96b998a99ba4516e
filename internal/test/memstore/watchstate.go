package memstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
)

// WatchState calls f with every stored value whose name begins with prefix, sorted by name.
func (s *Store) WatchState(ctx context.Context, prefix string, f func(name string, data []byte, rev int64) error) error {
	if err := down(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	kept := maps.Clone(s.kept)
	s.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(kept)) {
		if strings.HasPrefix(name, prefix) {
			if err := f(name, slices.Clone(kept[name].data), kept[name].rev); err != nil {
				return err
			}
		}
	}
	return nil
}

// SetWatchState stores data under a name, or removes the name if data is nil. It returns
// engine.ErrConflict if the stored revision is not rev.
func (s *Store) SetWatchState(ctx context.Context, name string, data []byte, rev int64, records []audit.Record, claim string) (int64, error) {
	if err := down(ctx); err != nil {
		return 0, err
	}
	if name == "" {
		return 0, errors.New("the name of a watched state must have 1 byte or more; this one has 0")
	}
	linked := make([]audit.Record, len(records))
	for i, r := range records {
		linked[i] = audit.Link(r, 0, "")
		if _, err := audit.Canonical(linked[i]); err != nil {
			return 0, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept[name].rev != rev {
		return 0, fmt.Errorf("%s: %w", name, engine.ErrConflict)
	}
	s.settle(claim)
	s.rev++
	for _, r := range linked {
		s.seal(r)
	}
	if data == nil {
		delete(s.kept, name)
	} else {
		s.kept[name] = form{slices.Clone(data), s.rev}
	}
	return s.rev, nil
}
