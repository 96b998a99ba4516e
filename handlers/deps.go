package handlers

import (
	"context"

	"dhbot/internal/card"
	"dhbot/runbooks"
)

// deps asks what a process needs, directly or through others, in the order in
// which it starts, and the process itself.
func (s *Service) deps(ctx context.Context, c *call) error {
	board := card.Board{Cluster: c.cluster.Name, Needs: c.process.ID, Unrecorded: c.Key == "" && c.Via != Terminal}
	var targets []runbooks.Target
	for _, id := range append(c.catalog.Needed(c.process.ID, c.cluster.ACLs), c.process.ID) {
		hosts := c.cluster.HostsOf(id)
		if len(hosts) == 0 {
			board.Absent = append(board.Absent, id)
		}
		for _, h := range hosts {
			if id != c.process.ID || c.host == nil || c.host.Name == h.Name {
				targets = append(targets, runbooks.Target{Process: id, Host: h.Name})
			}
		}
	}
	asks, err := s.asker.about(c, targets)
	if err != nil {
		return err
	}
	board.Rows = rowsOf(asks)
	if err := s.show(ctx, c, asks, &board, false); err != nil {
		return err
	}
	return s.recordRead(ctx, c, board)
}
