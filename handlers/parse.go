package handlers

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"

	"dhbot/internal/fleet"
	"dhbot/runbooks"
)

// call is a message understood: which command, of what, where, and why.
type call struct {
	Message
	cmd     Command
	cluster *fleet.Cluster
	catalog *runbooks.Catalog
	process *runbooks.Process // nil where the target is a host or everything
	host    *fleet.Host       // nil where no host was named
	run     string            // RunNamed
	topic   string            // Topic: what was typed
	params  map[string]string
	rest    string // what is left: the reason
	again   bool   // repeats on purpose what ended well a moment ago
	digest  string // of the plan that a tap was made on

	reply     Reply
	who       person
	asked     string // the run that was asked for, now or a moment ago
	askedBack bool   // answered with a question: nothing was done
	// settled says that the claim of the delivery was settled together with
	// what was done for it.
	settled bool
}

// Grammar is what it takes to understand a command: the names there are.
type Grammar struct {
	Catalogs runbooks.Catalogs
	Fleet    *fleet.Fleet
	Channels map[string]string // channel id → cluster name

	table []Command // of commands, where it was kept
}

// Plan resolves a typed command into what would run. It asks no host and
// stores nothing. The error is a *Misunderstood, or one of the planner's.
func (s *Grammar) Plan(text string, now func() time.Time) (runbooks.Plan, error) {
	c, err := s.parse(Message{Text: text})
	if err != nil {
		return runbooks.Plan{}, err
	}
	if c.cmd.Action == "" {
		return runbooks.Plan{}, &Misunderstood{Text: fmt.Sprintf("%s makes no plan.", c.cmd.Verb)}
	}
	planner := runbooks.Planner{Catalogs: s.Catalogs, Fleet: s.Fleet, Now: now}
	if c.process == nil && c.cmd.Object == AnyTarget {
		return together(&planner, c)
	}
	in, err := c.inputs(now())
	if err != nil {
		return runbooks.Plan{}, err
	}
	return planner.Plan(in)
}

// together is one plan for a read of several processes, as a host or a cluster
// is asked. It has no digest: nobody approves a read.
func together(planner *runbooks.Planner, c *call) (runbooks.Plan, error) {
	asks, err := asksOf(planner, c)
	if err != nil {
		return runbooks.Plan{}, err
	}
	all := runbooks.Plan{Catalog: c.catalog.Name, Cluster: c.cluster.Name, Action: c.cmd.Action, Title: c.cmd.Verb, Class: c.cmd.Class, Locks: []string{}}
	for _, a := range asks {
		all.Steps = append(all.Steps, a.step)
		all.Targets = append(all.Targets, runbooks.Target{Process: a.process.ID, Host: a.host.Name})
		if all.Severity == runbooks.Unknown || a.process.Level.Worse(all.Severity) {
			all.Severity = a.process.Level
		}
	}
	return all, nil
}

// inputs are what a call's plan is made of; what varies is minted here, once.
func (c *call) inputs(now time.Time) (runbooks.Inputs, error) {
	in := runbooks.Inputs{Cluster: c.cluster.Name, Action: c.cmd.Action, Process: c.processID(), Params: c.params}
	if c.host != nil {
		in.Hosts = []string{c.host.Name}
	}
	action, err := c.catalog.Action(in.Action, in.Process)
	if err != nil {
		return in, err
	}
	in.Params, in.Minted = action.Settle(in.Params, now), action.Mint(now)
	return in, nil
}

// Misunderstood is a message that could not be turned into a command. Its
// text is for the person who typed it; nothing was run.
type Misunderstood struct {
	Text    string
	Suggest []string // whole commands to type instead
}

func (m *Misunderstood) Error() string { return m.Text }

var (
	runID    = regexp.MustCompile(`(?i)^R[-_]?([0-9A-Z]{4,8})$`)
	bareID   = regexp.MustCompile(`(?i)^[0-9A-Z]{4}$`)
	keyValue = regexp.MustCompile(`^([a-z][a-z_-]*)=(.+)$`)
)

// parse turns text into a call. A name counts only when it is, letter for
// letter or by alias, one that catalog or fleet knows; everything else is
// answered with the nearest names.
func (s *Grammar) parse(m Message) (*call, error) {
	c, err := s.parseOnce(m)
	var mis *Misunderstood
	if errors.As(err, &mis) {
		return nil, s.refined(m, mis)
	}
	return c, err
}

func (s *Grammar) parseOnce(m Message) (*call, error) {
	c := &call{Message: m, params: map[string]string{}}
	w := addressed(words(normalise(m.Text)))
	if len(w) == 0 {
		w = []string{"help"}
	}
	cmd, w, err := s.verb(m, w)
	if err != nil {
		return nil, err
	}
	if len(w) == 0 {
		cmd = cmd.byItself()
	}
	c.cmd = cmd
	switch cmd.Object {
	case Nothing:
		return c, s.noTarget(c, w)
	case Topic, TrailPart:
		c.topic = strings.Join(w, " ")
		return c, s.noTarget(c, nil)
	case RunNamed:
		return c, s.runTarget(c, w)
	case AnyTarget, ProcessNamed, ProcessImplied, HostNamed, ClusterMeant:
		return c, s.target(c, w)
	default:
		return nil, fmt.Errorf("command table: %s has no known object", cmd.Verb)
	}
}

// verb reads the command at the front of the words: `restart`, or in two words
// `etcd status` for etcd-status. It returns the words after it.
func (s *Grammar) verb(m Message, w []string) (Command, []string, error) {
	table := s.commands()
	if len(w) > 1 {
		if c, ok := named(table, word(w[0])+"-"+word(w[1])); ok {
			return c, w[2:], nil
		}
	}
	v := strings.ReplaceAll(word(w[0]), "_", "-")
	if v == "" {
		v = w[0] // "?" is nothing but a mark
	}
	if c, ok := named(table, v); ok {
		return c, w[1:], nil
	}
	return Command{}, nil, s.nearVerb(m, table, w)
}

// named finds the row of a verb or alias.
func named(table []Command, verb string) (Command, bool) {
	for _, c := range table {
		if c.Verb == verb || slices.Contains(c.Aliases, verb) {
			return c, true
		}
	}
	return Command{}, false
}

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
	if c.cmd.Object != ProcessImplied && c.cmd.Object != ClusterMeant && len(w) > 0 && !s.placed(w) {
		name, w = w[0], w[1:]
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
	w = c.takeParams(w)
	c.rest = reasonOf(w)
	return s.astray(c, w)
}

// takeParams takes `key=value` words that the action has a parameter for;
// anything else that looks like one is part of the reason.
func (c *call) takeParams(w []string) []string {
	known := map[string]bool{}
	if a, err := c.catalog.Action(c.cmd.Action, c.processID()); err == nil {
		for _, p := range a.Params {
			known[p.Name] = true
		}
	}
	for len(w) > 0 {
		kv := keyValue.FindStringSubmatch(w[0])
		switch {
		case kv != nil && kv[1] == "again" && kv[2] == "yes":
			c.again = true
		case kv != nil && known[kv[1]]:
			c.params[kv[1]] = kv[2]
		default:
			return w
		}
		w = w[1:]
	}
	return nil
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

// clusterOf decides which cluster is meant: the one named, else the one that
// the channel is bound to, else the only one, else the only one that knows
// the names; otherwise the choices are shown.
func (s *Grammar) clusterOf(c *call, in string, names ...string) (*fleet.Cluster, error) {
	if in == "" {
		in = s.Channels[c.Channel]
	}
	if in != "" {
		if cl, ok := s.Fleet.Cluster(in); ok {
			return cl, nil
		}
		return nil, fmt.Errorf("channel %s is bound to the cluster %q, which the config does not have", c.Channel, in)
	}
	if len(s.Fleet.Clusters) == 1 {
		return &s.Fleet.Clusters[0], nil
	}
	var fits []*fleet.Cluster
	for i := range s.Fleet.Clusters {
		if cl := &s.Fleet.Clusters[i]; s.knowsAll(cl, names) {
			fits = append(fits, cl)
		}
	}
	if len(fits) == 1 {
		return fits[0], nil
	}
	if len(fits) == 0 {
		for i := range s.Fleet.Clusters {
			fits = append(fits, &s.Fleet.Clusters[i])
		}
	}
	m := &Misunderstood{Text: "Which cluster? Add `in CLUSTER`."}
	for _, cl := range fits {
		w := []string{c.cmd.Verb}
		if len(names) > 0 && names[0] != "" {
			w = append(w, shownWord(names[0]))
		}
		m.Suggest = append(m.Suggest, strings.Join(append(w, "in", cl.Name), " "))
	}
	return nil, m
}

func (s *Grammar) knowsAll(cl *fleet.Cluster, names []string) bool {
	any := false
	for _, n := range names {
		if n == "" {
			continue
		}
		any = true
		_, host := cl.Host(word(n))
		p := s.find(cl, n).Process
		if !host && (p == nil || len(cl.HostsOf(p.ID)) == 0) && word(n) != cl.Name {
			return false
		}
	}
	return any
}

func (s *Grammar) setCluster(c *call, cl *fleet.Cluster) error {
	cat, ok := s.Catalogs.Get(cl.Catalog)
	if !ok {
		return fmt.Errorf("cluster %s uses the catalog %q, which is not loaded", cl.Name, cl.Catalog)
	}
	c.cluster, c.catalog = cl, cat
	return nil
}

func (s *Grammar) knowsHost(n string) bool    { return contains(s.hostNames(), word(n)) }
func (s *Grammar) knowsCluster(n string) bool { return contains(s.clusterNames(), word(n)) }

func (s *Grammar) hostNames() []string {
	var out []string
	for i := range s.Fleet.Clusters {
		out = append(out, hostNames(&s.Fleet.Clusters[i])...)
	}
	return out
}

func (s *Grammar) clusterNames() []string {
	var out []string
	for _, c := range s.Fleet.Clusters {
		out = append(out, c.Name)
	}
	return out
}

// processNames are the processes of any catalog in use that a spelling is or
// resembles.
func (s *Grammar) processNames(typed string) []string {
	seen := map[string]bool{}
	for i := range s.Fleet.Clusters {
		m := s.find(&s.Fleet.Clusters[i], typed)
		if m.Process != nil {
			return []string{m.Process.ID}
		}
		for _, n := range m.Suggestions {
			seen[n] = true
		}
	}
	var out []string
	for n := range seen {
		out = append(out, n)
	}
	sort.Strings(out)
	return out
}

// find reads a spelling of a process by the cluster's catalog.
func (s *Grammar) find(cl *fleet.Cluster, typed string) runbooks.Match {
	cat, ok := s.Catalogs.Get(cl.Catalog)
	if !ok {
		return runbooks.Match{}
	}
	return cat.Find(typed)
}

func hostNames(c *fleet.Cluster) []string {
	var out []string
	for _, h := range c.Hosts {
		out = append(out, h.Name)
	}
	return out
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// shown is something a person typed, made short and quoted for an answer.
func shown(s string) string { return "“" + shownWord(s) + "”" }

func shownWord(s string) string {
	const most = 40
	r := []rune(s)
	if len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

func shownRest(w []string) string {
	if len(w) > 3 {
		w = w[:3]
	}
	out := make([]string, len(w))
	for i := range w {
		out[i] = shownWord(w[i])
	}
	return strings.Join(out, " ")
}
