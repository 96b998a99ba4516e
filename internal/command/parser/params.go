package parser

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"dhbot/internal/command"
	"dhbot/internal/command/words"
	"dhbot/internal/suggest"
	"dhbot/runbooks/catalogs"
)

var (
	keyValue = regexp.MustCompile(`^(?:--)?([A-Za-z][A-Za-z_-]*)=(.+)$`)
	flag     = regexp.MustCompile(`^-{1,2}([A-Za-z][A-Za-z_-]*)$`)
	dashed   = regexp.MustCompile(`^--?[A-Za-z]`)
)

// dryRunFlags ask for the plan, and helpFlags ask for help. They may stand anywhere in a command.
var (
	dryRunFlags = []string{"dry-run", "dryrun", "dry_run", "n", "noop", "no-op", "plan", "simulate", "what-if", "whatif"}
	helpFlags   = []string{"help", "h", "usage"}
)

// takeFlags removes the flags from the words. The result help reports whether a flag asks for help.
// It stores unknown flags, which result in a Question later.
func (c *changing) takeFlags() (help bool) {
	var rest []words.Token
	for _, t := range c.rest {
		m := flag.FindStringSubmatch(strings.TrimRight(t.Raw, words.Punctuation))
		switch {
		case m != nil && slices.Contains(dryRunFlags, strings.ToLower(m[1])):
			c.planned = true
		case m != nil && slices.Contains(helpFlags, strings.ToLower(m[1])):
			help = true
		case m != nil, dashed.MatchString(strings.TrimLeft(t.Raw, "([")):
			c.flags = append(c.flags, t.Raw)
		default:
			rest = append(rest, t)
		}
	}
	c.rest = rest
	return help
}

// takeDryRun removes `dry run` from the start or end of the unread words.
func (c *changing) takeDryRun() {
	n := len(c.rest)
	for _, t := range c.rest {
		if t.MarksReason() {
			n = 0 // the end belongs to the reason
		}
	}
	single := func(t words.Token) bool { return t.Key == "dry-run" || t.Key == "dryrun" || t.Key == "dry_run" }
	double := func(t []words.Token) bool { return t[0].Key == "dry" && t[1].Key == "run" }
	w := c.rest
	switch {
	case len(w) > 0 && single(w[0]):
		c.planned, c.rest = true, w[1:]
	case len(w) > 1 && double(w):
		c.planned, c.rest = true, w[2:]
	case n > 0 && single(w[n-1]):
		c.planned, c.rest = true, w[:n-1]
	case n > 1 && double(w[n-2:]):
		c.planned, c.rest = true, w[:n-2]
	}
}

// param reads one parameter. It returns a Question about an unknown option, because ignoring the
// option could change the meaning.
func (c *changing) param() error {
	kv := keyValue.FindStringSubmatch(c.rest[0].Raw)
	if kv == nil {
		return nil
	}
	name := strings.ToLower(kv[1])
	switch {
	case name == "again" && kv[2] == "yes":
		c.again = true
	case name == "anyway" && kv[2] == "yes":
		c.anyway = true
	case paramNamed(c.cmd.Params, name) != nil:
		c.params[name] = kv[2]
	default:
		readings := c.nearOptions(c.cmd.Params, name, kv[2])
		if name == "reason" || name == "why" || name == "because" {
			readings = []string{c.said() + " because " + strings.TrimSpace(kv[2]+" "+words.Join(c.rest[1:]))}
		}
		return c.askAbout(command.UnknownOption, fmt.Sprintf("`%s` takes no %s.", c.cmd.Verb, words.Shown(kv[1]+"=")), readings)
	}
	c.rest = c.rest[1:]
	return nil
}

func (c *changing) nearOptions(params []catalogs.Param, name, value string) []string {
	var readings []string
	for _, n := range suggest.Near(name, paramNames(params)) {
		readings = append(readings, c.said()+" "+n+"="+value)
	}
	return append(readings, c.said())
}

func paramNames(params []catalogs.Param) []string {
	var out []string
	for _, p := range params {
		out = append(out, p.Name)
	}
	return out
}

func paramNamed(params []catalogs.Param, name string) *catalogs.Param {
	for i := range params {
		if params[i].Name == name {
			return &params[i]
		}
	}
	return nil
}

// missingParam returns a Question if a required parameter is missing. The Question has an example,
// and a choice for each value if the parameter has a fixed set of values.
func (r *reading) missingParam(req *command.Request) error {
	if req.Command.Action == "" {
		return nil
	}
	action, err := req.Catalog.Action(req.Command.Action, req.ProcessID())
	if err != nil {
		return nil // the planner explains why the action does not exist here
	}
	for _, p := range action.Params {
		if _, given := req.Params[p.Name]; given || p.Optional || p.Default != "" {
			continue
		}
		q := command.Questionf(command.MissingParam, "Missing: %s=, %s. For example `%s`.", p.Name, p.Help, req.Command.Example)
		if p.Type == catalogs.ChoiceParam {
			for _, value := range p.Choices {
				r.suggest(q, req.Text()+" "+p.Name+"="+value)
			}
		}
		return q
	}
	return nil
}

// lengthEnds are words that end a watch or a maintenance: "watch dis end" instead of "watch dis
// 1h".
var lengthEnds = []string{"end", "off", "over", "done", "stop"}

// takeLength reads the duration of a watch or a maintenance, or a word that ends it.
func (c *changing) takeLength(req *command.Request) error {
	w := c.rest
	for len(w) > 1 && w[0].Key == "for" {
		w = w[1:]
	}
	n := words.LengthAt(w)
	switch {
	case c.length != "":
		req.Params[command.ParamLength] = c.length
	case n > 0:
		req.Params[command.ParamLength], c.rest = words.LengthOf(w[:n]), w[n:]
	case len(w) > 0 && slices.Contains(lengthEnds, w[0].Key):
		req.Params[command.ParamLength], c.rest = command.LengthEnd, w[1:]
	default:
		readings := []string{c.said() + " 1h", c.said() + " 4h", c.said() + " end"}
		return c.askAbout(command.MissingParam, "For how long, from 5m to 7d?", readings)
	}
	return nil
}
