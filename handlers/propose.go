package handlers

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"dhbot/handlers/call"
	"dhbot/internal/card"
	"dhbot/internal/card/runcard"
	"dhbot/internal/command/parser"
	"dhbot/internal/refusal"
	"dhbot/runbooks"
)

// propose shows the plan and a Run button.
func (s *Service) propose(ctx context.Context, c *call.Call, in runbooks.Inputs, plan runbooks.Plan, note string) error {
	p := s.ProposalOf(c)
	p.Digest, p.Minted = plan.Digest, in.Minted
	value, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encoding a proposal: %w", err)
	}
	c.AskedBack, c.Offer = true, string(value)
	look := p.Request
	look.Plan, look.Reason = true, ""
	return c.Reply.Ephemeral(ctx, runcard.Propose(runcard.Proposal{
		Plan: plan, Reason: p.Request.Reason, Unmarked: c.Req.Unmarked, Confirm: c.Req.Confirm || plan.ActsIn() > 1, Note: note,
		Run: string(value), Look: look, Within: call.ProposalTTL,
	}))
}

// runProposal handles a tap on Run.
func (s *Service) runProposal(ctx context.Context, m call.Message, reply call.Reply) (settled bool, err error) {
	c, err := s.accepted(ctx, m, m.Tap.Value)
	if err != nil {
		return false, err
	}
	return s.dispatch(ctx, c, reply)
}

// accepted returns the call of a proposal that its requester confirmed.
func (s *Service) accepted(ctx context.Context, m call.Message, value string) (*call.Call, error) {
	var p call.Proposal
	d := json.NewDecoder(strings.NewReader(value))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return nil, refusal.New(call.OldProposal, "Nothing was run: this Run button is no longer valid. Type the command again.")
	}
	if p.By != m.Account.String() {
		return nil, refusal.New(call.NotYours, "Only the requester can run this. Type the command yourself; nothing was run.")
	}
	if age := s.Now().Sub(time.Unix(p.At, 0)); age > call.ProposalTTL || age < -call.ProposalTTL {
		return nil, refusal.New(call.OldProposal, "Nothing was run: this was shown more than %d s ago, and things may have changed. Type `%s` again.", int(call.ProposalTTL.Seconds()), p.Request.Text())
	}
	c, err := s.BuildCall(ctx, m, p.Request)
	if err != nil {
		return nil, err
	}
	c.Proposed = &p
	return c, nil
}

// sayLeft shows the author which words a read ignored.
func (s *Service) sayLeft(ctx context.Context, c *call.Call) {
	out := card.LeftOut(c.Req.Text(), c.Req.Left, parser.Choose(c.Names, c.Channel, c.Req.Left...))
	if err := c.Reply.Ephemeral(ctx, out); err != nil {
		s.Logger.WarnContext(ctx, "the list of ignored words was not shown", "err", err)
	}
}
