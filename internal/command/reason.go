package command

import (
	"fmt"
	"slices"
	"strings"

	"dhbot/internal/command/words"
	"dhbot/internal/suggest"
)

// reason reads the rest of a command: nothing, a marked reason, words that change the
// meaning, or an unmarked reason.
func (c *changing) reason(req *Request) error {
	if req.Plan {
		return nil // nothing runs, so nothing can run by mistake
	}
	if len(c.flags) > 0 {
		return c.ask(req, Flag, fmt.Sprintf("`%s` takes no %s.", c.cmd.Verb, words.Shown(c.flags[0])), c.bareReading(req)...)
	}
	w := c.rest
	for len(w) > 0 && w[0].IsMark() && !w[0].IsDoubt() &&
		(w[0].BeginsWithEmoji() || !strings.ContainsAny(w[0].Raw, joinerSigns+"*")) { // a star may be a pattern
		w = w[1:]
	}
	if len(w) == 0 {
		return nil
	}
	if w[0].MarksReason() {
		req.Reason = words.Rest(c.text, w[1:])
		if req.Reason == "" {
			return c.ask(req, NoReason, fmt.Sprintf("“%s” what?", w[0].Raw), c.bareReading(req)...)
		}
		return nil
	}
	req.Reason, req.Unmarked = words.Rest(c.text, w), true
	if code := headOf(c.g, withoutCourtesy(w)); code != "" {
		if code == Exception { // it would act on the excluded host
			return c.ask(req, code, headText(code, req.Reason))
		}
		return c.ask(req, code, headText(code, req.Reason), c.asReason(req)...)
	}
	return c.stray(req, w)
}

// withoutCourtesy removes courtesy words before words that may change the meaning: "please
// not", "maybe later".
func withoutCourtesy(w []words.Token) []words.Token {
	for len(w) > 1 && (w[0].IsCourtesy() || slices.Contains([]string{"maybe", "perhaps", "probably", "vielleicht", "first", "asap"}, w[0].Key)) {
		w = w[1:]
	}
	return w
}

// headText returns the text of the Question about the words after a target.
func headText(code Code, typed string) string {
	text := map[Code]string{
		When:        "I run things now or not at all: I keep no appointments.",
		Condition:   "I run things now or not at all: I watch for no conditions.",
		Negation:    "I read that as “do not”.",
		Exception:   "I don't know what that leaves out.",
		Joined:      "I don't know what that adds.",
		StrayPlace:  "I know no such place.",
		TwoCommands: "I take one command at a time.",
	}[code]
	return text + " You typed: " + words.Shown(typed)
}

// bareReading returns the request without the words that were not understood.
func (c *changing) bareReading(req *Request) []string { return []string{req.Fields().Text()} }

// asReason returns the request with the words that were not understood as its reason.
func (c *changing) asReason(req *Request) []string {
	return []string{req.Fields().Text() + " because " + req.Reason}
}

var (
	conditionWords = []string{
		"when", "whenever", "if", "iff", "once", "until", "till", "while", "whilst", "provided", "assuming", "unless",
		"wenn", "falls", "sobald", "bis", "sofern", "während",
	}
	exceptionWords = []string{
		"except", "excluding", "excl", "but", "only", "without", "instead", "minus", "aber", "außer", "ausser", "nur",
		"ohne", "statt",
	}
	negationWords = []string{
		"don't", "dont", "nope", "nvm", "nevermind", "wait", "hold", "oops", "jk", "nicht", "kein", "keine", "keinen",
		"nein", "niemals",
	}

	// negatedStates are the words, besides participles, that make `not` part of a state:
	// "not responding", "not ready".
	negatedStates = []string{
		"ready", "healthy", "up", "ok", "able", "available", "reachable", "enough", "there", "in", "well", "good",
		"working", "alive", "connected", "visible", "stable", "seeing", "getting", "much", "many", "a", "one", "sure",
		"used", "full",
	}
	// negatedOrders are participles that, after `not`, still negate the command.
	negatedOrders = []string{
		"needed", "required", "wanted", "allowed", "approved", "agreed", "confirmed", "scheduled", "planned",
		"intended",
	}
)

// joinerSigns join names or commands, here or in a shell.
const joinerSigns = "&/+>|<"

// headOf returns the Code for the first words after a target if they change its meaning,
// else "".
func headOf(g *Grammar, w []words.Token) Code {
	k, next := w[0].Key, ""
	if len(w) > 1 {
		next = w[1].Key
	}
	switch {
	case w[0].IsDoubt():
		return Negation
	case slices.Contains([]string{"maybe", "perhaps", "vielleicht"}, k), len(w) == 1 && slices.Contains([]string{"cancel", "abort", "undo"}, k):
		return Negation
	case k == "not" || k == "no" || slices.Contains(negationWords, k):
		return negation(g, w)
	case k == "do" &&
		(next == "not" || next == "nothing"), k == "never" && next == "mind", k == "just" && next == "kidding", k == "hang" && next == "on":
		return Negation
	case slices.Contains(exceptionWords, k), k == "other" &&
		next == "than", k == "rather" && next == "than", k == "apart" && next == "from":
		return Exception
	case k == "once" && slices.Contains([]string{"again", "more"}, next):
		return ""
	case slices.Contains(conditionWords, k), k == "as" &&
		slices.Contains([]string{"soon", "long", "needed", "required", "necessary"}, next), k == "depending", k == "in" && next == "case", k == "should" && next == "it":
		return Condition
	case words.IsWhen(w):
		return When
	case slices.Contains([]string{"and", "plus", "then", "or", "und", "oder", "sowie", "dann", "including", "incl", "also"}, k), k == "as" && next == "well",
		(k == "along" || k == "together") && next == "with", w[0].IsMark() && strings.ContainsAny(w[0].Raw, joinerSigns):
		return joinedHead(g, w)
	case slices.Contains(placeWords, placeKey(w[0])), placeOption.MatchString(w[0].Raw):
		return StrayPlace
	default:
		return ""
	}
}

// negation distinguishes "not yet" from "not responding since 02:10". A description of a
// state is a reason.
func negation(g *Grammar, w []words.Token) Code {
	k := w[0].Key
	if len(w) == 1 {
		return Negation
	}
	next := w[1].Key
	switch k {
	case "no":
		if strings.ContainsAny(w[0].Raw, ",!.;") ||
			slices.Contains([]string{"wait", "don't", "dont", "do", "stop", "not", "need", "no", "hold", "the", "i", "thats", "that's"}, next) {
			return Negation
		}
		return ""
	case "not":
	case "wait", "hold":
		return Negation
	default:
		return Negation
	}
	switch {
	case slices.Contains(negatedOrders, next) && len(w) > 2 && slices.Contains([]string{"any", "anymore"}, w[2].Key):
		return ""
	case slices.Contains(negatedOrders, next):
		return Negation
	case next == "in" && len(w) > 2 && (g.Knows(w[2].Name()) || words.IsWhen(w[2:])):
		return Negation
	case slices.Contains(negatedStates, next), strings.HasSuffix(next, "ing") && len(next) > 4, strings.HasSuffix(next, "ed") && len(next) > 3:
		return ""
	default:
		return Negation
	}
}

// joinedHead returns the Code for a joiner at the head: it adds a name, another command,
// or neither.
func joinedHead(g *Grammar, w []words.Token) Code {
	if len(w) > 1 {
		if _, ok := g.Named(w[1].Key); ok {
			return TwoCommands
		}
	}
	return Joined
}

// finiteVerbs follow the subject of a sentence. They never follow a target.
var finiteVerbs = []string{"is", "was", "are", "were", "has", "had", "does", "did", "lost", "says", "said"}

// isSubject reports whether the name at the head is the subject of a sentence, not another
// target: "mariadb was restarted".
func isSubject(w []words.Token) bool { return len(w) > 2 && slices.Contains(finiteVerbs, w[1].Key) }

// stray returns a Question if an unmarked reason names another target or place. Ignoring
// that name could run the command elsewhere, or on every host of the process.
func (c *changing) stray(req *Request, w []words.Token) error {
	if err := c.secondCommand(req, w); err != nil {
		return err
	}
	if req.Process == nil {
		return nil
	}
	if p := c.g.Find(req.Cluster, w[0].Name()).Process; p != nil && p != req.Process && !isSubject(w) &&
		(strings.EqualFold(p.ID, w[0].Name()) || len(w) == 1) {
		return c.ask(req, StrayTarget, fmt.Sprintf("Is %s meant as well?", p.ID),
			c.said()+", "+p.ID, fmt.Sprintf("%s %s", c.cmd.Verb, p.ID), c.said()+" because "+req.Reason)
	}
	if c.g.KnowsCluster(w[0].Name()) && len(w) == 1 {
		return c.ask(req, StrayPlace, fmt.Sprintf("%s is a cluster.", w[0].Name()), c.said()+" in "+w[0].Key)
	}
	return c.strayHost(req, w)
}

// secondCommand returns a Question if the text requests a second change, on its own line
// or after a joiner and before a target.
func (c *changing) secondCommand(req *Request, w []words.Token) error {
	for i, t := range w {
		cmd, ok := c.g.Named(t.Key)
		if !ok {
			continue
		}
		newLine := i > 0 && t.Row > w[i-1].Row || i == 0 && t.Row > c.words[0].Row
		object := i+1 < len(w) && (c.g.Knows(w[i+1].Name()) || slices.Contains([]string{"it", "them", "that", "this"}, w[i+1].Key))
		joined := i > 0 && strings.HasSuffix(w[i-1].Raw, ";") ||
			i > 0 && slices.Contains([]string{"and", "then", "&", ";", "also"}, joinerKey(w[i-1]))
		first := i == 0 && object && cmd.Class.Changing() && i+1 < len(w) && !w[i+1].MarksReason()
		if first || newLine && (object || i+1 == len(w) || w[i+1].Row > t.Row) || joined && object && cmd.Class.Changing() {
			return c.ask(req, TwoCommands, fmt.Sprintf("I take one command at a time; the other one is `%s …`.", cmd.Verb), c.said())
		}
	}
	return nil
}

// strayHost returns a Question if a host is named without a place word: directly after the
// target, or among the first words if the process runs on several hosts.
func (c *changing) strayHost(req *Request, w []words.Token) error {
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
		pointed := i > 0 && slices.Contains([]string{"on", "at", "host", "in", "from"}, w[i-1].Key)
		if host != "" && (i == 0 || several && (i < early || pointed)) {
			return c.ask(req, StrayPlace, fmt.Sprintf("Only on %s, or everywhere?", host),
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
	return c.ask(req, StrayPlace, fmt.Sprintf("Is %s a host?", words.Shown(w[0].Raw)), append(readings, c.said()+" because "+req.Reason)...)
}
