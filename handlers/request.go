package handlers

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"dhbot/auth"
	"dhbot/handlers/call"
	"dhbot/internal/engine"
	"dhbot/internal/redact"
	"dhbot/internal/refusal"
	"dhbot/runbooks"
)

// request turns a command into a stored run. The publisher keeps the run's message up to
// date.
func (s *Service) request(ctx context.Context, c *call.Call) error {
	inputs, err := c.Inputs(s.Now())
	if err != nil {
		return err
	}
	if c.Proposed != nil && c.Proposed.Minted != nil {
		inputs.Minted = c.Proposed.Minted
	}
	inputs, plan, err := s.BindPlanFor(ctx, c, inputs)
	if err != nil {
		return err
	}
	if shown, err := s.shownAlready(ctx, c, plan); shown || err != nil {
		return err
	}
	if err := s.needsServe(ctx, plan, c.Anyway); err != nil {
		return err
	}
	unclear, err := s.guards(ctx, plan)
	if err != nil {
		return err
	}
	if s.need(plan, unclear) == 0 && c.MustConfirm(plan) {
		switch {
		case c.Proposed == nil && !c.Confirmed():
			return s.propose(ctx, c, inputs, plan, "")
		case c.Proposed != nil && c.Proposed.Digest != plan.Digest:
			return s.propose(ctx, c, inputs, plan, "The plan has changed since it was shown.")
		}
	}
	return s.submit(ctx, c, inputs, plan, unclear)
}

// submit stores the run, unless it could never be approved.
func (s *Service) submit(ctx context.Context, c *call.Call, inputs runbooks.Inputs, plan runbooks.Plan, unclear []engine.Unclear) error {
	need := s.need(plan, unclear)
	if err := s.Approvable(ctx, c.Cluster.Name, c.Who.Name, need); err != nil {
		var no *refusal.Error
		if !errors.As(err, &no) {
			return err
		}
		return refusal.New(no.Code, "%s Nothing was run. %s", no.Text, byHand(plan))
	}
	run := engine.Run{
		V: engine.FormVersion, Inputs: inputs, Plan: plan, Need: need,
		Asked:  s.actor(c),
		Reason: redact.Line(c.Rest, call.ReasonRunes),
		Place:  s.placeOf(c),
		Beside: beside(c.Cluster, plan), Unclear: unclear, Anyway: c.Anyway,
	}
	if need > 0 {
		run.Called = call.Callees(s.Rules.Call(c.Cluster.Name, c.Who.Name, auth.FirstRound))
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
		c.Settled = err == nil
		if err == nil {
			c.Asked = id
			s.tellWhere(ctx, c, run)
			return nil
		}
		if !errors.Is(err, engine.ErrIDTaken) {
			return err
		}
	}
	return fmt.Errorf("no free run id in %d tries", tries)
}

// byHand returns a sentence with the commands of a refused plan, for a person to run. It returns ""
// if the plan has none.
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
	return "To do it by hand, run " + strings.Join(lines, "; then ") + "."
}
