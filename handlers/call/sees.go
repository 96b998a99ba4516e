package call

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dhbot/auth"
	"dhbot/internal/command"
	"dhbot/internal/command/parser"
	"dhbot/internal/command/words"
	"dhbot/internal/engine"
	"dhbot/internal/fleet"
	"dhbot/internal/refusal"
	"dhbot/internal/tracing"
	"dhbot/runbooks"
)

// A command cannot use names that its author may not read. Names are looked up among the
// clusters that the author may read, and lists contain only these clusters. A command
// about a run of another cluster is answered as if the run did not exist.

// Sees returns which clusters a person may read from a channel.
func (s *Base) Sees(p auth.Person, channel string) func(cluster string) bool {
	return func(cluster string) bool { return s.Rules.MayAsk(p, cluster, runbooks.Read, channel) == nil }
}

// Readable returns the clusters that a person may read from a channel.
func (s *Base) Readable(p auth.Person, channel string) []*fleet.Cluster {
	sees := s.Sees(p, channel)
	var out []*fleet.Cluster
	for i := range s.Fleet.Clusters {
		if cl := &s.Fleet.Clusters[i]; sees(cl.Name) {
			out = append(out, cl)
		}
	}
	return out
}

// GrammarOf returns the grammar with the names that a person may read from a channel. It
// refuses a person without read access.
func (s *Base) GrammarOf(p auth.Person, channel string) (*command.Grammar, error) {
	clusters := s.Readable(p, channel)
	switch len(clusters) {
	case 0:
		return nil, auth.Refuse(auth.LacksRole, "%s may read no cluster here. The bot's administrator can add you under `roles`.", p.Name)
	case len(s.Fleet.Clusters):
		return &s.Grammar, nil
	}
	names := make([]string, len(clusters))
	for i, cl := range clusters {
		names[i] = cl.Name
	}
	key := strings.Join(names, " ")
	if g, ok := s.views.Load(key); ok {
		return g.(*command.Grammar), nil
	}
	g, _ := s.views.LoadOrStore(key, s.Within(func(cluster string) bool { return slices.Contains(names, cluster) }))
	return g.(*command.Grammar), nil
}

// GrammarFor returns the grammar of a message's author. It refuses an unknown author
// before any other answer.
func (s *Base) GrammarFor(ctx context.Context, m Message) (*command.Grammar, error) {
	who, err := s.Author(ctx, m, Recent)
	if err != nil {
		return nil, err
	}
	return s.GrammarOf(who.Person, m.Channel)
}

// parse parses the text of a message, unless it was parsed with the same grammar on
// arrival. A person with access to only some clusters has their own grammar.
func (m Message) parse(g *command.Grammar) (*command.Request, error) {
	if p := m.Parsed; p != nil && p.Grammar == g && p.Request != nil {
		return p.Request, nil
	}
	return parser.Parse(g, parser.Input{Text: m.Text, Channel: m.Channel})
}

// Understand parses a message with the names that its author may read.
func (s *Base) Understand(ctx context.Context, m Message) (*Call, error) {
	g, err := s.GrammarFor(ctx, m)
	if err != nil {
		return nil, err
	}
	_, span := tracing.Begin(ctx, "parse")
	r, err := m.parse(g)
	tracing.End(span, err)
	if errors.Is(err, &command.Question{Code: command.HiddenCluster}) {
		return nil, &refusal.Error{Code: auth.LacksRole, Text: err.Error(), Recorded: true}
	}
	if err != nil {
		return nil, err
	}
	c := New(m, r)
	c.Names = g
	if !r.Changing() {
		return c, nil
	}
	// A host or cluster that the author may not read must not be taken as part of the reason,
	// because the change would then run on other targets.
	for _, typed := range words.Of(m.Text) {
		if s.KnowsPlace(typed) && !g.KnowsPlace(typed) {
			return nil, &command.Question{
				Code:    command.StrayPlace,
				Text:    fmt.Sprintf("I don't know %s.", words.Shown(typed)),
				Choices: parser.Choose(g, m.Channel, r.Text()),
			}
		}
	}
	return c, nil
}

// BuildCall returns the call of a button from its fields.
func (s *Base) BuildCall(ctx context.Context, m Message, f command.Fields) (*Call, error) {
	g, err := s.GrammarFor(ctx, m)
	if err != nil {
		return nil, err
	}
	r, err := g.Build(f)
	if err != nil {
		return nil, err
	}
	c := New(m, r)
	c.Names = g
	return c, nil
}

// inHand are the open runs, recent runs and locks of the clusters that a person may read.
type inHand struct {
	Open, Ended []engine.Stored
	Locks       []engine.Lock
}

// recentAmong is how many ended runs are searched for runs that the person may read.
const recentAmong = 100

func (s *Base) InHand(ctx context.Context, sees func(cluster string) bool) (h inHand, err error) {
	if h.Open, err = s.Runs.Open(ctx); err != nil {
		return h, err
	}
	among := recentRuns
	if slices.ContainsFunc(s.ClusterNames(), func(cluster string) bool { return !sees(cluster) }) {
		among = recentAmong
	}
	if h.Ended, err = s.Runs.Recent(ctx, among); err != nil {
		return h, err
	}
	if h.Locks, err = s.Runs.Locks(ctx); err != nil {
		return h, err
	}
	unseen := func(st engine.Stored) bool { return !sees(st.Run.Plan.Cluster) }
	h.Open, h.Ended = slices.DeleteFunc(h.Open, unseen), slices.DeleteFunc(h.Ended, unseen)
	h.Ended = h.Ended[:min(len(h.Ended), recentRuns)]
	h.Locks = slices.DeleteFunc(h.Locks, func(l engine.Lock) bool {
		cluster, _, _ := strings.Cut(l.Name, "/") // the format of runbooks.Plan.Locks
		return !sees(cluster)
	})
	return h, nil
}
