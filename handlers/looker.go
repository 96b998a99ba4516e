package handlers

import (
	"context"
	"time"

	"dhbot/handlers/call"
	"dhbot/internal/incident"
	"dhbot/internal/status"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// Look queries a scope for the monitor.
func (s *Service) Look(
	ctx context.Context, sc incident.Scope, notUp func(runbooks.Target) time.Time,
) (status.Board, []incident.Seen, error) {
	return s.Status.Look(ctx, sc, notUp)
}

// MayFollow reports whether the person who started a watch may still read its
// scope.
func (s *Service) MayFollow(ctx context.Context, f incident.Follow) error {
	p, err := s.Identify(ctx, f.Account, call.StillAllowed)
	if err != nil {
		return err
	}
	return s.Rules.MayAsk(p.Person, f.Scope.Cluster, runbooks.Read, f.From)
}

// Process returns a process of a cluster's catalog.
func (s *Service) Process(cluster, id string) (catalogs.Process, bool) {
	cl, ok := s.Fleet.Cluster(cluster)
	if !ok {
		return catalogs.Process{}, false
	}
	catalog, ok := s.Catalogs.Get(cl.Catalog)
	if !ok {
		return catalogs.Process{}, false
	}
	p, ok := catalog.Process(id)
	if !ok {
		return catalogs.Process{}, false
	}
	return *p, true
}
