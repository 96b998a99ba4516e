package reads

import (
	"context"

	"dhbot/handlers/call"
	"dhbot/internal/card"
	"dhbot/internal/card/statuscard"
	"dhbot/internal/status"
)

// Deps shows the status of a process and of its direct and indirect dependencies, in start order.
func (s *Reads) Deps(ctx context.Context, c *call.Call) error {
	targets, absent := call.NeededBy(c)
	q := status.Query{Scope: c.Scope(), Targets: targets, Needs: c.Process.ID}
	return s.showAssessment(ctx, c, q, func(b status.Board) card.Card {
		b.Absent = absent
		return statuscard.Status(b)
	})
}
