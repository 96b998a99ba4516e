package handlers

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/card/statuscard"
	"dhbot/internal/fleet"
	"dhbot/internal/incident"
	"dhbot/internal/status"
	"dhbot/runbooks"
)

// status answers how a process, a host or the cluster is, and shows what is
// known while hosts are silent.
func (s *Service) status(ctx context.Context, c *call) error {
	return s.assess(ctx, c, c.query(), statuscard.Status)
}

// verify answers whether all of a cluster is as it should be.
func (s *Service) verify(ctx context.Context, c *call) error {
	return s.assess(ctx, c, c.query(), statuscard.Verified)
}

// assess looks once, shows what it finds, and records the read.
func (s *Service) assess(ctx context.Context, c *call, q status.Query, render func(status.Board) card.Card) error {
	show := func(b status.Board) error {
		b.Unrecorded = b.Unrecorded || c.Key == "" && c.Via != Terminal
		out := render(b)
		if c.ChannelShared {
			return c.reply.Ephemeral(ctx, out) // what hosts said is not for outsiders
		}
		return c.reply.Show(ctx, c.signed(out))
	}
	q.Partial = show
	b, err := s.Status.Assess(ctx, q)
	if errors.Is(err, status.ErrNothingThere) {
		return said("Nothing to ask: no process is configured there.")
	}
	if err != nil {
		return err
	}
	if err := show(b); err != nil {
		return err
	}
	return s.recordRead(ctx, c, b, show)
}

// recordRead writes the read's record, which also settles its claim. A store
// that does not answer makes the read unrecorded, never unanswered.
func (s *Service) recordRead(ctx context.Context, c *call, b status.Board, show func(status.Board) error) error {
	r := audit.Record{
		At: s.Now(), Kind: audit.ReadDone, Person: c.who.Name, Account: c.Account.String(), Via: string(c.Via),
		Cluster: c.cluster.Name, Action: c.cmd.Verb, Target: targetOf(c), Severity: b.Worst().String(),
	}
	if err := s.append(ctx, c.Message, r); err != nil {
		s.Logger.WarnContext(ctx, "read not recorded", "err", err)
		if !b.Unrecorded {
			b.Unrecorded = true
			return show(b)
		}
		return nil
	}
	c.settled = true
	return nil
}

// scope is what a call is about.
func (c *call) scope() incident.Scope {
	return incident.Scope{Cluster: c.cluster.Name, Process: c.processID(), Host: hostName(c.host)}
}

// query asks about all that a call names, which may be more than a scope can.
func (c *call) query() status.Query {
	q := status.Query{Scope: c.scope(), Several: severalOf(c), Summaries: c.cmd.Verb == "verify"}
	for i := range c.cluster.Hosts {
		h := &c.cluster.Hosts[i]
		for _, id := range h.Processes {
			if c.wants(id, h) {
				q.Targets = append(q.Targets, runbooks.Target{Process: id, Host: h.Name})
			}
		}
	}
	return q
}

func targetOf(c *call) string {
	switch several := severalOf(c); {
	case several != "":
		return several
	case c.process != nil && c.host != nil:
		return runbooks.Target{Process: c.process.ID, Host: c.host.Name}.String()
	case c.process != nil:
		return c.process.ID
	default:
		return hostName(c.host)
	}
}

// mostNamed is how many processes or hosts are named one by one.
const mostNamed = 4

// severalOf names what a call is about where that is several processes, or several
// hosts as a whole: "" for one of them, and for all of the cluster.
func severalOf(c *call) string {
	if c.req == nil {
		return ""
	}
	what, names := "hosts", make([]string, len(c.req.Hosts))
	for i, h := range c.req.Hosts {
		names[i] = h.Name
	}
	if c.process != nil {
		what, names = "processes", nil
		for _, p := range c.req.Parts() {
			names = append(names, p.Process.ID)
		}
	}
	switch {
	case len(names) < 2:
		return ""
	case len(names) > mostNamed:
		return fmt.Sprintf("%d %s", len(names), what)
	default:
		return strings.Join(names, ", ")
	}
}

func hostName(h *fleet.Host) string {
	if h == nil {
		return ""
	}
	return h.Name
}
