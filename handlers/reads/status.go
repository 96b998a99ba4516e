package reads

import (
	"context"
	"errors"

	"dhbot/handlers/call"
	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/card/statuscard"
	"dhbot/internal/refusal"
	"dhbot/internal/status"
)

// ShowStatus answers with the status of a process, a host or the cluster. It shows partial
// results until all hosts have answered.
func (s *Reads) ShowStatus(ctx context.Context, c *call.Call) error {
	return s.showAssessment(ctx, c, c.Query(), statuscard.Status)
}

// ShowVerify answers whether the state of a cluster is as expected.
func (s *Reads) ShowVerify(ctx context.Context, c *call.Call) error {
	return s.showAssessment(ctx, c, c.Query(), statuscard.Verified)
}

// showAssessment queries once, shows the result, and records the read.
func (s *Reads) showAssessment(ctx context.Context, c *call.Call, q status.Query, render func(status.Board) card.Card) error {
	show := func(b status.Board) error {
		b.Unrecorded = b.Unrecorded || c.Key == "" && c.Via != call.Terminal
		out := render(b)
		if c.ChannelShared {
			return c.Reply.Ephemeral(ctx, out) // output of hosts is not shown to outsiders
		}
		return c.Reply.Show(ctx, c.Signed(out))
	}
	q.Partial = show
	b, err := s.Status.Assess(ctx, q)
	if errors.Is(err, status.ErrNothingThere) {
		return refusal.New(call.NotFound, "The config has no process for this target, so there is no status to show.")
	}
	if err != nil {
		return err
	}
	if err := show(b); err != nil {
		return err
	}
	return s.recordRead(ctx, c, b, show)
}

// recordRead stores the record of a read, which also marks the request as handled. If the store
// does not answer, the read is answered without a record.
func (s *Reads) recordRead(ctx context.Context, c *call.Call, b status.Board, show func(status.Board) error) error {
	r := audit.Record{
		At: s.Now(), Kind: audit.ReadDone, Person: c.Who.Name, Account: c.Account.String(), Via: string(c.Via),
		Cluster: c.Cluster.Name, Action: c.Cmd.Verb, Target: call.TargetOf(c), Severity: b.Worst().String(),
	}
	if err := s.Append(ctx, c.Message, r); err != nil {
		s.Logger.WarnContext(ctx, "read not recorded", "err", err)
		if !b.Unrecorded {
			b.Unrecorded = true
			return show(b)
		}
		return nil
	}
	c.Settled = true
	return nil
}
