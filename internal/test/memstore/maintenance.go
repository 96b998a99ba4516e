package memstore

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/fleet"
)

// Maintenance returns the announcements that were not ended, sorted by cluster and target.
func (s *Store) Maintenance(ctx context.Context) ([]fleet.Maintenance, error) {
	if err := down(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.announced(), nil
}

// OpenWork returns the results of Open and Maintenance at the same revision.
func (s *Store) OpenWork(ctx context.Context) ([]engine.Stored, []fleet.Maintenance, error) {
	if err := down(ctx); err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	open, err := s.open()
	return open, s.announced(), err
}

// announced returns the announcements, sorted by cluster and target. The caller holds s.mu.
func (s *Store) announced() []fleet.Maintenance {
	return slices.SortedFunc(maps.Values(s.maintenance), fleet.Maintenance.Compare)
}

// SetMaintenance stores an announcement. It replaces an announcement for the same target.
func (s *Store) SetMaintenance(ctx context.Context, m fleet.Maintenance, r audit.Record, claim string) error {
	return s.announce(ctx, m, r, claim, func() {
		if m.IsWindow() {
			m.Rev = s.rev
		}
		s.maintenance[target(m)] = m
	})
}

// EndMaintenance removes the announcement for a target, if there is one.
func (s *Store) EndMaintenance(ctx context.Context, m fleet.Maintenance, r audit.Record, claim string) error {
	return s.announce(ctx, m, r, claim, func() { delete(s.maintenance, target(m)) })
}

// target returns the key of an announcement in the map Store.maintenance.
func target(m fleet.Maintenance) fleet.Maintenance {
	return fleet.Maintenance{Cluster: m.Cluster, Process: m.Process, Host: m.Host}
}

// announce calls change, which stores or removes an announcement, and stores the audit record.
func (s *Store) announce(ctx context.Context, m fleet.Maintenance, r audit.Record, claim string, change func()) error {
	if err := down(ctx); err != nil {
		return err
	}
	r = audit.Link(r, 0, "")
	if _, err := audit.Canonical(r); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.IsWindow() && s.maintenance[target(m)].Rev != m.Rev {
		return fmt.Errorf("maintenance of %s in %s: %w", m.Target(), m.Cluster, engine.ErrConflict)
	}
	s.settle(claim)
	s.rev++
	s.seal(r)
	change()
	return nil
}
