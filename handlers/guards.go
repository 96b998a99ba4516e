package handlers

import (
	"context"
	"errors"

	"dhbot/internal/engine"
	"dhbot/internal/guard"
	"dhbot/internal/refusal"
	"dhbot/runbooks"
)

// guards queries the guards of a plan before an approver is mentioned. It refuses a request that
// would be refused at the start, and returns the guards that cannot decide. Such guards require one
// more approval.
func (s *Service) guards(ctx context.Context, plan runbooks.Plan) ([]engine.Unclear, error) {
	unclear, err := guard.AtRequest(ctx, s.Remote, plan)
	var no *refusal.Error
	if errors.As(err, &no) {
		return nil, refusal.New(no.Code, "Nothing was run: %s. %s", no.Text, byHand(plan))
	}
	return unclear, err
}

// stillAs repeats checks of a request directly before the start: the discovery reads, the
// dependencies of the processes, and those guards that come after the plan's first change.
func (s *Service) stillAs(ctx context.Context, r engine.Run) error {
	if err := s.ListAgain(ctx, r.Inputs); err != nil {
		return err
	}
	plan, err := s.Derive(r) // made again, never read from the store
	if err != nil {
		return err
	}
	if err := s.needsStillServe(ctx, r, plan); err != nil {
		return err
	}
	return guard.AtStart(ctx, s.Remote, plan)
}

// need returns the number of approvals that a plan needs. If a guard cannot decide, one more is
// needed.
func (s *Service) need(plan runbooks.Plan, unclear []engine.Unclear) int {
	n := s.Rules.Policy.VotesNeeded(plan.Class, plan.Severity)
	if len(unclear) > 0 {
		n++
	}
	return n
}
