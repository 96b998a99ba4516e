package handlers

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"dhbot/runbooks"
)

func (s *Grammar) noTarget(c *call, w []string) error {
	c.rest = strings.Join(w, " ")
	cluster, err := s.clusterOf(c, "")
	if err != nil {
		// These commands are about the bot, not about one cluster.
		cluster = &s.Fleet.Clusters[0]
	}
	return s.setCluster(c, cluster)
}

// runTarget reads `R-7F3K …`.
func (s *Grammar) runTarget(c *call, w []string) error {
	if len(w) == 0 {
		return &Misunderstood{Text: fmt.Sprintf("Which run? Type `%s`.", c.cmd.Usage)}
	}
	id, taken := runAt(w)
	if taken == 0 {
		return s.noRun(c, w)
	}
	c.run = id
	return s.noTarget(c, w[taken:])
}

// target reads `[TARGET] [on HOST] [in CLUSTER] [key=value …] [reason …]`.
func (s *Grammar) target(c *call, w []string) error {
	name := ""
	w = withoutFillers(w)
	if c.cmd.Lasts {
		w = lastly(w)
	}
	if c.cmd.Object != ProcessImplied && c.cmd.Object != ClusterMeant && len(w) > 0 && !s.placed(w) && !(c.cmd.Lasts && lastOnly(w)) {
		name, w = w[0], w[1:]
		if host := s.partedHost(name, w); c.cmd.Object != ProcessNamed && host != "" {
			name, w = host, w[1:]
		}
	}
	if c.cmd.Object == AnyTarget && slices.Contains([]string{"all", "everything"}, word(name)) {
		name = ""
	}
	if c.cmd.Object == AnyTarget && s.knowsHost(name) && len(w) > 0 && !s.placed(w) && s.knows(w[0]) {
		name, w = w[0], append([]string{"on", name}, w[1:]...) // "status infra-1 db_dis"
	}
	in, on, w, err := s.places(c, name, w)
	if err != nil {
		return err
	}
	cluster, err := s.clusterOf(c, in, name, on)
	if err != nil {
		return err
	}
	if err := s.setCluster(c, cluster); err != nil {
		return err
	}
	if host := hostNamed(hostNames(c.cluster), name); c.cmd.Object == ProcessNamed && host != "" {
		return c.hostFirst(host, w)
	}
	if err := s.located(c, name, on); err != nil {
		var mis *Misunderstood
		if joined := c.parted(name, w); errors.As(err, &mis) && len(joined) > 0 {
			mis.Suggest = joined
		}
		return err
	}
	w, err = c.takeParams(w)
	if err != nil {
		return err
	}
	c.rest = reasonOf(w)
	return s.astray(c, w)
}

func (c *call) processID() string {
	if c.process == nil {
		return ""
	}
	return c.process.ID
}

// placed says that the words begin with `on HOST` or `in CLUSTER`, without a
// target before it.
func (s *Grammar) placed(w []string) bool {
	return len(w) > 1 && (w[0] == "on" || w[0] == "in") && (s.knowsHost(w[1]) || s.knowsCluster(w[1]))
}

// places takes `on HOST` and `in CLUSTER` from the front of the words, in any
// order. Before a name that is nearly one the fleet knows it asks; before
// anything else `on` and `in` are words of the reason.
func (s *Grammar) places(c *call, name string, w []string) (in, on string, rest []string, err error) {
	for len(w) > 1 {
		p, at := word(w[0]), word(w[1])
		switch {
		case p == "on" && on == "" && s.knowsHost(at):
			on = at
		case p == "in" && in == "" && s.knowsCluster(at):
			in = at
		case p == "on" && on == "":
			return in, on, w, s.nearly(c, name, "on", w[1], s.hostNames())
		case p == "in" && in == "":
			return in, on, w, s.nearly(c, name, "in", w[1], s.clusterNames())
		default:
			return in, on, w, nil
		}
		w = w[2:]
	}
	return in, on, w, nil
}

// nearly refuses a misspelt place, so that it does not fall into the reason
// and the command run everywhere.
func (s *Grammar) nearly(c *call, name, preposition, typed string, known []string) error {
	near := runbooks.Suggest(word(typed), known)
	if len(near) == 0 {
		return nil
	}
	m := &Misunderstood{Text: fmt.Sprintf("I don't know %s.", shown(typed))}
	for _, n := range near {
		m.Suggest = append(m.Suggest, strings.Join([]string{c.cmd.Verb, shownWord(name), preposition, n}, " "))
	}
	return m
}

// located finds the process or host that the target and `on` name.
func (s *Grammar) located(c *call, name, on string) error {
	if on != "" {
		h, ok := c.cluster.Host(on)
		if !ok {
			return &Misunderstood{Text: fmt.Sprintf("%s is not a host of %s. Its hosts: %s.", shown(on), c.cluster.Name, strings.Join(hostNames(c.cluster), ", "))}
		}
		c.host = h
	}
	switch {
	case c.cmd.Object == ClusterMeant:
		return nil
	case c.cmd.Object == ProcessImplied:
		return s.processNamed(c, c.cmd.Process)
	case c.cmd.Object == HostNamed:
		return s.hostNamed(c, name)
	}
	if name == "" {
		if c.cmd.Object == ProcessNamed {
			return &Misunderstood{Text: fmt.Sprintf("Which process? Type `%s`, for example `%s`.", c.cmd.Usage, c.cmd.Example)}
		}
		return nil
	}
	if c.cmd.Object == AnyTarget && c.host == nil {
		if h, ok := c.cluster.Host(word(name)); ok {
			c.host = h
			return nil
		}
		if word(name) == c.cluster.Name {
			return nil
		}
	}
	return s.processNamed(c, name)
}

func (s *Grammar) hostNamed(c *call, name string) error {
	if c.host == nil {
		h, ok := c.cluster.Host(word(name))
		if !ok {
			m := &Misunderstood{Text: fmt.Sprintf("Which host? Type `%s`. The hosts of %s: %s.", c.cmd.Usage, c.cluster.Name, strings.Join(hostNames(c.cluster), ", "))}
			for _, n := range runbooks.Suggest(word(name), hostNames(c.cluster)) {
				m.Suggest = append(m.Suggest, c.cmd.Verb+" "+n)
			}
			return m
		}
		c.host = h
	}
	return nil
}

func (s *Grammar) processNamed(c *call, name string) error {
	match := c.catalog.Find(strings.TrimRight(name, c.cmd.endings()))
	if match.Process == nil {
		near := match.Suggestions
		if c.cmd.Object == AnyTarget {
			names := append(hostNames(c.cluster), near...)
			near = append(runbooks.Suggest(word(name), names), near...)
		}
		m := &Misunderstood{Text: fmt.Sprintf("I don't know %s in %s.", shown(name), c.cluster.Name)}
		for _, n := range near {
			m.Suggest = append(m.Suggest, c.cmd.Verb+" "+n)
		}
		return m
	}
	c.process = match.Process
	hosts := c.cluster.HostsOf(c.process.ID)
	switch {
	case len(hosts) == 0:
		return &Misunderstood{Text: fmt.Sprintf("%s is not configured on any host of %s.", c.process.ID, c.cluster.Name)}
	case c.host != nil && !c.host.Runs(c.process.ID):
		m := &Misunderstood{Text: fmt.Sprintf("%s does not run on %s.", c.process.ID, c.host.Name)}
		for _, h := range hosts {
			m.Suggest = append(m.Suggest, fmt.Sprintf("%s %s on %s", c.cmd.Verb, c.process.ID, h.Name))
		}
		return m
	}
	return nil
}
