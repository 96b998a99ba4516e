package handlers

import (
	"context"
	"slices"

	"dhbot/handlers/call"
	"dhbot/internal/card/runcard"
	"dhbot/internal/command"
	"dhbot/internal/engine"
	"dhbot/internal/refusal"
)

// Outcome is the result of a command at a terminal, where the run's message is not visible.
type Outcome struct {
	// OK is false if the command was refused, not understood, or answered with a question.
	// Unless Unsure is true, nothing was done. The reply has the reason.
	OK bool
	// Unsure is true if the command failed, and may have done something before.
	Unsure bool
	// Run is the run that the command requested, approved or otherwise changed; "" for
	// none.
	Run string
	// Asked reports whether the command requested Run, now or a moment ago. The command's
	// result is then the result of Run.
	Asked bool
	// Proposal is set if nothing was done and the requester was shown the plan. A command
	// with this value as its Message.Proposal executes that plan unless the plan has
	// changed.
	Proposal string
}

// unsure are the codes of refusals after which it is unknown what the command has done.
var unsure = []refusal.Code{call.NotInTime, call.LeaseLost, call.Internal}

// Command answers one command of a terminal, with the same parser and gate as Handle.
func (s *Service) Command(ctx context.Context, m call.Message, reply call.Reply) Outcome {
	c, err := s.command(ctx, m, reply)
	if err != nil {
		code, _ := s.explain(ctx, m, reply, err)
		return Outcome{Unsure: slices.Contains(unsure, code)}
	}
	out := Outcome{OK: !c.AskedBack, Run: c.Asked, Asked: c.Asked != "", Proposal: c.Offer}
	if c.Cmd.Object == command.RunNamed && c.Cmd.Class.Changing() {
		out.Run = c.Run
	}
	return out
}

// command parses and executes any typed command.
func (s *Service) command(ctx context.Context, m call.Message, reply call.Reply) (*call.Call, error) {
	if m.Talk || m.Edited {
		return nil, s.talk(ctx, m, reply)
	}
	var c *call.Call
	var err error
	if m.Proposal != "" {
		c, err = s.accepted(ctx, m, m.Proposal)
	} else {
		c, err = s.Understand(ctx, m)
	}
	if err != nil {
		return nil, err
	}
	_, err = s.dispatch(ctx, c, reply)
	return c, err
}

// placeOf returns the channel for the message of a run. A request from a terminal, a direct message
// or the Home tab goes to OpenChannel, where approvers see it.
func (s *Service) placeOf(c *call.Call) engine.Place {
	if c.Channel == "" || c.Alone {
		return engine.Place{Channel: s.OpenChannel}
	}
	return engine.Place{Channel: c.Channel, Thread: c.Thread}
}

// tellWhere tells the requester in which channel the message of a run is, unless they see it. At a
// terminal it does nothing, because the terminal shows the run.
func (s *Service) tellWhere(ctx context.Context, c *call.Call, r engine.Run) {
	if c.Via == call.Terminal || s.placeOf(c).Channel == c.Channel {
		return
	}
	if err := c.Reply.Ephemeral(ctx, runcard.AskedElsewhere(r)); err != nil {
		s.Logger.WarnContext(ctx, "the requester was not shown where the run's message is", "run", r.ID, "err", err)
	}
}
