package handlers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"dhbot/auth"
	"dhbot/handlers/call"
	"dhbot/internal/card"
	"dhbot/internal/command"
	"dhbot/internal/command/parser"
	"dhbot/internal/command/words"
	"dhbot/internal/suggest"
	"dhbot/runbooks"
)

// help shows the commands, or one verb or process in detail.
func (s *Service) help(ctx context.Context, c *call.Call) error {
	if c.Topic == "" {
		return c.Reply.Ephemeral(ctx, card.Help(s.helpGroups(c), c.Cluster.Name))
	}
	topic := words.Plain(firstWord(c.Topic))
	for _, cmd := range c.Names.Commands() {
		if cmd.Verb == topic || slices.Contains(cmd.Aliases, topic) {
			return c.Reply.Ephemeral(ctx, card.HelpVerb(s.helpTopic(c, cmd)))
		}
	}
	match := c.Catalog.Find(topic)
	if match.Process != nil {
		return c.Reply.Ephemeral(ctx, card.HelpProcess(*match.Process, call.HostNamesOf(c, match.Process)))
	}
	q := &command.Question{Code: command.UnknownName, Text: "No help about " + words.Shown(c.Topic) + "."}
	verbs := make([]string, 0, len(c.Names.Commands()))
	for _, cmd := range c.Names.Commands() {
		verbs = append(verbs, cmd.Verb)
	}
	for _, n := range append(suggest.Near(topic, verbs), match.Suggestions...) {
		q.Choices = append(q.Choices, parser.Choose(c.Names, c.Channel, "help "+n)...)
	}
	return q
}

// mostUsed are the commands that help shows first, with examples.
var mostUsed = []string{"status", "logs", "verify", "restart", "start", "stop", "plan", "approve", "deny", "show", "own"}

// helpGroups returns the commands that the person may use here: the most used commands in
// detail, the others by name.
func (s *Service) helpGroups(c *call.Call) []card.HelpGroup {
	first := card.HelpGroup{Title: "Most used"}
	look, change := card.HelpGroup{Title: "Look", Compact: true}, card.HelpGroup{Title: "Change", Compact: true}
	incidents, runs := card.HelpGroup{Title: "Incidents", Compact: true}, card.HelpGroup{Title: "Runs", Compact: true}
	for _, cmd := range c.Names.Commands() {
		into := &look
		switch {
		case !s.mayUse(c, cmd):
			continue
		case slices.Contains(mostUsed, cmd.Verb):
			into = &first
		case cmd.Object == command.IncidentNamed:
			into = &incidents
		case cmd.Object == command.RunNamed || cmd.Verb == "runs" || cmd.Verb == "locks":
			into = &runs
		case cmd.Class.Changing():
			into = &change
		}
		into.Rows = append(into.Rows, helpRow(cmd))
	}
	slices.SortStableFunc(first.Rows, func(a, b card.HelpRow) int {
		return cmp.Compare(slices.Index(mostUsed, a.Verb), slices.Index(mostUsed, b.Verb))
	})
	return []card.HelpGroup{first, look, change, incidents, runs}
}

// mayUse reports whether a person may use a command on some target or run here, according
// to the gate.
func (s *Service) mayUse(c *call.Call, cmd command.Command) bool {
	if s.Rules.MayAsk(c.Who.Person, c.Cluster.Name, cmd.Class, c.Channel) == nil {
		return true
	}
	return cmd.Object == command.RunNamed && s.Rules.MayVote(c.Who.Person, "", c.Cluster.Name, cmd.Class) == nil
}

// helpTopic returns the complete help for one command, for the person in their cluster.
func (s *Service) helpTopic(c *call.Call, cmd command.Command) card.HelpTopic {
	t := card.HelpTopic{HelpRow: helpRow(cmd), Takes: takes(cmd, s.Rules.Policy), Processes: s.processesFor(c, cmd)}
	if !s.mayUse(c, cmd) {
		t.MayNot = "You don't have the role for this command in " + c.Cluster.Name + "."
	}
	for _, p := range cmd.Params {
		t.Params = append(
			t.Params, card.HelpParam{Name: p.Name, Help: p.Help, Values: p.Values(), Default: p.Default, Optional: p.Optional},
		)
	}
	return t
}

// takes returns a sentence about what a command requires, such as approvals. It returns "" for a
// verb about a run or an incident.
func takes(cmd command.Command, policy auth.Policy) string {
	if cmd.Object == command.RunNamed || cmd.Object == command.IncidentNamed {
		return ""
	}
	if cmd.Takes != "" {
		return cmd.Takes
	}
	switch cmd.Class {
	case runbooks.Read:
		return "Changes nothing."
	case runbooks.Sensitive:
		return "Needs the role `data`, and is answered in a direct message."
	case runbooks.Writes:
		return "No approval needed."
	case runbooks.Destructive:
		return fmt.Sprintf("Needs the approval of %d other people, who type the target's name.", policy.VotesNeeded(cmd.Class, runbooks.Critical))
	default:
		votes := "the approval of another person"
		if n := policy.VotesNeeded(cmd.Class, runbooks.Critical); n > 1 {
			votes = fmt.Sprintf("the approval of %d other people", n)
		}
		return "Needs " + votes + " at Sev 1; runs at once at Sev 2 and 3."
	}
}

func helpRow(cmd command.Command) card.HelpRow {
	return card.HelpRow{
		Verb:    cmd.Verb,
		Summary: cmd.Summary,
		Usage:   cmd.Usage,
		Example: cmd.Example,
		Aliases: strings.Join(cmd.Aliases, ", "),
	}
}

// processesFor returns the processes of this cluster that support a verb.
func (s *Service) processesFor(c *call.Call, cmd command.Command) []string {
	if cmd.Object != command.ProcessNamed && cmd.Object != command.AnyTarget {
		return nil
	}
	var out []string
	for _, p := range c.Catalog.Processes() {
		if len(c.Cluster.HostsOf(p.ID)) > 0 && (cmd.Action == "" || slices.Contains(p.Actions, cmd.Action)) {
			out = append(out, p.ID)
		}
	}
	return out
}
