package handlers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"dhbot/auth"
	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/redact"
	"dhbot/runbooks"
)

// againWithin is how soon after a good end the same command is asked back.
const againWithin = 10 * time.Minute

// reasonRunes is how much of a reason is kept.
const reasonRunes = 500

// request turns a command into a stored run. What people see of it is the
// run's one message, which the poster keeps.
func (s *Service) request(ctx context.Context, c *call) error {
	inputs, err := c.inputs(s.Now())
	if err != nil {
		return err
	}
	inputs, plan, err := s.bind(ctx, inputs)
	if err != nil {
		return err
	}
	if plan.Class != c.cmd.Class {
		if err := s.Rules.MayAsk(c.who.Person, c.cluster.Name, plan.Class, c.Channel); err != nil {
			return err
		}
	}
	if shown, err := s.shownAlready(ctx, c, plan); shown || err != nil {
		return err
	}
	if err := s.needsServe(ctx, c, plan); err != nil {
		return err
	}
	return s.submit(ctx, c, inputs, plan)
}

// submit stores the run, unless nobody could ever approve it.
func (s *Service) submit(ctx context.Context, c *call, inputs runbooks.Inputs, plan runbooks.Plan) error {
	need := s.Rules.Policy.VotesNeeded(plan.Class, plan.Severity)
	if err := s.approvable(ctx, c.cluster.Name, c.who.Name, need); err != nil {
		return said("%v Nothing was run. %s", err, byHand(plan))
	}
	run := engine.Run{
		V: engine.FormVersion, Inputs: inputs, Plan: plan, Need: need,
		Asked:  engine.Actor{Person: c.who.Name, Account: c.Account, Via: string(c.Via)},
		Reason: redact.Line(c.rest, reasonRunes),
		Place:  s.placeOf(c),
		Beside: s.beside(c.cluster.Name, plan),
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

// shownAlready answers a command that is under way, or that ended well a
// moment ago, with that run instead of a second one.
func (s *Service) shownAlready(ctx context.Context, c *call, plan runbooks.Plan) (bool, error) {
	open, err := s.Runs.Open(ctx)
	if err != nil {
		return false, err
	}
	for _, o := range open {
		if same(o.Run.Plan, plan) {
			c.asked = o.Run.ID
			head := fmt.Sprintf("%s is already asked for: %s, %s. I did not start a second one.", plan.Title, o.Run.ID, o.Run.State)
			return true, c.reply.Whisper(ctx, card.WithNote(card.Run(o.Run), head))
		}
	}
	if c.again {
		return false, nil
	}
	ended, err := s.Runs.Recent(ctx, 20)
	if err != nil {
		return false, err
	}
	for _, e := range ended {
		r := e.Run
		if r.State == engine.Done && same(r.Plan, plan) && r.EndedAt != nil && s.Now().Sub(*r.EndedAt) < againWithin {
			c.askedBack = true
			return true, c.reply.Whisper(ctx, card.Again(r, againCommand(c)))
		}
	}
	return false, nil
}

// same says that two plans would do the same; a digest that differs for
// another reason (a new catalog) makes them different.
func same(a, b runbooks.Plan) bool { return a.Digest == b.Digest && a.Digest != "" }

// againCommand is the command that repeats a call on purpose.
func againCommand(c *call) string {
	w := []string{c.cmd.Verb}
	if c.process != nil && c.cmd.Object != ProcessImplied {
		w = append(w, c.process.ID)
	}
	if c.host != nil {
		w = append(w, "on", c.host.Name)
	}
	return strings.Join(append(w, "in", c.cluster.Name, "again=yes", paramText(c.params), c.rest), " ")
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
