package handlers

import (
	"context"

	"dhbot/internal/redact"
)

// continueRun asks for the rest of a run that ended unfinished: a new run, with
// approvals of its own, over what is not proved done. It looks first.
func (s *Service) continueRun(ctx context.Context, c *call) error {
	in, ok := c.about.Continuation()
	if !ok {
		return said("%s cannot be continued: it is open, ended well, changed nothing, or what it did is not known. Nothing was run; `show %s` shows it.", c.run, c.run)
	}
	plan, err := s.planner.Plan(in)
	if err != nil {
		return err
	}
	if err := s.Rules.MayAsk(c.who.Person, plan.Cluster, plan.Class, c.Channel); err != nil {
		return err
	}
	if open, err := s.continuedBy(ctx, c.run); err != nil || open != "" {
		if err != nil {
			return err
		}
		return said("%s is being continued already: %s. Nothing more was started.", c.run, open)
	}
	c.anyway = c.anyway || c.about.Anyway
	if err := s.needsServe(ctx, plan, c.anyway); err != nil {
		return err
	}
	unclear, err := s.guards(ctx, plan)
	if err != nil {
		return err
	}
	if c.rest == "" {
		c.rest = redact.Line("continues "+c.run+": "+c.about.Reason, reasonRunes)
	}
	return s.submit(ctx, c, in, plan, unclear)
}

// continuedBy is the open run that continues another, "" where there is none.
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
