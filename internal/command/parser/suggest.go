package parser

import (
	"errors"
	"fmt"
	"slices"

	"dhbot/internal/command"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// maxDepth limits how often a misspelt suggestion is corrected again.
const maxDepth = 2

// suggest adds choices to a Question. If a text is itself misspelt, suggest adds the commands that
// correct it: "stauts dbdis" adds "status db_dis".
func (r *reading) suggest(q *command.Question, texts ...string) {
	if r.in.NoChoices || r.in.depth >= maxDepth {
		return
	}
	for _, text := range texts {
		req, err := Parse(r.g, Input{Text: text, Channel: r.in.Channel, depth: r.in.depth + 1})
		if err == nil {
			if req.Unmarked {
				text = req.Text() + " because " + req.Reason
			}
			q.Add(command.Choice{Text: text, Fields: req.Fields(), Changes: req.Changing()})
			continue
		}
		var again *command.Question
		if !errors.As(err, &again) {
			continue
		}
		for _, c := range again.Choices {
			q.Add(c)
		}
	}
}

// ask returns a Question about a request whose target is known. The choices are the readings,
// unless the code forbids them, and the plan and the status of the target.
func (c *changing) ask(req *command.Request, code command.Code, text string, readings ...string) *command.Question {
	q := &command.Question{Code: code, Text: text}
	if mayRun(code) {
		c.suggest(q, readings...)
	}
	addLooks(q, req)
	return q
}

// addLooks adds choices that change nothing: the plan of a request, and the status of its target.
func addLooks(q *command.Question, req *command.Request) {
	f := req.Fields()
	f.Reason = ""
	f.Again = false
	f.Anyway = false
	status := command.Fields{Verb: "status", Cluster: f.Cluster, Targets: f.Targets}
	if req.Command.Action != "" {
		f.Plan = true
		q.Add(command.Choice{Text: f.Text(), Fields: f})
	}
	if len(status.Targets) > 1 {
		status.Targets = status.Targets[:1]
	}
	q.Add(command.Choice{Text: status.Text(), Fields: status})
}

// askAbout returns a Question about a command whose target may not be known yet.
func (c *changing) askAbout(code command.Code, text string, readings []string) *command.Question {
	q := &command.Question{Code: code, Text: text}
	if mayRun(code) {
		c.suggest(q, readings...)
	}
	if len(c.processes) > 0 && c.cmd.Action != "" {
		bare := *c
		bare.hosts = nil
		c.suggest(q, "plan "+bare.said(), "status "+c.processes[0])
	} else if !mayRun(code) {
		for _, t := range c.words {
			if c.g.Knows(t.Name()) {
				c.suggest(q, "status "+t.Name())
				break
			}
		}
	}
	return q
}

// missing returns a Question, because a part of the command is missing. The choices are examples.
func (r *reading) missing(cmd command.Command, code command.Code, text string) *command.Question {
	q := &command.Question{Code: code, Text: fmt.Sprintf("%s For example `%s`.", text, cmd.Example)}
	if cmd.Object == command.HostNamed {
		for _, h := range r.g.HostNames() {
			r.suggest(q, cmd.Verb+" "+h)
		}
		return q
	}
	if code == command.MissingTarget && cmd.Object == command.ProcessNamed {
		for _, name := range r.examples(cmd) {
			r.suggest(q, cmd.Verb+" "+name)
		}
	}
	if !cmd.Class.Changing() {
		r.suggest(q, cmd.Example)
		return q
	}
	r.suggest(q, "status", "help "+cmd.Verb)
	return q
}

// worse returns 1 if the severity a is worse than b, else 0.
func worse(a, b runbooks.Severity) int {
	if a.Worse(b) {
		return 1
	}
	return 0
}

// examples returns a few processes of the channel's cluster that a verb accepts. For a change the
// least severe processes are first, because a choice may be tapped by mistake. For a read the most
// severe are first.
func (r *reading) examples(cmd command.Command) []string {
	const most = 3
	cl := &r.g.Fleet.Clusters[0]
	if bound, ok := r.g.Fleet.Cluster(r.g.Channels[r.in.Channel]); ok {
		cl = bound
	}
	cat, ok := r.g.Catalogs.Get(cl.Catalog)
	if !ok {
		return nil
	}
	var found []catalogs.Process
	for _, p := range cat.Processes() {
		if len(cl.HostsOf(p.ID)) > 0 && (cmd.Action == "" || slices.Contains(p.Actions, cmd.Action)) {
			found = append(found, p)
		}
	}
	slices.SortStableFunc(found, func(a, b catalogs.Process) int {
		if cmd.Class.Changing() { // least severe first: a choice may be tapped by mistake
			a, b = b, a
		}
		return worse(b.Level, a.Level) - worse(a.Level, b.Level)
	})
	var out []string
	for _, p := range found[:min(most, len(found))] {
		out = append(out, p.ID)
	}
	return out
}

// Meant returns a Question about a message that may be a command, or just conversation. No choice
// changes anything.
func Meant(r *command.Request, err error) *command.Question {
	q := &command.Question{Code: command.Talk, Text: "Did you mean me? I run a change only if the message begins with my name."}
	if r != nil {
		addLooks(q, r)
		return q
	}
	var asked *command.Question
	if errors.As(err, &asked) {
		for _, c := range asked.Choices {
			if !c.Changes {
				q.Add(c)
			}
		}
	}
	return q
}

// Choose returns a choice for each text that the parser understands as a command.
func Choose(g *command.Grammar, channel string, texts ...string) []command.Choice {
	q := &command.Question{}
	(&reading{g: g, in: Input{Channel: channel}}).suggest(q, texts...)
	return q.Choices
}

// mayRun reports whether a Question may offer the change itself as a choice. It may not if the text
// has, for example, a negation, a time or a condition.
func mayRun(c command.Code) bool {
	switch c {
	case command.When, command.Condition, command.Negation, command.Quote, command.Talk:
		return false
	default:
		return true
	}
}
