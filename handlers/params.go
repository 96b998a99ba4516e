package handlers

import (
	"fmt"
	"strings"

	"dhbot/runbooks"
)

// takeParams takes from the front of the words the values of the action's
// parameters, `key=value`, and returns the words after them. In a read, which
// has no reason, `since 1h` and a lone `errors` are understood too. A key that
// is nearly one of the action's is asked back: read over, it would make the
// command another one.
func (c *call) takeParams(w []string) ([]string, error) {
	params := c.actionParams()
	for len(w) > 0 {
		key, value, taken := c.param(params, w)
		if taken == 0 {
			break
		}
		switch key {
		case "again":
			c.again = true
		case "anyway":
			c.anyway = true
		default:
			c.params[key] = value
		}
		w = w[taken:]
	}
	return w, c.strayParam(params, w)
}

func (c *call) actionParams() []runbooks.Param {
	if a, err := c.catalog.Action(c.cmd.Action, c.processID()); err == nil {
		return a.Params
	}
	return nil
}

// param reads one parameter at the front of the words and says how many it
// took, 0 for none.
func (c *call) param(params []runbooks.Param, w []string) (key, value string, taken int) {
	if kv := keyValue.FindStringSubmatch(w[0]); kv != nil {
		insists := kv[2] == "yes" && (kv[1] == "again" || kv[1] == "anyway")
		if insists || paramNamed(params, kv[1]) != nil {
			return kv[1], kv[2], 1
		}
		return "", "", 0
	}
	p := paramNamed(params, strings.TrimPrefix(word(w[0]), "--"))
	switch {
	case p == nil || c.cmd.Class.Changing():
		return "", "", 0
	case p.Type == runbooks.ChoiceParam && len(p.Choices) == 1:
		return p.Name, p.Choices[0], 1
	case len(w) > 1:
		return p.Name, w[1], 2
	}
	return "", "", 0
}

func paramNamed(params []runbooks.Param, name string) *runbooks.Param {
	for i := range params {
		if params[i].Name == name {
			return &params[i]
		}
	}
	return nil
}

// strayParam asks back what looks like a parameter among the words that are
// left: in a read any, since nothing else is to be said there, and before a
// change what is nearly one of the action's.
func (c *call) strayParam(params []runbooks.Param, w []string) error {
	var names []string
	for _, p := range params {
		names = append(names, p.Name)
	}
	for i, typed := range w {
		kv := keyValue.FindStringSubmatch(typed)
		if kv == nil || c.cmd.Class.Changing() && (i > 0 || len(names) == 0) {
			continue
		}
		near := runbooks.Suggest(kv[1], names)
		if len(near) == 0 && c.cmd.Class.Changing() {
			continue
		}
		m := &Misunderstood{Text: fmt.Sprintf("%s takes no %s.", c.cmd.Verb, shown(kv[1]+"="))}
		for _, n := range near {
			m.Suggest = append(m.Suggest, c.said()+" "+n+"="+shownWord(kv[2]))
		}
		return m
	}
	return nil
}

// said is the command with its target, as it would be typed.
func (c *call) said() string {
	text := c.cmd.Verb
	if c.process != nil && c.cmd.Object != ProcessImplied {
		text += " " + c.process.ID
	}
	if c.host != nil {
		if c.process != nil {
			text += " on"
		}
		text += " " + c.host.Name
	}
	return text
}
