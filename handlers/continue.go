package handlers

import (
	"context"

	"dhbot/handlers/call"
	"dhbot/internal/redact"
	"dhbot/internal/refusal"
)

// continueRun requests the remaining steps of an unfinished run as a new run with its own
// approvals. It first checks the targets.
func (s *Service) continueRun(ctx context.Context, c *call.Call) error {
	in, ok := c.About.Continuation()
	if !ok {
		return refusal.New(call.NotNow, "%s cannot be continued: it is open, it succeeded, it changed nothing, or its result is unknown. Nothing was run; `show %s` shows its state.", c.Run, c.Run)
	}
	plan, err := s.Planner.Plan(in)
	if err != nil {
		return err
	}
	if err := s.Rules.MayAsk(c.Who.Person, plan.Cluster, plan.Class, c.Channel); err != nil {
		return err
	}
	if open, err := s.continuedBy(ctx, c.Run); err != nil || open != "" {
		if err != nil {
			return err
		}
		return refusal.New(call.AlreadyThere, "%s is already being continued by %s. No second run was started.", c.Run, open)
	}
	c.Anyway = c.Anyway || c.About.Anyway
	if err := s.needsServe(ctx, plan, c.Anyway); err != nil {
		return err
	}
	unclear, err := s.guards(ctx, plan)
	if err != nil {
		return err
	}
	if c.Rest == "" {
		c.Rest = redact.Line("continues "+c.Run+": "+c.About.Reason, call.ReasonRunes)
	}
	return s.submit(ctx, c, in, plan, unclear)
}

// continuedBy returns the id of the open run that continues the given run, or "".
func (s *Service) continuedBy(ctx context.Context, run string) (string, error) {
	open, err := s.Runs.Open(ctx)
	if err != nil {
		return "", err
	}
	for _, o := range open {
		for _, c := range o.Run.Inputs.Continue {
			if c.Run == run {
				return o.Run.ID, nil
			}
		}
	}
	return "", nil
}
