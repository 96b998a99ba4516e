package reads

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"dhbot/handlers/call"
	"dhbot/internal/card/outputcard"
	"dhbot/internal/refusal"
)

const (
	// FollowFor is how long a log is followed.
	FollowFor = 2 * time.Minute
	// followEvery is the interval between reads of the log. A read that finds new lines edits the
	// message, and Slack allows about 50 edits a minute.
	followEvery = 5 * time.Second
	// followLines is the number of lines that each read takes from the end of the log.
	followLines = "12"
	// Followed is the maximum number of logs that the bot follows at a time. The limit leaves
	// edits and workers for other requests.
	Followed = 3
)

// Follow shows the end of a log in one message and updates it for FollowFor. Each update runs a
// separate command, so nothing runs on the host between updates.
func (s *Reads) Follow(ctx context.Context, c *call.Call) error {
	if c.ChannelShared {
		return refusal.New(call.WrongPlace, "People of other organisations are in this channel: follow the log elsewhere. `logs` sends it only to you.")
	}
	if hosts := c.Cluster.HostsOf(c.Process.ID); c.Host == nil && len(hosts) > 1 {
		return refusal.New(call.BadArgument, "%s runs on %s: name one host, for example `follow %s on %s`.", c.Process.ID, strings.Join(call.HostNamesOf(c, c.Process), ", "), c.Process.ID, hosts[0].Name)
	}
	select {
	case s.following <- struct{}{}:
		defer func() { <-s.following }()
	default:
		return refusal.New(call.TooMany, "%d logs are being followed already. Each ends within %.0f min; until then, `logs %s` shows the newest lines.", Followed, FollowFor.Minutes(), c.Process.ID)
	}
	inputs, err := c.Inputs(s.Now())
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
	until := s.Now().Add(FollowFor)
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	reading, shown := outputcard.Reading{Cluster: c.Cluster.Name, Unrecorded: c.Key == "" && c.Via != call.Terminal}, ""
	for first := true; ; first = false {
		bound, plan, err := s.BindPlanFor(ctx, c, inputs) // repeated for every read: the log may have been rotated
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
			if err := c.Reply.Show(ctx, c.Signed(outputcard.FollowingLog(reading, until, over))); err != nil {
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

// saidText returns the content of answers as text, without their times.
func saidText(parts []outputcard.Answer) string {
	var b strings.Builder
	for _, p := range parts {
		fmt.Fprintln(&b, p.Host, p.OK, p.Why, p.Text)
	}
	return b.String()
}
