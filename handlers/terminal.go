package handlers

import (
	"context"
	"slices"

	"dhbot/internal/card"
	"dhbot/internal/engine"
)

// Outcome is what came of a command, for a way in that has no message of a run
// to look at.
type Outcome struct {
	// OK is false where the command was refused, not understood, or asked back:
	// nothing was done, and the reply says why.
	OK bool
	// Run is the run that the command asked for, voted on or otherwise
	// changed; "" where there is none.
	Run string
	// Asked says that the command asked for Run, now or a moment ago: how Run
	// ends is how the command ends.
	Asked bool
}

// Command answers one command of a terminal as Handle answers a message: the
// same parser, the same gate.
func (s *Service) Command(ctx context.Context, m Message, reply Reply) Outcome {
	c, err := s.command(ctx, m, reply)
	if err != nil {
		s.explain(ctx, m, reply, err)
		return Outcome{}
	}
	out := Outcome{OK: !c.askedBack, Run: c.asked, Asked: c.asked != ""}
	if c.cmd.Object == RunNamed && c.cmd.Class.Changing() {
		out.Run = c.run
	}
	return out
}

// command is the one way of whatever is typed.
func (s *Service) command(ctx context.Context, m Message, reply Reply) (*call, error) {
	c, err := s.parse(m)
	if err != nil {
		// Who is not let in is told so before anything else is told.
		if _, refused := s.identify(ctx, m.Account, recent); refused != nil {
			return nil, refused
		}
		return nil, err
	}
	_, err = s.dispatch(ctx, c, reply)
	return c, err
}

// placeOf is where the message of a run stands. What was asked for where
// nobody else looks (a terminal, a direct message, the bot's own page) is shown
// in the channel of the config, or those who may approve it would never see it.
func (s *Service) placeOf(c *call) engine.Place {
	if c.Channel == "" || c.Alone {
		return engine.Place{Channel: s.OpenChannel}
	}
	return engine.Place{Channel: c.Channel, Thread: c.Thread}
}

// tellWhere says where the message of a run stands, to somebody who does not
// see it where they are. A terminal shows the run itself.
func (s *Service) tellWhere(ctx context.Context, c *call, r engine.Run) {
	if c.Via == Terminal || s.placeOf(c).Channel == c.Channel {
		return
	}
	if err := c.reply.Whisper(ctx, card.AskedElsewhere(r)); err != nil {
		s.Logger.Warn("a person was not told where the run's message is", "run", r.ID, "err", err)
	}
}

// Completions are the words that may come next after some whole words, for a
// shell: each with a note, "" for none. Words that start with partial are
// kept by the shell; here all are listed.
func (s *Grammar) Completions(before []string) [][2]string {
	if len(before) == 0 {
		var out [][2]string
		for _, c := range s.commands() {
			out = append(out, [2]string{c.Verb, c.Summary})
		}
		return out
	}
	cmd, rest, err := s.verb(Message{}, before)
	if err != nil {
		return nil
	}
	if n := len(rest); n > 0 {
		switch word(rest[n-1]) {
		case "on":
			return plainWords(s.hostNames())
		case "in":
			return plainWords(s.clusterNames())
		}
	}
	switch {
	case cmd.Object == Topic && len(rest) == 0:
		return append(s.Completions(nil), s.targets(Command{Object: ProcessNamed})...)
	case cmd.Object == TrailPart:
		return append(s.targets(Command{Object: ProcessNamed}), [2]string{"since=", "how far back, as 2h"})
	case cmd.Object == Nothing, cmd.Object == RunNamed, cmd.Object == Topic:
		return nil
	case len(rest) == 0 && cmd.Object != ProcessImplied && cmd.Object != ClusterMeant:
		return s.targets(cmd)
	default:
		return s.details(cmd)
	}
}

// targets are what a verb can be said of, in any cluster.
func (s *Grammar) targets(cmd Command) [][2]string {
	var out [][2]string
	seen := map[string]bool{}
	add := func(name, note string) {
		if !seen[name] {
			seen[name] = true
			out = append(out, [2]string{name, note})
		}
	}
	for i := range s.Fleet.Clusters {
		cl := &s.Fleet.Clusters[i]
		cat, ok := s.Catalogs.Get(cl.Catalog)
		if !ok {
			continue
		}
		if cmd.Object != HostNamed {
			for _, p := range cat.Processes() {
				if len(cl.HostsOf(p.ID)) > 0 && (cmd.Action == "" || slices.Contains(p.Actions, cmd.Action)) {
					add(p.ID, p.Title)
				}
			}
		}
		if cmd.Object == HostNamed || cmd.Object == AnyTarget {
			for _, h := range hostNames(cl) {
				add(h, "host of "+cl.Name)
			}
		}
	}
	return out
}

// details are what may follow a target.
func (s *Grammar) details(cmd Command) [][2]string {
	out := [][2]string{{"on", "one host of several"}, {"in", "a cluster"}}
	seen := map[string]bool{}
	for i := range s.Fleet.Clusters {
		cat, ok := s.Catalogs.Get(s.Fleet.Clusters[i].Catalog)
		if !ok {
			continue
		}
		for _, a := range cat.Actions() {
			if a.Name != cmd.Action {
				continue
			}
			for _, p := range a.Params {
				if !seen[p.Name] {
					seen[p.Name] = true
					out = append(out, [2]string{p.Name + "=", ""})
				}
			}
		}
	}
	return out
}

func plainWords(names []string) [][2]string {
	out := make([][2]string, len(names))
	for i, n := range names {
		out[i] = [2]string{n, ""}
	}
	return out
}
