package parser

import (
	"fmt"
	"slices"
	"strings"

	"dhbot/internal/command"
	"dhbot/internal/command/meaning"
	"dhbot/internal/command/words"
	"dhbot/internal/suggest"
)

// reason reads the end of a command, which may be empty or a reason. It returns a Question if the
// words may change the meaning of the command.
func (c *changing) reason(req *command.Request) error {
	if req.Plan {
		return nil // nothing runs, so nothing can run by mistake
	}
	if len(c.flags) > 0 {
		return c.ask(req, command.Flag, fmt.Sprintf("`%s` takes no %s.", c.cmd.Verb, words.Shown(c.flags[0])), c.bareReading(req)...)
	}
	w := c.rest
	for len(w) > 0 && w[0].IsMark() && !w[0].IsDoubt() &&
		(w[0].BeginsWithEmoji() || !strings.ContainsAny(w[0].Raw, words.JoinerSigns+"*")) { // a star may be a pattern
		w = w[1:]
	}
	if len(w) == 0 {
		return nil
	}
	if w[0].MarksReason() {
		req.Reason = words.Rest(c.text, w[1:])
		if req.Reason == "" {
			return c.ask(req, command.NoReason, fmt.Sprintf("“%s” needs a reason after it.", w[0].Raw), c.bareReading(req)...)
		}
		return nil
	}
	req.Reason, req.Unmarked = words.Rest(c.text, w), true
	if code := meaning.Of(c.g, withoutCourtesy(w)); code != "" {
		if code == command.Exception { // the reading would act on the excluded host
			return c.ask(req, code, meaning.Text(code, req.Reason))
		}
		return c.ask(req, code, meaning.Text(code, req.Reason), c.asReason(req)...)
	}
	return c.stray(req, w)
}

// withoutCourtesy removes leading courtesy words, so that the next word is examined: "please not",
// "maybe later".
func withoutCourtesy(w []words.Token) []words.Token {
	for len(w) > 1 && (w[0].IsCourtesy() || words.OneOf(w[0].Key, "maybe", "perhaps", "probably", "vielleicht", "first", "asap")) {
		w = w[1:]
	}
	return w
}

// bareReading returns the command without the words that were not understood.
func (c *changing) bareReading(req *command.Request) []string { return []string{req.Fields().Text()} }

// asReason returns the command with the words that were not understood as its reason.
func (c *changing) asReason(req *command.Request) []string {
	return []string{req.Fields().Text() + " because " + req.Reason}
}

// finiteVerbs are words that follow a subject ("mariadb was restarted"). They never follow a
// target.
var finiteVerbs = []string{"is", "was", "are", "were", "has", "had", "does", "did", "lost", "says", "said"}

// isSubject reports whether the first word is the subject of a sentence ("mariadb was restarted"),
// and not another target.
func isSubject(w []words.Token) bool { return len(w) > 2 && slices.Contains(finiteVerbs, w[1].Key) }

// stray returns a Question if an unmarked reason names another target or place, because the author
// may have meant the command for that target or place.
func (c *changing) stray(req *command.Request, w []words.Token) error {
	if err := c.secondCommand(req, w); err != nil {
		return err
	}
	if req.Process == nil {
		return nil
	}
	if p := c.g.Find(req.Cluster, w[0].Name()).Process; p != nil && p != req.Process && !isSubject(w) &&
		(strings.EqualFold(p.ID, w[0].Name()) || len(w) == 1) {
		return c.ask(req, command.StrayTarget, fmt.Sprintf("Is %s meant as well?", p.ID),
			c.said()+", "+p.ID, fmt.Sprintf("%s %s", c.cmd.Verb, p.ID), c.said()+" because "+req.Reason)
	}
	if c.g.KnowsCluster(w[0].Name()) && len(w) == 1 {
		return c.ask(req, command.StrayPlace, fmt.Sprintf("%s is a cluster.", w[0].Name()), c.said()+" in "+w[0].Key)
	}
	return c.strayHost(req, w)
}

// secondCommand returns a Question if the words contain a second command. A verb counts as a
// command only in certain positions, for example on its own line, or between a joiner and a target.
func (c *changing) secondCommand(req *command.Request, w []words.Token) error {
	for i, t := range w {
		cmd, ok := c.g.Named(t.Key)
		if !ok {
			continue
		}
		newLine := i > 0 && t.Row > w[i-1].Row || i == 0 && t.Row > c.words[0].Row
		object := i+1 < len(w) && (c.g.Knows(w[i+1].Name()) || words.OneOf(w[i+1].Key, "it", "them", "that", "this"))
		joined := i > 0 && strings.HasSuffix(w[i-1].Raw, ";") ||
			i > 0 && words.OneOf(joinerKey(w[i-1]), "and", "then", "&", ";", "also")
		first := i == 0 && object && cmd.Class.Changing() && i+1 < len(w) && !w[i+1].MarksReason()
		if first || newLine && (object || i+1 == len(w) || w[i+1].Row > t.Row) || joined && object && cmd.Class.Changing() {
			return c.ask(req, command.TwoCommands, fmt.Sprintf("I take one command at a time; the other command is `%s …`.", cmd.Verb), c.said())
		}
	}
	return nil
}

// strayHost returns a Question if an unmarked reason seems to name the host that the command is
// for.
func (c *changing) strayHost(req *command.Request, w []words.Token) error {
	if len(req.Hosts) > 0 || len(c.except) > 0 {
		return nil
	}
	const early = 3
	several := len(req.Cluster.HostsOf(req.Process.ID)) > 1
	for i, t := range w {
		host := strings.ToLower(strings.Trim(t.Raw, words.Punctuation))
		split := ""
		if several {
			split = c.splitHost(w[i:])
		}
		if !c.g.KnowsHost(host) {
			host = split
		}
		pointed := i > 0 && words.OneOf(w[i-1].Key, "on", "at", "host", "in", "from")
		if host != "" && (i == 0 || several && (i < early || pointed)) {
			return c.ask(req, command.StrayPlace, fmt.Sprintf("Only on %s, or everywhere?", host),
				c.said()+" on "+host, c.said()+" because "+req.Reason)
		}
	}
	if !several || len(w) > 1 && !strings.ContainsAny(w[0].Raw, "0123456789") {
		return nil
	}
	near := suggest.Near(w[0].Key, req.Cluster.HostNames())
	if len(near) == 0 {
		return nil
	}
	var readings []string
	for _, n := range near {
		readings = append(readings, c.said()+" on "+n)
	}
	return c.ask(req, command.StrayPlace, fmt.Sprintf("Is %s a host?", words.Shown(w[0].Raw)), append(readings, c.said()+" because "+req.Reason)...)
}
