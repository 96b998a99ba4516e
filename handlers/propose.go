package handlers

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/card/runcard"
	"dhbot/runbooks"
)

// propose shows what would run, and Run.
func (s *Service) propose(ctx context.Context, c *call, in runbooks.Inputs, plan runbooks.Plan, note string) error {
	p := s.proposalOf(c)
	p.Digest, p.Minted = plan.Digest, in.Minted
	value, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encoding a proposal: %w", err)
	}
	c.askedBack, c.offer = true, string(value)
	look := p.Request
	look.Plan, look.Reason = true, ""
	return c.reply.Ephemeral(ctx, runcard.Propose(runcard.Proposal{
		Plan: plan, Reason: p.Request.Reason, Unmarked: c.req.Unmarked, Note: note,
		Run: string(value), Look: look, Within: proposalTTL,
	}))
}

// runProposal is a tap on Run.
func (s *Service) runProposal(ctx context.Context, m Message, reply Reply) (settled bool, err error) {
	c, err := s.accepted(ctx, m, m.Tap.Value)
	if err != nil {
		return false, err
	}
	return s.dispatch(ctx, c, reply)
}

// accepted is the call of a proposal that its requester wants to run.
func (s *Service) accepted(ctx context.Context, m Message, value string) (*call, error) {
	var p proposal
	d := json.NewDecoder(strings.NewReader(value))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return nil, said("Nothing was run: what you were shown is not known any more. Type the command again.")
	}
	if p.By != m.Account.String() {
		return nil, said("Only the requester can run this. Type the command yourself; nothing was run.")
	}
	if age := s.Now().Sub(time.Unix(p.At, 0)); age > proposalTTL || age < -proposalTTL {
		return nil, said("Nothing was run: this was shown more than %d s ago, and things may have changed. Type `%s` again.", int(proposalTTL.Seconds()), p.Request.Text())
	}
	c, err := s.buildCall(ctx, m, p.Request)
	if err != nil {
		return nil, err
	}
	c.proposed = &p
	return c, nil
}

// sayLeft tells what of a read was left out.
func (s *Service) sayLeft(ctx context.Context, c *call) {
	out := card.LeftOut(c.req.Text(), c.req.Left, c.names.Choose(c.Channel, c.req.Left...))
	if err := c.reply.Ephemeral(ctx, out); err != nil {
		s.Logger.WarnContext(ctx, "what was left out was not said", "err", err)
	}
}
