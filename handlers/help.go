package handlers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dhbot/auth"
	"dhbot/internal/card"
	"dhbot/runbooks"
)

// help shows the commands, or more about one verb or process.
func (s *Service) help(ctx context.Context, c *call) error {
	if c.topic == "" {
		groups, others := s.helpGroups(c)
		return c.reply.Whisper(ctx, card.Help(groups, c.cluster.Name, others))
	}
	topic := word(firstWord(c.topic))
	for _, cmd := range s.commands() {
		if cmd.Verb == topic || slices.Contains(cmd.Aliases, topic) {
			return c.reply.Whisper(ctx, card.HelpVerb(s.helpTopic(c, cmd)))
		}
	}
	match := c.catalog.Find(topic)
	if match.Process != nil {
		return c.reply.Whisper(ctx, card.HelpProcess(*match.Process, hostNamesOf(c, match.Process)))
	}
	m := &Misunderstood{Text: "No help about " + shown(c.topic) + "."}
	verbs := make([]string, 0, len(s.commands()))
	for _, cmd := range s.commands() {
		verbs = append(verbs, cmd.Verb)
	}
	for _, n := range append(runbooks.Suggest(topic, verbs), match.Suggestions...) {
		m.Suggest = append(m.Suggest, "help "+n)
	}
	return m
}

// helpGroups are the commands that the person may use here, in groups, and the
// verbs of the others.
func (s *Service) helpGroups(c *call) (groups []card.HelpGroup, others []string) {
	byHand := len(Commands())
	look, change, runs := card.HelpGroup{Title: "Look"}, card.HelpGroup{Title: "Change"}, card.HelpGroup{Title: "Runs"}
	more, procedures := card.HelpGroup{Title: "More to look at", Compact: true}, card.HelpGroup{Title: "Procedures", Compact: true}
	for i, cmd := range s.commands() {
		var into *card.HelpGroup
		switch {
		case !s.mayUse(c, cmd):
			others = append(others, cmd.Verb)
			continue
		case i >= byHand && cmd.Class.Changing():
			into = &procedures
		case i >= byHand:
			into = &more
		case cmd.Object == RunNamed || cmd.Verb == "runs" || cmd.Verb == "locks" || cmd.Verb == "health":
			into = &runs
		case cmd.Class.Changing():
			into = &change
		default:
			into = &look
		}
		into.Rows = append(into.Rows, helpRow(cmd))
	}
	return []card.HelpGroup{look, change, runs, more, procedures}, others
}

// mayUse says that a person may use a command on some target or run here; the
// gate decides about each.
func (s *Service) mayUse(c *call, cmd Command) bool {
	if s.Rules.MayAsk(c.who.Person, c.cluster.Name, cmd.Class, c.Channel) == nil {
		return true
	}
	return cmd.Object == RunNamed && s.Rules.MayVote(c.who.Person, "", c.cluster.Name, cmd.Class) == nil
}

// helpTopic is all there is to say about one command: to the person who asks,
// in their cluster.
func (s *Service) helpTopic(c *call, cmd Command) card.HelpTopic {
	t := card.HelpTopic{HelpRow: helpRow(cmd), Takes: takes(cmd, s.Rules.Policy), Processes: s.processesFor(c, cmd)}
	if !s.mayUse(c, cmd) {
		t.MayNot = "You have not the role for it in " + c.cluster.Name + "."
	}
	for _, p := range cmd.Params {
		t.Params = append(t.Params, card.HelpParam{Name: p.Name, Help: p.Help, Values: p.Values(), Default: p.Default, Optional: p.Optional})
	}
	return t
}

// takes says in a sentence what a command takes besides the right to ask, ""
// for what is itself said of a run.
func takes(cmd Command, policy auth.Policy) string {
	if cmd.Object == RunNamed {
		return ""
	}
	switch cmd.Class {
	case runbooks.Read:
		return "Changes nothing."
	case runbooks.Sensitive:
		return "Shows data: for the role data, as a direct message."
	case runbooks.Writes:
		return "Takes nobody's vote."
	case runbooks.Destructive:
		return fmt.Sprintf("Destructive: it waits for the votes of %d people besides you, who type the target's name.", policy.VotesNeeded(cmd.Class, runbooks.Critical))
	default:
		votes := "the vote of somebody else"
		if n := policy.VotesNeeded(cmd.Class, runbooks.Critical); n > 1 {
			votes = fmt.Sprintf("the votes of %d people besides you", n)
		}
		return "At Sev 1 it waits for " + votes + "; below, it runs at once."
	}
}

func helpRow(cmd Command) card.HelpRow {
	return card.HelpRow{Verb: cmd.Verb, Summary: cmd.Summary, Usage: cmd.Usage, Example: cmd.Example, Aliases: strings.Join(cmd.Aliases, ", ")}
}

// processesFor are the processes that a verb can be said of in this cluster.
func (s *Service) processesFor(c *call, cmd Command) []string {
	if cmd.Object != ProcessNamed && cmd.Object != AnyTarget {
		return nil
	}
	var out []string
	for _, p := range c.catalog.Processes() {
		if len(c.cluster.HostsOf(p.ID)) > 0 && (cmd.Action == "" || slices.Contains(p.Actions, cmd.Action)) {
			out = append(out, p.ID)
		}
	}
	return out
}

func hostNamesOf(c *call, p *runbooks.Process) []string {
	var out []string
	for _, h := range c.cluster.HostsOf(p.ID) {
		out = append(out, h.Name)
	}
	return out
}
