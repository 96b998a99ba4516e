package incidents

import (
	"context"
	"errors"
	"slices"
	"time"

	"dhbot/handlers/call"
	"dhbot/internal/audit"
	"dhbot/internal/card/incidentcard"
	"dhbot/internal/command"
	"dhbot/internal/command/words"
	"dhbot/internal/engine"
	"dhbot/internal/incident"
	"dhbot/internal/refusal"
	"dhbot/runbooks"
)

// keepTries is the number of attempts to store a change to a watch or an incident. An attempt fails
// if the leader stores the result of a query at the same time.
const keepTries = 5

// StartWatch starts a watch of a process, a host or the cluster, changes its end, or ends it.
// StartWatch only stores the watch. The leader queries the hosts and updates the message.
func (s *Incidents) StartWatch(ctx context.Context, c *call.Call) error {
	scope := incident.Scope{Cluster: c.Cluster.Name, Process: c.ProcessID(), Host: call.HostName(c.Host)}
	length, end, err := howLong(c)
	if err != nil {
		return err
	}
	if end {
		return s.endFollows(ctx, c, scope)
	}
	switch {
	case c.ChannelShared && !c.Outside:
		return refusal.New(call.WrongPlace, "Not here: this channel is shared with another organisation, and outsiders must not see the output of hosts. Watch from a channel of your own organisation only, or in a direct message to me.")
	case c.Outside:
		return refusal.New(call.WrongPlace, "Not here: I am not in this channel, so I could not post the watch in it. Invite me with /invite, or watch from a channel that I am in.")
	}
	if err := s.Watchable(scope); err != nil {
		return refusal.New(call.NotFound, "Nothing to watch: %v.", err)
	}
	place := engine.Place{Channel: c.Channel, Thread: c.Thread}
	if place.Channel == "" {
		place.Channel = s.OpenChannel
	}
	now := s.Now()
	f := incident.Follow{
		V: incident.FormVersion, Scope: scope, Person: c.Who.Name, Account: c.Account, Via: string(c.Via), From: c.Channel,
		Began:   now,
		Until:   now.Add(length),
		Worst:   runbooks.Unknown,
		Message: incident.Message{Channel: place.Channel, Thread: place.Thread},
	}
	if err := s.keepFollow(ctx, c, f); err != nil {
		return err
	}
	if s.Watching != nil {
		s.Watching()
	}
	if c.Channel == "" {
		return c.Reply.Ephemeral(ctx, incidentcard.WatchedElsewhere(f))
	}
	return nil
}

// keepFollow stores a new watch, or a new end time for an existing watch.
func (s *Incidents) keepFollow(ctx context.Context, c *call.Call, f incident.Follow) error {
	for range keepTries {
		list, err := incident.Follows(ctx, s.Keeper)
		if err != nil {
			return err
		}
		name, rev := f.FollowName(), int64(0)
		mine := 0
		for _, old := range list {
			if old.Person == f.Person && old.Ended == nil {
				mine++
			}
			if old.Name != name {
				continue
			}
			until := f.Until
			f, rev = old.Follow, old.Rev
			f.Until = until
			f.Ended = nil
			f.Why = ""
		}
		switch {
		case rev != 0:
		case len(list) >= incident.MostFollows:
			return refusal.New(call.TooMany, "I already have %d watches, the maximum, since each watch queries hosts. `watch` lists the watches; end one of them first.", len(list))
		case mine >= incident.MostPerPerson:
			return refusal.New(call.TooMany, "I already have %d watches for you, the maximum for one person. `watch` lists the watches; end one of yours first.", mine)
		}
		err = s.keep(ctx, c, name, &f, rev, f.Start(s.Now()))
		if err == nil && rev != 0 {
			return c.Reply.Ephemeral(ctx, incidentcard.WatchedLonger(f))
		}
		if !errors.Is(err, engine.ErrConflict) {
			return err
		}
	}
	return refusal.New(call.Changed, "This watch was changed by another person or by the bot at the same time, so your command changed nothing. Please try again.")
}

// keep stores a watch together with its audit record, and marks the call as handled.
func (s *Incidents) keep(ctx context.Context, c *call.Call, name string, f *incident.Follow, rev int64, r audit.Record) error {
	data, err := incident.Encode(f)
	if err != nil {
		return err
	}
	r.Via = string(c.Via)
	if _, err := s.Keeper.SetWatchState(ctx, name, data, rev, []audit.Record{r}, c.Key); err != nil {
		return err
	}
	c.Settled = true
	return nil
}

// endFollows ends the watches of a process, a host or a cluster that post to the channel of the
// call. If scope is a cluster, it also ends the watches of the cluster's processes and hosts.
func (s *Incidents) endFollows(ctx context.Context, c *call.Call, scope incident.Scope) error {
	ended, elsewhere := 0, 0
	for range keepTries {
		list, err := incident.Follows(ctx, s.Keeper)
		if err != nil {
			return err
		}
		again := false
		elsewhere = 0
		for _, f := range list {
			if f.Ended != nil || !covers(scope, f.Scope) {
				continue
			}
			if c.Channel != "" && c.Channel != f.Channel {
				elsewhere++
				continue
			}
			r := f.End(s.Now(), c.Who.Name, "stopped by "+c.Who.Name)
			r.Account = c.Account.String()
			err := s.keep(ctx, c, f.Name, &f.Follow, f.Rev, r)
			switch {
			case errors.Is(err, engine.ErrConflict):
				again = true
			case err != nil:
				return err
			default:
				ended++
			}
		}
		if !again {
			break
		}
	}
	if s.Watching != nil {
		s.Watching()
	}
	switch {
	case ended > 0:
		return c.Reply.Ephemeral(ctx, incidentcard.WatchesEnded(ended, scope))
	case elsewhere > 0:
		return refusal.New(call.WrongPlace, "%s is watched in another channel: end the watch there. `watch` lists all watches.", scope)
	default:
		return refusal.New(call.NotFound, "There is no watch of %s here. `watch` lists all watches.", scope)
	}
}

// covers reports whether a command that ends the watches of scope outer also ends the
// watches of scope inner.
func covers(outer, inner incident.Scope) bool {
	return outer == inner || outer == (incident.Scope{Cluster: inner.Cluster})
}

// ListFollows answers with the active watches that the requester may read.
func (s *Incidents) ListFollows(ctx context.Context, c *call.Call) error {
	list, err := incident.Follows(ctx, s.Keeper)
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(f incident.StoredFollow) bool {
		return f.Ended != nil || s.Rules.MayAsk(c.Who.Person, f.Scope.Cluster, runbooks.Read, c.Channel) != nil
	})
	return s.Answer(ctx, c, incidentcard.Watches(list, s.Now()))
}

// howLong parses the duration of a watch from the words after its target. The result end is true if
// the command ends the watch instead.
func howLong(c *call.Call) (length time.Duration, end bool, err error) {
	typed, given := c.Params[command.ParamLength]
	switch {
	case !given:
		return incident.DefaultLength, false, nil
	case typed == command.LengthEnd:
		return 0, true, nil
	}
	length, ok := call.ReadLength(typed)
	if !ok || length < incident.LeastLength || length > incident.MostLength {
		again := c.Scope().Command("watch")
		return 0, false, refusal.New(call.BadArgument, "%s is not a length of time from 1m to %s. Type for example `%s`, or `%s`. Nothing is watched.",
			words.Shown(typed), incidentcard.Length(incident.MostLength), again+" 30m", again+" end")
	}
	return length, false, nil
}
