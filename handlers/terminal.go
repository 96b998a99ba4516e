package handlers

import (
	"context"

	"dhbot/handlers/call"
	"dhbot/internal/card/runcard"
	"dhbot/internal/command"
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
	// Proposal is not "" where nothing was done and the requester has seen what
	// would be: with it as Message.Proposal that is done, unless it has changed.
	Proposal string
}

// Command answers one command of a terminal as Handle answers a message: the
// same parser, the same gate.
func (s *Service) Command(ctx context.Context, m call.Message, reply call.Reply) Outcome {
	c, err := s.command(ctx, m, reply)
	if err != nil {
		s.explain(ctx, m, reply, err)
		return Outcome{}
	}
	out := Outcome{OK: !c.AskedBack, Run: c.Asked, Asked: c.Asked != "", Proposal: c.Offer}
	if c.Cmd.Object == command.RunNamed && c.Cmd.Class.Changing() {
		out.Run = c.Run
	}
	return out
}

// command is the one way of whatever is typed.
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

// placeOf is where the message of a run stands. What was asked for where
// no one else looks (a terminal, a direct message, the bot's own page) is shown
// in the channel of the config, or the approvers would never see it.
func (s *Service) placeOf(c *call.Call) engine.Place {
	if c.Channel == "" || c.Alone {
		return engine.Place{Channel: s.OpenChannel}
	}
	return engine.Place{Channel: c.Channel, Thread: c.Thread}
}

// tellWhere says where the message of a run stands, to a person who does not
// see it where they are. A terminal shows the run itself.
func (s *Service) tellWhere(ctx context.Context, c *call.Call, r engine.Run) {
	if c.Via == call.Terminal || s.placeOf(c).Channel == c.Channel {
		return
	}
	if err := c.Reply.Ephemeral(ctx, runcard.AskedElsewhere(r)); err != nil {
		s.Logger.WarnContext(ctx, "a person was not told where the run's message is", "run", r.ID, "err", err)
	}
}
