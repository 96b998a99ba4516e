package handlers

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"dhbot/auth"
	"dhbot/internal/engine"
	"dhbot/internal/redact"
	"dhbot/runbooks"
)

// request turns a command into a stored run. What people see of it is the
// run's one message, which the publisher keeps.
func (s *Service) request(ctx context.Context, c *call) error {
	inputs, err := c.inputs(s.Now())
	if err != nil {
		return err
	}
	if c.proposed != nil && c.proposed.Minted != nil {
		inputs.Minted = c.proposed.Minted
	}
	inputs, plan, err := s.bindPlanFor(ctx, c, inputs)
	if err != nil {
		return err
	}
	if shown, err := s.shownAlready(ctx, c, plan); shown || err != nil {
		return err
	}
	if err := s.needsServe(ctx, plan, c.anyway); err != nil {
		return err
	}
	unclear, err := s.guards(ctx, plan)
	if err != nil {
		return err
	}
	if s.need(plan, unclear) == 0 && c.mustConfirm(plan) {
		switch {
		case c.proposed == nil && !c.confirmed():
			return s.propose(ctx, c, inputs, plan, "")
		case c.proposed != nil && c.proposed.Digest != plan.Digest:
			return s.propose(ctx, c, inputs, plan, "What would run has changed since it was shown.")
		}
	}
	return s.submit(ctx, c, inputs, plan, unclear)
}

// submit stores the run, unless no one could ever approve it.
func (s *Service) submit(ctx context.Context, c *call, inputs runbooks.Inputs, plan runbooks.Plan, unclear []engine.Unclear) error {
	need := s.need(plan, unclear)
	if err := s.approvable(ctx, c.cluster.Name, c.who.Name, need); err != nil {
		return said("%v Nothing was run. %s", err, byHand(plan))
	}
	run := engine.Run{
		V: engine.FormVersion, Inputs: inputs, Plan: plan, Need: need,
		Asked:  s.actor(c),
		Reason: redact.Line(c.rest, reasonRunes),
		Place:  s.placeOf(c),
		Beside: beside(c.cluster, plan), Unclear: unclear, Anyway: c.anyway,
	}
	if need > 0 {
		run.Called = callees(s.Rules.Call(c.cluster.Name, c.who.Name, auth.FirstRound))
		run.Last = s.lastTime(ctx, inputs, plan)
	}
	const tries = 8
	for range tries {
		id, err := s.NewID(ctx)
		if err != nil {
			return err
		}
		run.ID = id
		_, err = s.Engine.Submit(ctx, run, c.Key)
		c.settled = err == nil
		if err == nil {
			c.asked = id
			s.tellWhere(ctx, c, run)
			return nil
		}
		if !errors.Is(err, engine.ErrIDTaken) {
			return err
		}
	}
	return fmt.Errorf("no free run id in %d tries", tries)
}

// byHand is what a person could type where the bot refuses.
func byHand(p runbooks.Plan) string {
	var lines []string
	for _, st := range p.Steps {
		if st.Kind == runbooks.Exec {
			lines = append(lines, fmt.Sprintf("on %s: `%s`", st.Host, st.Command))
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return "By hand that would be, " + strings.Join(lines, "; ") + "."
}
