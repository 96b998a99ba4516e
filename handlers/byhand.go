package handlers

import (
	"context"
	"errors"

	"dhbot/handlers/call"
	"dhbot/internal/audit"
	"dhbot/internal/card/runcard"
	"dhbot/internal/engine"
	"dhbot/internal/incident"
	"dhbot/internal/redact"
	"dhbot/internal/refusal"
	"dhbot/internal/status"
)

// byHand records a manual action in place of a run that was not executed, and shows the
// current state of the targets.
func (s *Service) byHand(ctx context.Context, c *call.Call) error {
	r := c.About
	if r.State != engine.Expired && r.State != engine.Refused {
		return refusal.New(call.NotNow, "`byhand` records a manual action for a request that expired or was refused, but %s is %s. Nothing was recorded; `note` adds a note to an incident.", r.ID, r.State.Words())
	}
	note := redact.Line(c.Rest, call.ReasonRunes)
	rec := audit.Record{
		At: s.Now(), Kind: audit.Announced, Person: c.Who.Name, Account: c.Account.String(), Via: string(c.Via), Cluster: r.Plan.Cluster,
		Action: c.Cmd.Verb, Target: runcard.Target(r), Severity: r.Plan.Severity.String(), Outcome: "did " + r.ID + " by hand", Text: note,
	}
	if err := s.Append(ctx, c.Message, rec); err != nil {
		return err
	}
	c.Settled = true
	q := status.Query{Scope: incident.Scope{Cluster: r.Plan.Cluster, Process: r.Inputs.Process}}
	for _, t := range r.Plan.Targets {
		if t.Process != "" && t.Host != "" {
			q.Targets = append(q.Targets, t)
		}
	}
	b, err := s.Status.Assess(ctx, q)
	if errors.Is(err, status.ErrNothingThere) {
		return c.Reply.Show(ctx, runcard.ByHand(r, c.Who.Name, note, nil))
	}
	if err != nil {
		return err
	}
	return c.Reply.Show(ctx, runcard.ByHand(r, c.Who.Name, note, &b))
}
