package parser

import (
	"fmt"
	"slices"
	"strings"

	"dhbot/internal/command"
	"dhbot/internal/command/meaning"
	"dhbot/internal/command/typos"
	"dhbot/internal/command/words"
	"dhbot/internal/suggest"
)

// changing is the state of reading a command that changes something. The field rest holds the words
// that are still unread.
type changing struct {
	*reading
	cmd  command.Command
	rest []words.Token

	processes []string // as typed, in order
	hosts     []string // after place words, in order
	in        string   // the named cluster
	all       bool     // everywhere, explicitly
	except    []string // hosts excluded after everywhere
	joined    bool     // several names are joined
	length    string   // duration, for a verb with Lasts
	flags     []string // unknown flags
	params    map[string]string

	again, anyway bool
}

// change reads a command that changes something. The position of a word decides whether it is a
// target, place, parameter or reason. A word that fits none of these results in a Question.
func (r *reading) change(cmd command.Command, w []words.Token) (*command.Request, error) {
	c := &changing{reading: r, cmd: cmd, rest: w, params: map[string]string{}}
	if help := c.takeFlags(); help {
		return r.topic(helpRow(r.g), []words.Token{{Raw: cmd.Verb, Key: cmd.Verb}})
	}
	c.takeDryRun()
	if err := c.target(); err != nil {
		return nil, c.negatedFirst(err, w)
	}
	if err := c.modifiers(); err != nil {
		return nil, err
	}
	c.takeDryRun()
	req, err := c.resolve()
	if err != nil {
		return nil, err
	}
	if cmd.Lasts {
		if err := c.takeLength(req); err != nil {
			return nil, err
		}
	}
	if err := r.missingParam(req); err != nil {
		return nil, err
	}
	req.Plan = r.planned && cmd.Action != ""
	if r.quote && !r.planned {
		return nil, c.ask(req, command.Quote, "I run no change that is in a quote or a block of code.")
	}
	return req, c.reason(req)
}

func helpRow(g *command.Grammar) command.Command {
	cmd, _ := g.Named("help")
	return cmd
}

// negatedFirst returns a Question about a negation before the target ("restart not db_dis").
// Without a negation it returns err.
func (c *changing) negatedFirst(err error, w []words.Token) error {
	if len(w) > 0 && meaning.Of(c.g, w) == command.Negation {
		return c.askAbout(command.Negation, "I read that as “do not”.", nil)
	}
	return err
}

// target reads the verb's object.
func (c *changing) target() error {
	switch c.cmd.Object {
	case command.ProcessNamed:
		return c.processTargets()
	case command.HostNamed:
		return c.hostTargets()
	case command.AnyTarget:
		return c.wholeHosts()
	case command.ProcessImplied:
		return c.impliedTarget()
	case command.ClusterMeant:
		if len(c.rest) > 0 && c.g.KnowsCluster(c.rest[0].Name()) {
			c.in, c.rest = strings.ToLower(c.rest[0].Name()), c.rest[1:]
		}
	default:
	}
	return nil
}

// impliedTarget reads the target of a verb that is about one fixed process. It skips the name of
// that process, and returns a Question if another process is named.
func (c *changing) impliedTarget() error {
	s, ok := c.processAt(c.rest)
	if !ok || len(s.names) > 1 {
		return nil
	}
	if !c.g.SameProcess(s.names[0], c.cmd.Process) {
		if len(c.rest) > s.took && !c.rest[s.took].MarksReason() && keyValue.FindStringSubmatch(c.rest[s.took].Raw) == nil {
			return nil // a sentence that begins with a name
		}
		return c.askAbout(command.StrayTarget, fmt.Sprintf("`%s` is about %s.", c.cmd.Verb, c.cmd.Process), []string{c.said()})
	}
	c.rest = c.rest[s.took:]
	if s.host != "" {
		c.hosts = append(c.hosts, s.host)
	}
	return nil
}

// everyWords before a process mean all hosts of the process.
var everyWords = []string{"all", "every", "both", "each"}

func (c *changing) processTargets() error {
	c.rest = withoutArticles(c.rest)
	if len(c.rest) > 1 && slices.Contains(everyWords, c.rest[0].Key) {
		c.all = true
		c.rest = withoutArticles(c.rest[1:])
		if len(c.rest) > 1 && c.rest[0].Key == "of" {
			c.rest = withoutArticles(c.rest[1:])
		}
	}
	if c.cmd.Lasts && len(c.rest) > 1 && words.LengthAt(c.rest) == 1 && c.g.KnowsProcess(c.rest[1].Name()) {
		c.length, c.rest = c.rest[0].Key, c.rest[1:]
	}
	if len(c.rest) == 0 || c.rest[0].Key == "because" {
		return c.missing(c.cmd, command.MissingTarget, "Which process?")
	}
	for {
		s, ok := c.processAt(c.rest)
		if !ok {
			return c.notAProcess()
		}
		if host := c.splitHost(c.rest); host != "" && s.took == 1 {
			return c.hostFirst(host, c.rest[2:])
		}
		c.processes = append(c.processes, s.names...)
		c.rest = c.rest[s.took:]
		if s.host != "" {
			c.hosts = append(c.hosts, s.host)
		}
		if s.colon || s.host != "" {
			break
		}
		more, err := c.joins(s.comma)
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	c.joined = c.joined || len(c.processes) > 1
	return nil
}

// joiners are the words that join names.
var joiners = []string{"and", "&", "/", "+", "plus", "n", "then", "or", "und", "oder", "sowie", ","}

// joins skips the joiners before another name, and reports whether such a name follows. A comma
// that no name follows ends the target. After any other joiner, a missing name results in a
// Question.
func (c *changing) joins(comma bool) (more bool, err error) {
	n := 0
	for n < len(c.rest) && slices.Contains(joiners, joinerKey(c.rest[n])) {
		comma = comma && joinerKey(c.rest[n]) == ","
		n++
	}
	if n == 0 && !comma {
		return false, nil
	}
	onlyComma := n == 0 || n == 1 && joinerKey(c.rest[0]) == ","
	after := c.rest[n:]
	if n > 0 {
		after = withoutArticles(after)
	}
	word := "and"
	if n > 0 {
		word = c.rest[0].Raw
	}
	s, ok := c.processAt(after)
	if ok && n > 0 && words.OneOf(word, "then", "or", "oder") {
		return false, c.askAbout(command.Joined, fmt.Sprintf("“%s”: I take one command at a time.", word), []string{c.said(), c.cmd.Verb + " " + s.names[0]})
	}
	if ok && (!onlyComma || listed(after, s.took)) {
		c.rest = after
		return true, nil
	}
	if onlyComma && !c.nearlyName(after) {
		return false, nil
	}
	return false, c.askJoined(word, after)
}

// joinerKey returns the form of a token to look up in joiners. A sign such as "&" is returned as
// typed.
func joinerKey(t words.Token) string {
	if t.IsMark() {
		return t.Raw
	}
	return t.Key
}

// listed reports whether a name after a comma belongs to a list of names ("ltds, merge")
// and does not begin a sentence ("ltds, query hangs").
func listed(w []words.Token, took int) bool {
	if len(w) == took || strings.HasSuffix(w[took-1].Raw, ",") || strings.Contains(w[0].Raw, "_") {
		return true
	}
	next := w[took]
	return slices.Contains(joiners, joinerKey(next)) || next.IsPlaceWord() || next.MarksReason() ||
		keyValue.MatchString(next.Raw)
}

// nearlyName reports whether the only word after a comma is a misspelt name.
func (c *changing) nearlyName(w []words.Token) bool {
	return len(w) == 1 && len(w[0].Key) > 2 && len(c.g.ProcessesLike(w[0].Key)) > 0
}

// askJoined returns a Question about the words after a joiner, which are not a known process.
func (c *changing) askJoined(joiner string, after []words.Token) error {
	if len(after) == 0 {
		return c.askAbout(command.Joined, fmt.Sprintf("%s and what else?", words.And(c.processes)), nil)
	}
	first := after[0].Name()
	if v, ok := c.g.Named(after[0].Key); ok {
		return c.twoCommands(v)
	}
	readings := []string{c.said()}
	for _, n := range c.g.ProcessesLike(first) {
		readings = append(readings, c.cmd.Verb+" "+strings.Join(append(slices.Clone(c.processes), n), ", "))
	}
	if c.g.KnowsHost(first) {
		readings = append(readings, c.said()+" on "+strings.ToLower(first))
	}
	return c.askAbout(command.Joined, fmt.Sprintf("I don't know %s, which follows “%s”.", words.Shown(first), joiner), readings)
}

func (c *changing) twoCommands(second command.Command) error {
	return c.askAbout(command.TwoCommands, fmt.Sprintf("I take one command at a time; the other command is `%s …`.", second.Verb), []string{c.said()})
}

// said returns the command with the names read so far.
func (c *changing) said() string {
	w := []string{c.cmd.Verb}
	if len(c.processes) > 0 {
		w = append(w, strings.Join(c.processes, ", "))
	}
	if len(c.hosts) > 0 {
		w = append(w, "on", words.And(c.hosts))
	}
	if c.in != "" {
		w = append(w, "in", c.in)
	}
	return strings.Join(w, " ")
}

// notAProcess returns a Question, because the next words do not name a process.
func (c *changing) notAProcess() error {
	w := c.rest
	typed := w[0].Name()
	if host := c.splitHost(c.rest); host != "" {
		return c.hostFirst(host, w[2:])
	}
	if c.g.KnowsHost(typed) {
		return c.hostFirst(strings.ToLower(typed), w[1:])
	}
	if name, took := c.splitName(w); took > 0 {
		return c.askAbout(command.SplitName, fmt.Sprintf("Did you mean %s?", name), []string{strings.TrimSpace(c.cmd.Verb + " " + name + " " + words.Tail(w[took:]))})
	}
	if i := strings.IndexAny(typed, "@/:"); i > 0 && c.g.KnowsProcess(typed[:i]) && len(c.processes) == 0 {
		return c.askAbout(
			command.UnknownName, fmt.Sprintf("I don't know %s.", words.Shown(typed)), []string{c.cmd.Verb + " " + typed[:i] + " on " + typed[i+1:]},
		)
	}
	if id, took := words.RunAt(w); took > 0 {
		q := command.Questionf(command.UnknownName, "`%s` is for a process, but %s is a run: `cancel %s` ends it.", c.cmd.Verb, id, id)
		q.Add(command.Choice{Text: "show " + id, Fields: command.Fields{Verb: "show", Run: id}})
		return q
	}
	var readings []string
	if _, ok := typos.Count(w[0].Key, "the"); ok && len(w) > 1 && c.g.KnowsProcess(w[1].Name()) {
		readings = append(readings, c.cmd.Verb+" "+words.Tail(w[1:]))
	}
	if c.cmd.Verb == "stop" && words.OneOf(w[0].Key, "watching", "watch", "following") {
		return c.askAbout(command.UnknownName, "`stop` is for processes. To end a watch, type `watch … end`.", []string{"watch " + words.Tail(append(w[1:len(w):len(w)], words.Token{Raw: "end"})), "watch"})
	}
	for _, n := range c.g.ProcessesLike(typed) {
		readings = append(readings, c.cmd.Verb+" "+strings.Join(append(slices.Clone(c.processes), n), ", "))
	}
	return c.orLooks(c.askAbout(command.UnknownName, fmt.Sprintf("I don't know %s.", words.Shown(typed)), readings))
}

// orLooks adds choices to a Question that has none: the status and the verb's help, which change
// nothing.
func (c *changing) orLooks(q *command.Question) *command.Question {
	if len(q.Choices) == 0 {
		c.suggest(q, "status", "help "+c.cmd.Verb)
	}
	return q
}

// hostFirst returns a Question about a host that is named where a process is expected: "restart
// query-1", "restart query-1 tailer1".
func (c *changing) hostFirst(host string, rest []words.Token) error {
	for i := range c.g.Fleet.Clusters {
		h, ok := c.g.Fleet.Clusters[i].Host(host)
		if !ok {
			continue
		}
		var readings []string
		if s, ok := c.processAt(rest); ok {
			readings = append(readings, fmt.Sprintf("%s %s on %s", c.cmd.Verb, s.names[0], host))
		} else {
			readings = append(readings, "status "+host)
			for _, p := range h.Processes {
				readings = append(readings, fmt.Sprintf("%s %s on %s", c.cmd.Verb, p, host))
			}
		}
		return c.askAbout(command.HostFirst, fmt.Sprintf("%s is a host. Which of its processes: %s?", host, strings.Join(h.Processes, ", ")), readings)
	}
	return c.askAbout(command.HostFirst, host+" is a host.", nil)
}

// wholeHosts reads the target of a verb that acts on hosts or on the cluster, not on a process.
func (c *changing) wholeHosts() error {
	if len(c.rest) > 1 && slices.Contains(hostWords, c.rest[0].Key) {
		c.rest = c.rest[1:]
	}
	if len(c.rest) > 0 && c.g.KnowsCluster(c.rest[0].Name()) {
		c.in, c.rest = strings.ToLower(c.rest[0].Name()), c.rest[1:]
		return nil
	}
	took, err := c.hostList(c.rest)
	if err != nil {
		return err
	}
	if s, ok := c.processAt(c.rest); ok && took == 0 {
		return c.askAbout(command.StrayTarget, fmt.Sprintf("`%s` is for whole hosts, not for %s.", c.cmd.Verb, s.names[0]), []string{"maintenance " + s.names[0] + " 2h"})
	}
	c.rest = c.rest[took:]
	return nil
}

func (c *changing) hostTargets() error {
	if len(c.rest) > 1 && slices.Contains(hostWords, c.rest[0].Key) {
		c.rest = c.rest[1:]
	}
	if len(c.rest) == 0 || c.rest[0].Key == "because" {
		return c.missing(c.cmd, command.MissingTarget, "Which host?")
	}
	if c.rest[0].IsPlaceWord() {
		return nil // "restart-host on query-1"
	}
	took, err := c.hostList(c.rest)
	if err != nil {
		return err
	}
	if took == 0 {
		typed := c.rest[0].Name()
		var readings []string
		for _, n := range suggest.Near(strings.ToLower(typed), c.g.HostNames()) {
			readings = append(readings, c.cmd.Verb+" "+n)
		}
		text := fmt.Sprintf("I don't know the host %s. Known hosts: %s.", words.Shown(typed), words.And(c.g.HostNames()))
		return c.askAbout(command.UnknownName, text, readings)
	}
	c.rest = c.rest[took:]
	return nil
}
