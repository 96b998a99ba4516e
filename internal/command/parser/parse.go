package parser

import (
	"fmt"
	"slices"
	"strings"

	"dhbot/internal/command"
	"dhbot/internal/command/words"
)

// Input is a text to parse, and the channel of the text.
type Input struct {
	Text    string
	Channel string
	// NoChoices skips the search for suggestions.
	NoChoices bool

	depth int // depth of nested suggestions
}

// reading is the state of parsing one text.
type reading struct {
	g       *command.Grammar
	in      Input
	text    string        // normalised
	words   []words.Token // words of the whole text
	asks    bool          // "can you …?"
	quote   bool          // the text shows a quote or code
	nested  bool          // after `plan`
	planned bool          // `plan …`, `--dry-run`: nothing runs
}

// Parse parses a text into a Request. A name must be an exact id or alias in the catalog or fleet.
// If the text is not understood, the error is a *Question.
func Parse(g *command.Grammar, in Input) (*command.Request, error) {
	if len(g.Fleet.Clusters) == 0 {
		return nil, &command.Question{Code: command.UnknownName, Text: "There is no cluster that you may see."}
	}
	r := &reading{g: g, in: in}
	r.text, r.quote = words.Clean(in.Text, g.People)
	r.words = words.Split(r.text)
	w := words.WithoutOpening(r.words)
	r.asks = words.Asks(r.words)
	if last := len(w) - 1; r.asks && last > 0 && w[last].Raw == "?" {
		w = w[:last]
	} else if r.asks && last >= 0 && len(w[last].Raw) > 1 {
		w[last].Raw = strings.TrimSuffix(w[last].Raw, "?")
	}
	if r.asks {
		r.text = strings.TrimSuffix(strings.TrimRight(r.text, " \n"), "?")
	}
	if len(w) == 0 && slices.ContainsFunc(r.words, func(t words.Token) bool { return t.Key == "ok" || t.Key == "okay" }) {
		w = r.words // a bare "ok" may be meant as an approval, but does not approve
	}
	if len(w) == 0 {
		w = []words.Token{{Raw: "help", Key: "help"}}
	}
	return r.command(w)
}

// command reads a command. The first word is the verb.
func (r *reading) command(w []words.Token) (*command.Request, error) {
	if len(w) > 2 && w[0].Key == "dry" && (w[1].Key == "run" || w[1].Key == "run:") {
		r.planned = true
		return r.command(w[2:])
	}
	cmd, rest, err := r.verb(w)
	if err != nil {
		return nil, err
	}
	if len(rest) == 0 && cmd.ByItself {
		cmd = cmd.WithoutObject()
	}
	switch cmd.Object {
	case command.Nothing:
		return r.bare(cmd, rest)
	case command.Topic, command.TrailPart:
		return r.topic(cmd, rest)
	case command.RunNamed:
		return r.run(cmd, rest)
	case command.IncidentNamed:
		return r.incident(cmd, rest)
	case command.CommandNamed:
		return r.plan(cmd, rest)
	case command.AnyTarget, command.ProcessNamed, command.ProcessImplied, command.HostNamed, command.ClusterMeant:
		if cmd.Class.Changing() {
			return r.change(cmd, rest)
		}
		return r.read(cmd, rest)
	default:
		return nil, fmt.Errorf("command table: %s has no known object", cmd.Verb)
	}
}

// plan reads the command whose plan is requested.
func (r *reading) plan(cmd command.Command, rest []words.Token) (*command.Request, error) {
	rest = words.WithoutOpening(rest)
	if len(rest) == 0 || r.nested {
		return nil, r.missing(cmd, command.MissingTarget, "Plan which command?")
	}
	r.planned, r.nested = true, true
	req, err := r.command(rest)
	if err != nil {
		return nil, err
	}
	if req.Command.Action == "" {
		return nil, command.Questionf(command.MissingTarget, "There is no plan to show for `%s`. `plan` needs a command that runs steps, for example `%s`.", req.Command.Verb, cmd.Example)
	}
	req.Plan = true
	return req, nil
}

// Verb reads the command at the front of the words, and returns the words after it.
func Verb(g *command.Grammar, w []words.Token) (command.Command, []words.Token, error) {
	return (&reading{g: g}).verb(w)
}

// verb reads the command at the front of the words: `restart`, or two words as in `etcd
// status` for etcd-status. It returns the words after it.
func (r *reading) verb(w []words.Token) (command.Command, []words.Token, error) {
	if len(w) > 1 && !r.allOf(w) {
		if c, ok := r.g.Named(words.Joined(w)); ok {
			return c, w[2:], nil
		}
	}
	v := strings.ReplaceAll(strings.Trim(w[0].Key, "_"), "_", "-")
	if v == "" {
		v = w[0].Raw // "?" consists of punctuation only
	}
	if c, ok := r.g.Named(strings.TrimPrefix(v, "/")); ok {
		return c, w[1:], nil
	}
	if c, rest, ok := r.question(w); ok {
		return c, rest, nil
	}
	return command.Command{}, nil, r.unknownVerb(w)
}

// questionWords are words that begin a question in plain English.
var questionWords = []string{
	"what", "what's", "whats", "is", "are", "how", "how's", "hows", "anything", "which", "who", "why", "does", "did",
	"any", "wat", "wats", "wot", "wots", "whos", "who's", "where", "wheres", "where's",
}

// question reads a question in plain English, such as "is db_dis down". The command that it returns
// never changes anything.
func (r *reading) question(w []words.Token) (command.Command, []words.Token, bool) {
	if !slices.Contains(questionWords, w[0].Key) {
		return command.Command{}, nil, false
	}
	status, _ := r.g.Named("status")
	about := false
	for i, t := range w[1:] {
		if words.OneOf(t.Key, "need", "depend", "depends") {
			c, _ := r.g.Named("deps")
			return c, w[1:], true
		}
		c, ok := r.g.Named(t.Key)
		if ok && !c.Class.Changing() && (c.Object == command.AnyTarget || c.Object == command.ProcessNamed) && len(t.Key) > 2 {
			return c, w[i+2:], true
		}
		about = about || r.g.Knows(strings.TrimRight(t.Raw, words.Punctuation)) || t.IsState()
	}
	return status, w[1:], about
}

// allOf reports whether `all` after a verb belongs to a process: "restart all tailer1"
// means tailer1 on all of its hosts, never the cluster.
func (r *reading) allOf(w []words.Token) bool {
	if w[1].Key != "all" {
		return false
	}
	for _, t := range w[2:] {
		if t.IsMark() || slices.Contains(articles, t.Key) || t.Key == "of" {
			continue
		}
		cluster := t.IsPlaceWord() || r.g.KnowsCluster(t.Name())
		return !cluster && !t.MarksReason() && keyValue.FindStringSubmatch(t.Raw) == nil && !dashed.MatchString(t.Raw)
	}
	return false
}

// bare reads a command that has no object.
func (r *reading) bare(cmd command.Command, rest []words.Token) (*command.Request, error) {
	req := &command.Request{Command: cmd, Params: map[string]string{}}
	for _, t := range rest {
		if !t.IsMark() && !t.IsCourtesy() {
			req.Left = append(req.Left, t.Raw)
		}
	}
	return req, r.anyCluster(req)
}

// topic reads a command whose words are a topic: the word after `help`, or the filter of the audit
// trail.
func (r *reading) topic(cmd command.Command, rest []words.Token) (*command.Request, error) {
	req := &command.Request{Command: cmd, Topic: words.Join(rest), Params: map[string]string{}}
	return req, r.anyCluster(req)
}

// anyCluster binds a request that is not about a cluster to the channel's cluster, or else to the
// first cluster.
func (r *reading) anyCluster(req *command.Request) error {
	for _, name := range []string{r.g.Channels[r.in.Channel]} {
		if cl, ok := r.g.Fleet.Cluster(name); ok {
			return r.g.Bind(req, cl)
		}
	}
	return r.g.Bind(req, &r.g.Fleet.Clusters[0])
}
