package handlers

import (
	"context"
	"errors"

	"dhbot/handlers/call"
	"dhbot/internal/card"
	"dhbot/internal/command"
	"dhbot/internal/command/parser"
)

// talk answers a message that mentions the bot in the middle of a sentence, or that was
// edited. It refuses an edited command, and executes a read about a named process or host.
// For a change it only offers the plan and the target's status. It ignores everything else.
func (s *Service) talk(ctx context.Context, m call.Message, reply call.Reply) error {
	who, refused := s.Author(ctx, m, call.Recent)
	if refused != nil {
		return nil // messages of unknown accounts are ignored
	}
	g, refused := s.GrammarOf(who.Person, m.Channel)
	if refused != nil {
		return nil
	}
	r, err := parser.Parse(g, parser.Input{Text: m.Text, Channel: m.Channel})
	switch {
	case m.Edited && (err == nil || mentionsTarget(err)):
		return reply.Ephemeral(ctx, card.EditedRunsNothing())
	case m.Edited, err != nil && !mentionsTarget(err):
		return nil
	case err == nil && !r.Changing():
		if r.Command.Object != command.AnyTarget && r.Command.Object != command.ProcessNamed || r.Process == nil && len(r.Hosts) == 0 {
			return nil
		}
		c := call.New(m, r)
		c.Names = g
		_, err = s.dispatch(ctx, c, reply)
		return err
	}
	return reply.Ephemeral(ctx, card.Question(parser.Meant(r, err)))
}

// mentionsTarget reports whether a text that was not understood names an existing target.
func mentionsTarget(err error) bool {
	var q *command.Question
	return errors.As(err, &q) && len(q.Choices) > 0
}
