package handlers

import (
	"context"

	"dhbot/internal/card"
	"dhbot/internal/card/statuscard"
	"dhbot/internal/status"
)

// deps asks what a process needs, directly or through others, in the order in
// which it starts, and the process itself.
func (s *Reads) deps(ctx context.Context, c *call) error {
	targets, absent := neededBy(c)
	q := status.Query{Scope: c.scope(), Targets: targets, Needs: c.process.ID}
	return s.showAssessment(ctx, c, q, func(b status.Board) card.Card {
		b.Absent = absent
		return statuscard.Status(b)
	})
}
