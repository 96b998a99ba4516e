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

var (
	hostWords   = []string{"host", "hosts", "node", "server", "machine", "the"}
	everywhere  = []string{"everywhere", "anywhere"}
	exceptWords = []string{"except", "excluding", "excl", "without", "but", "minus", "not", "only"}
)

// modifiers reads places and parameters in any order. It stops at the first word that is neither.
func (c *changing) modifiers() error {
	for len(c.rest) > 0 {
		before := len(c.rest)
		for _, read := range []func() error{c.placeOption, c.place, c.everyHost, c.exception, c.param} {
			if err := read(); err != nil {
				return err
			}
			if len(c.rest) < before {
				break
			}
		}
		if len(c.rest) == before {
			return nil
		}
	}
	return nil
}

func (c *changing) placeOption() error {
	key, value, ok := words.PlaceOption(c.rest[0].Raw)
	if !ok {
		return nil
	}
	value = strings.ToLower(strings.TrimRight(value, ",:"))
	names := strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(joinersWithin, r) })
	for _, n := range names {
		if err := c.takePlace(key+"=", n); err != nil {
			return err
		}
	}
	c.rest = c.rest[1:]
	return nil
}

// place reads `on HOST…` or `in CLUSTER`. If the host or cluster is unknown, it returns a Question.
func (c *changing) place() error {
	w := c.rest
	sign := strings.HasPrefix(w[0].Raw, "@") && len(w[0].Raw) > 1
	if !sign && !w[0].IsPlaceWord() {
		return nil
	}
	pre, after := w[0].Raw, w[1:]
	if sign {
		pre = "@"
		after = append([]words.Token{{Raw: w[0].Raw[1:], Key: words.Key(w[0].Raw[1:]), At: w[0].At + 1, Row: w[0].Row}}, w[1:]...)
	}
	for len(after) > 1 && slices.Contains(hostWords, after[0].Key) {
		after = after[1:]
	}
	if len(after) == 0 {
		return c.askAbout(command.StrayPlace, fmt.Sprintf("“%s” needs a host or a cluster after it.", pre), nil)
	}
	if slices.Contains(everyWords, after[0].Key) &&
		(len(after) == 1 || after[1].Key == "nodes" || slices.Contains(hostWords, after[1].Key) ||
			slices.Contains(exceptWords, after[1].Key)) {
		c.all, c.rest = true, after[1:]
		if len(c.rest) > 0 && !slices.Contains(exceptWords, c.rest[0].Key) {
			c.rest = c.rest[1:]
		}
		if len(c.rest) > 0 && slices.Contains(hostWords, c.rest[0].Key) {
			c.rest = c.rest[1:]
		}
		return nil
	}
	if c.g.KnowsCluster(after[0].Name()) {
		c.rest = after[1:]
		return c.takePlace(pre, strings.ToLower(after[0].Name()))
	}
	took, err := c.hostList(after)
	if err != nil {
		return err
	}
	if took == 0 && c.planned && meaning.Of(c.g, w) == command.When {
		return nil // a plan has no time
	}
	if took == 0 {
		return c.unknownPlace(pre, after)
	}
	c.rest = after[took:]
	return nil
}

// takePlace reads a name as a host or a cluster.
func (c *changing) takePlace(pre, name string) error {
	switch {
	case c.g.KnowsCluster(name):
		if c.in != "" && c.in != name {
			return c.askAbout(command.StrayPlace, "One cluster at a time.", nil)
		}
		c.in = name
	case c.g.KnowsHost(name):
		c.joined = c.joined || len(c.hosts) > 0
		c.hosts = append(c.hosts, name)
	default:
		return c.unknownPlace(pre, []words.Token{{Raw: name, Key: name}})
	}
	return nil
}

// hostList reads a list of host names, and returns the number of words that it read.
func (c *changing) hostList(w []words.Token) (took int, err error) {
	for {
		if took == len(w) {
			return took, nil
		}
		names := strings.FieldsFunc(w[took].Name(), func(r rune) bool { return strings.ContainsRune(joinersWithin, r) })
		known := len(names) > 0 && !slices.ContainsFunc(names, func(n string) bool { return !c.g.KnowsHost(n) })
		split := ""
		if !known {
			split = c.splitHost(w[took:])
		}
		if !known && split == "" {
			return took, nil
		}
		last := w[took]
		if split != "" {
			names, last = []string{split}, w[took+1]
			took++
		}
		took++
		for _, n := range names {
			if err := c.takePlace("on", strings.ToLower(n)); err != nil {
				return took, err
			}
		}
		next, more, err := c.hostJoins(w, took, strings.HasSuffix(last.Raw, ","))
		if err != nil || !more {
			return took, err
		}
		took = next
	}
}

// hostJoins skips the joiners between two hosts. The result next is the position of the second
// host; more is false if the list of hosts has ended.
func (c *changing) hostJoins(w []words.Token, took int, comma bool) (next int, more bool, err error) {
	n := took
	for n < len(w) && slices.Contains(joiners, joinerKey(w[n])) {
		n++
	}
	joined := n > took
	for joined && n < len(w) && (w[n].IsPlaceWord() || slices.Contains(hostWords, w[n].Key)) {
		n++
	}
	onlyComma := !joined && comma || joined && n == took+1 && joinerKey(w[took]) == ","
	switch {
	case n < len(w) && (c.g.KnowsHost(w[n].Name()) || c.splitHost(w[n:]) != ""):
		if joined && words.OneOf(w[took].Key, "or", "then", "oder", "dann") {
			return took, false, c.askAbout(command.Joined, fmt.Sprintf("“%s”: which host do you mean?", w[took].Raw), nil)
		}
		return n, true, nil
	case !joined && !comma, n == len(w) && !joined:
		return took, false, nil
	case n == len(w):
		return took, false, c.askAbout(command.Joined, fmt.Sprintf("%s and what else?", words.And(c.hosts)), nil)
	case onlyComma && (n+1 < len(w) || len(suggest.Near(w[n].Key, c.g.HostNames())) == 0): // ", disk was full"
		return took, false, nil
	default:
		return took, false, c.askHost(w[n])
	}
}

// askHost returns a Question about an unknown host after a joiner.
func (c *changing) askHost(t words.Token) error {
	if v, ok := c.g.Named(t.Key); ok {
		return c.twoCommands(v)
	}
	readings := []string{c.said()}
	for _, n := range suggest.Near(strings.ToLower(t.Name()), c.g.HostNames()) {
		if !slices.Contains(c.hosts, n) {
			readings = append(readings, c.said()+" and "+n)
		}
	}
	return c.askAbout(command.Joined, fmt.Sprintf("I don't know the host %s.", words.Shown(t.Name())), readings)
}

// unknownPlace returns a Question about an unknown host or cluster after `on`, `in` or `at`.
func (c *changing) unknownPlace(pre string, after []words.Token) error {
	if code := meaning.Of(c.g, append([]words.Token{{Raw: pre, Key: words.Key(pre)}}, after...)); code == command.When {
		return c.askAbout(command.When, "I run things now or not at all: I can't schedule a command.", nil)
	}
	typed := after[0].Name()
	var readings []string
	for _, n := range suggest.Near(strings.ToLower(typed), c.hostsOfTarget()) {
		readings = append(readings, c.said()+" on "+n)
	}
	for _, n := range suggest.Near(strings.ToLower(typed), c.g.ClusterNames()) {
		readings = append(readings, c.said()+" in "+n)
	}
	for _, n := range c.g.HostsAt(typed) {
		readings = append(readings, c.said()+" on "+n)
	}
	several := c.hostsOfTarget()
	switch reason := words.Rest(c.text, c.rest); {
	case len(readings) > 0:
	case len(several) > 1 && pre != "in" && pre != "at": // only some hosts of the process are meant
		if meant := hostsOfKind(several, after); len(meant) > 0 {
			readings = append(readings, c.said()+" on "+words.And(meant))
		}
	case reason != "":
		readings = append(readings, c.said()+" because "+reason)
	}
	return c.askAbout(command.StrayPlace, fmt.Sprintf("I don't know a host or cluster %s, which follows “%s”.", words.Shown(typed), pre), readings)
}

// hostsOfKind returns the hosts whose names begin with a typed word. For "both query nodes" these
// are query-1 and query-2. It considers the first three words only.
func hostsOfKind(hosts []string, w []words.Token) (out []string) {
	for _, h := range hosts {
		if slices.ContainsFunc(w[:min(3, len(w))], func(t words.Token) bool { return len(t.Key) > 2 && strings.HasPrefix(h, t.Key) }) {
			out = append(out, h)
		}
	}
	return out
}

// hostsOfTarget returns the hosts of the first named process, or all hosts if no process is named.
func (c *changing) hostsOfTarget() []string {
	if len(c.processes) == 0 {
		return c.g.HostNames()
	}
	var out []string
	for i := range c.g.Fleet.Clusters {
		cl := &c.g.Fleet.Clusters[i]
		if p := c.g.Find(cl, c.processes[0]).Process; p != nil {
			for _, h := range cl.HostsOf(p.ID) {
				out = append(out, h.Name)
			}
		}
	}
	return out
}

// everyHost reads `everywhere` and `all hosts`. Of `all but HOST` it reads only `all`.
func (c *changing) everyHost() error {
	w := c.rest
	switch {
	case slices.Contains(everywhere, w[0].Key):
		c.all, c.rest = true, w[1:]
	case len(w) < 2 || !slices.Contains(everyWords, w[0].Key):
	case w[1].Key == "hosts" || w[1].Key == "nodes":
		c.all, c.rest = true, w[2:]
	case slices.Contains(exceptWords, w[1].Key):
		c.all, c.rest = true, w[1:]
	}
	return nil
}

// exception reads `except HOST`. If the text does not say `everywhere` before, exception returns a
// Question that offers the remaining hosts.
func (c *changing) exception() error {
	w := c.rest
	if len(w) < 2 || !slices.Contains(exceptWords, w[0].Key) {
		return nil
	}
	n := 1
	for n < len(w)-1 &&
		(w[n].Key == "for" || w[n].Key == "not" || w[n].IsPlaceWord() || slices.Contains(hostWords, w[n].Key)) {
		n++
	}
	if !c.g.KnowsHost(w[n].Name()) && c.splitHost(w[n:]) == "" {
		return nil // meaning.Of decides about the next words
	}
	kept := c.hosts
	c.hosts = nil
	took, err := c.hostList(w[n:])
	c.except, c.hosts = c.hosts, kept
	if err != nil { // the choices of err would name the excluded hosts
		return c.askAbout(command.Exception, "I don't know what that excludes.", nil)
	}
	c.rest = w[n+took:]
	if w[0].Key == "only" {
		return c.askAbout(command.Exception, fmt.Sprintf("Only on %s?", words.And(c.except)), []string{c.said() + " on " + words.And(c.except)})
	}
	if c.all {
		return nil
	}
	return c.askAbout(command.Exception, fmt.Sprintf("Everywhere except %s?", words.And(c.except)), c.withoutExcept())
}

// withoutExcept returns commands that act only on hosts that are not excluded.
func (c *changing) withoutExcept() []string {
	var readings []string
	for i := range c.g.Fleet.Clusters {
		cl := &c.g.Fleet.Clusters[i]
		if len(c.processes) != 1 || !c.g.Has(cl, c.processes, c.except) {
			continue
		}
		var left []string
		for _, h := range cl.HostsOf(c.g.Find(cl, c.processes[0]).Process.ID) {
			if !slices.Contains(c.except, h.Name) {
				left = append(left, h.Name)
			}
		}
		if len(left) > 0 {
			readings = append(readings, fmt.Sprintf("%s %s on %s in %s", c.cmd.Verb, c.processes[0], words.And(left), cl.Name))
		}
	}
	return readings
}
