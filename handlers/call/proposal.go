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

// ProposalTTL is how long the requester may take to tap Run. After this time, the shown plan may be
// based on outdated information.
const ProposalTTL = 60 * time.Second

// proposalRunes limits a reason in a Run button, in runes.
const proposalRunes = 300

// Proposal is a change that was shown to its requester first, because words that were not
// understood became its reason, or because it has more than one target. A run that needs an
// approval is not proposed. The requester has to tap Run. The Proposal is the value of that button,
// so nothing is stored before the tap.
type Proposal struct {
	Request command.Fields    `json:"q"`
	By      string            `json:"by"` // the account that may tap Run
	At      int64             `json:"at"`
	Digest  string            `json:"d,omitempty"` // the digest of the plan that was shown
	Minted  map[string]string `json:"m,omitempty"`
}

// ProposeBare proposes a change that has no plan.
func (s *Base) ProposeBare(ctx context.Context, c *Call) error {
	p := s.ProposalOf(c)
	value, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encoding a proposal: %w", err)
	}
	c.AskedBack, c.Offer = true, string(value)
	return c.Reply.Ephemeral(ctx, runcard.Propose(runcard.Proposal{
		Title: p.Request.Text(), Reason: p.Request.Reason, Unmarked: c.Req.Unmarked, Confirm: c.Req.Confirm,
		Run: string(value), Within: ProposalTTL,
	}))
}

func (s *Base) ProposalOf(c *Call) Proposal {
	f := c.Req.Fields()
	f.Reason = redact.Line(f.Reason, proposalRunes)
	return Proposal{Request: f, By: c.Account.String(), At: s.Now().Unix()}
}
