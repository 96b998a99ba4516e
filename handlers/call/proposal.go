package call

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"dhbot/internal/card/runcard"
	"dhbot/internal/command"
	"dhbot/internal/redact"
)

// ProposalTTL is how long the requester may take to tap Run. What was seen later
// may be about another moment.
const ProposalTTL = 60 * time.Second

// proposalRunes is how much of a reason a Run button carries.
const proposalRunes = 300

// offer is a change that takes no approval, shown to its requester, who has to
// tap Run because some of its words were not understood or because it hits more
// than one target. It is the value of the Run button: nothing is stored before
// the tap.
type Proposal struct {
	Request command.Fields    `json:"q"`
	By      string            `json:"by"` // the account that may tap
	At      int64             `json:"at"`
	Digest  string            `json:"d,omitempty"` // of the plan that was shown
	Minted  map[string]string `json:"m,omitempty"`
}

// ProposeBare is propose for a change that makes no plan.
func (s *Base) ProposeBare(ctx context.Context, c *Call) error {
	p := s.ProposalOf(c)
	value, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encoding a proposal: %w", err)
	}
	c.AskedBack, c.Offer = true, string(value)
	return c.Reply.Ephemeral(ctx, runcard.Propose(runcard.Proposal{
		Title: p.Request.Text(), Reason: p.Request.Reason, Unmarked: c.Req.Unmarked, Run: string(value), Within: ProposalTTL,
	}))
}

func (s *Base) ProposalOf(c *Call) Proposal {
	f := c.Req.Fields()
	f.Reason = redact.Line(f.Reason, proposalRunes)
	return Proposal{Request: f, By: c.Account.String(), At: s.Now().Unix()}
}
