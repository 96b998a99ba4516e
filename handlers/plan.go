package handlers

import (
	"context"

	"dhbot/handlers/call"
	"dhbot/internal/card/runcard"
	"dhbot/internal/engine"
	"dhbot/runbooks"
)

// showPlan shows the steps of a command, its level, the possible approvers and current
// obstacles. It sends only discovery reads.
func (s *Service) showPlan(ctx context.Context, c *call.Call) error {
	if err := s.Rules.MayAsk(c.Who.Person, c.Cluster.Name, runbooks.Read, c.Channel); err != nil {
		return err
	}
	plan, err := s.planFor(ctx, c)
	if err != nil {
		return err
	}
	view := runcard.PlanView{Plan: plan, Need: s.Rules.Policy.VotesNeeded(plan.Class, plan.Severity)}
	if !plan.Class.Changing() {
		view.Need = 0
	}
	if view.Need > 0 {
		for _, p := range s.Rules.Eligible(plan.Cluster, c.Who.Name) {
			view.Approvers = append(view.Approvers, p.Name)
		}
	}
	if err := s.Rules.MayAsk(c.Who.Person, plan.Cluster, plan.Class, c.Channel); err != nil {
		view.Against = append(view.Against, err.Error())
	} else if err := s.Approvable(ctx, plan.Cluster, c.Who.Name, view.Need); err != nil {
		view.Against = append(view.Against, err.Error())
	}
	view.Against = append(view.Against, s.against(ctx, c, plan)...)
	c.AskedBack = false
	return c.Reply.Ephemeral(ctx, runcard.WouldRun(view))
}

// planFor returns the plan of a request after its discovery reads.
func (s *Service) planFor(ctx context.Context, c *call.Call) (runbooks.Plan, error) {
	if assessesSeveral(c) {
		return together(&s.Grammar, c, s.Now)
	}
	in, err := c.Inputs(s.Now())
	if err != nil {
		return runbooks.Plan{}, err
	}
	plan, err := s.Planner.Plan(in)
	if err != nil {
		return plan, err
	}
	may := s.Rules.MayAsk(c.Who.Person, plan.Cluster, plan.Class, c.Channel)
	switch {
	case may != nil && plan.Class == runbooks.Sensitive:
		return plan, may
	case may != nil:
		return plan, nil // the requester may not run the discovery reads of the plan
	}
	_, plan, err = s.BindPlan(ctx, in)
	return plan, err
}

// against returns the obstacles to a plan: open runs of the same plan, locks, and
// dependencies that are down.
func (s *Service) against(ctx context.Context, c *call.Call, plan runbooks.Plan) []string {
	if !plan.Class.Changing() {
		return nil
	}
	var out []string
	open, err := s.Runs.Open(ctx)
	if err != nil {
		return []string{"The state store does not answer: nothing can run now."}
	}
	for _, o := range open {
		if same(o.Run.Plan, plan) {
			out = append(out, "The same plan is already open: "+o.Run.ID+" ("+o.Run.State.Words()+").")
		}
	}
	held, err := s.Runs.Locks(ctx)
	if err != nil {
		return append(out, "The locks could not be read.")
	}
	out = append(out, locksAgainst(held, plan)...)
	if err := s.needsServe(ctx, plan, c.Anyway); err != nil {
		out = append(out, err.Error())
	}
	unclear, err := s.guards(ctx, plan)
	if err != nil {
		out = append(out, err.Error())
	}
	for _, u := range unclear {
		out = append(out, "One more approval would be needed. "+u.Text)
	}
	return out
}

// locksAgainst returns a sentence for each held lock that the plan requires.
func locksAgainst(held []engine.Lock, plan runbooks.Plan) []string {
	var out []string
	for _, l := range held {
		for _, name := range plan.Locks {
			if l.Name == plan.Cluster+"/"+name || l.Name == name {
				out = append(out, l.Name+" is locked by "+l.Run+": a new run would wait until that run ends.")
			}
		}
	}
	return out
}
