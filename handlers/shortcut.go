package handlers

import (
	"context"

	"dhbot/handlers/call"
	"dhbot/internal/card"
	"dhbot/internal/command/parser"
)

// ask handles a shortcut of the platform. It opens a window for a command, which is
// handled like any other typed command.
func (s *Service) ask(ctx context.Context, m call.Message, reply call.Reply) (settled bool, err error) {
	if m.Via == call.Form {
		m.Via = call.Shortcut
		m.Text = m.Tap.Fields["text"]
		m.Tap = call.Tap{}
		c, err := s.command(ctx, m, reply)
		return c != nil && c.Settled, err
	}
	g, err := s.GrammarFor(ctx, m)
	if err != nil {
		return false, err
	}
	return false, reply.Ask(ctx, card.AskCommand(parser.Prefill(g, m.Channel, m.Tap.Fields[card.FieldMessage])))
}
