package handlers

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"dhbot/internal/card/outputcard"
)

const (
	// followFor is when following a log ends by itself.
	followFor = 2 * time.Minute
	// followEvery is how often it looks: what is new is an edit of the one
	// message; the workspace allows about 50 edits a minute.
	followEvery = 5 * time.Second
	// followLines is how much of the end is read each time.
	followLines = "12"
	// followed is how many logs are followed at a time, so that they take
	// neither the edits nor the workers of everybody else.
	followed = 3
)

// follow shows the end of a log in one message that is kept up to date for a
// while. Nothing runs on the host in between: each look is a read of its own,
// bounded like any other.
func (s *Reads) follow(ctx context.Context, c *call) error {
	if c.ChannelShared {
		return said("People of other organisations are in this channel: follow a log elsewhere. `logs` sends it to you alone.")
	}
	if hosts := c.cluster.HostsOf(c.process.ID); c.host == nil && len(hosts) > 1 {
		return said("%s runs on %s: say which, as in `follow %s on %s`.", c.process.ID, strings.Join(hostNamesOf(c, c.process), ", "), c.process.ID, hosts[0].Name)
	}
	select {
	case s.following <- struct{}{}:
		defer func() { <-s.following }()
	default:
		return said("%d logs are being followed already. Each ends by itself within %s; `logs %s` shows it now.", followed, followFor, c.process.ID)
	}
	inputs, err := c.inputs(s.Now())
	if err != nil {
		return err
	}
	if _, given := inputs.Params["lines"]; !given {
		inputs.Params = maps.Clone(inputs.Params)
		if inputs.Params == nil {
			inputs.Params = map[string]string{}
		}
		inputs.Params["lines"] = followLines
	}
	until := s.Now().Add(followFor)
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	reading, shown := outputcard.Reading{Cluster: c.cluster.Name, Unrecorded: c.Key == "" && c.Via != Terminal}, ""
	for first := true; ; first = false {
		bound, plan, err := s.bindPlanFor(ctx, c, inputs) // anew: a log goes on in another file
		if err != nil {
			return err
		}
		reading.Title = plan.Title
		reading.Parts = s.runReads(ctx, plan.Steps)
		reading.At = s.Now()
		if first && s.recordOutput(ctx, c, plan, bound.Params) != nil {
			reading.Unrecorded = true
		}
		over := !s.Now().Before(until)
		if said := saidText(reading.Parts); first || over || said != shown {
			shown = said
			if err := c.reply.Show(ctx, c.signed(outputcard.FollowingLog(reading, until, over))); err != nil {
				return err
			}
		}
		if over {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// saidText is what was said, without when.
func saidText(parts []outputcard.Answer) string {
	var b strings.Builder
	for _, p := range parts {
		fmt.Fprintln(&b, p.Host, p.OK, p.Why, p.Text)
	}
	return b.String()
}
