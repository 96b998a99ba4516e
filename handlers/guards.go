package handlers

import (
	"context"
	"errors"

	"dhbot/handlers/call"
	"dhbot/internal/engine"
	"dhbot/internal/guard"
	"dhbot/runbooks"
)

// guards asks the guards of a plan: what would be refused at the start is refused
// now, before an approver is called. Returned are the guards that cannot tell, for
// which one approval more is needed.
func (s *Service) guards(ctx context.Context, plan runbooks.Plan) ([]engine.Unclear, error) {
	unclear, err := guard.AtRequest(ctx, s.Remote, plan)
	var no *guard.RefusedError
	if errors.As(err, &no) {
		return nil, call.Refuse("Nothing was run: %s. %s", no.Text, byHand(plan))
	}
	return unclear, err
}

// stillAs looks again, just before the start, at what a run was asked for with:
// what was listed, what its processes need, and the guards that its plan has behind
// its first change.
func (s *Service) stillAs(ctx context.Context, r engine.Run) error {
	if err := s.ListAgain(ctx, r.Inputs); err != nil {
		return err
	}
	plan, err := s.Derive(r) // never the bytes that are stored
	if err != nil {
		return err
	}
	if err := s.needsStillServe(ctx, r, plan); err != nil {
		return err
	}
	return guard.AtStart(ctx, s.Remote, plan)
}

// need is how many approvals a plan takes: one more where a guard of it cannot tell.
func (s *Service) need(plan runbooks.Plan, unclear []engine.Unclear) int {
	n := s.Rules.Policy.VotesNeeded(plan.Class, plan.Severity)
	if len(unclear) > 0 {
		n++
	}
	return n
}
