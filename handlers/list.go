package handlers

import (
	"context"
	"slices"
	"strings"

	"dhbot/internal/card"
	"dhbot/runbooks"
)

// recentRuns is how many ended runs a list shows.
const recentRuns = 5

func (s *Service) answer(ctx context.Context, c *call, out card.Card) error {
	if c.ChannelShared {
		return c.reply.Whisper(ctx, out)
	}
	return c.reply.Show(ctx, out)
}

// showRun answers with a run as it stands; the run's own message stays where
// it was asked for.
func (s *Service) showRun(ctx context.Context, c *call) error {
	r, err := s.open(ctx, c)
	if err != nil {
		return err
	}
	return s.answer(ctx, c, card.Run(r))
}

func (s *Service) runs(ctx context.Context, c *call) error {
	open, err := s.Runs.Open(ctx)
	if err != nil {
		return err
	}
	ended, err := s.Runs.Recent(ctx, recentRuns)
	if err != nil {
		return err
	}
	return s.answer(ctx, c, card.Runs(open, ended))
}

func (s *Service) locks(ctx context.Context, c *call) error {
	held, err := s.Runs.Locks(ctx)
	if err != nil {
		return err
	}
	return s.answer(ctx, c, card.Locks(held, s.Now()))
}

// health says how the bot itself is.
func (s *Service) health(ctx context.Context, c *call) error {
	if s.Health == nil {
		return said("I cannot tell how I am from here. On the bot's machine `bot health` can.")
	}
	well, lines := s.Health(ctx)
	return c.reply.Whisper(ctx, card.Health(well, lines))
}

// help shows the commands, or more about one verb or process.
func (s *Service) help(ctx context.Context, c *call) error {
	if c.topic == "" {
		groups, others := s.helpGroups(c)
		return c.reply.Whisper(ctx, card.Help(groups, c.cluster.Name, others))
	}
	topic := word(firstWord(c.topic))
	for _, cmd := range s.commands() {
		if cmd.Verb == topic || slices.Contains(cmd.Aliases, topic) {
			return c.reply.Whisper(ctx, card.HelpVerb(helpRow(cmd), s.processesFor(c, cmd)))
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
