package handlers

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"dhbot/runbooks"
)

// What thumbs make of commands: letters swapped, spaces lost or won, words in
// the wrong order. Nothing here runs anything: it finds what was probably
// meant, and the person says so again.

// mostSuggestions is how many whole commands an answer offers.
const mostSuggestions = 5

// fillers are words that people put before a name: "restart the controller".
var fillers = []string{"the", "of", "for", "process", "service"}

// withoutFillers drops them from the front while something is left.
func withoutFillers(w []string) []string {
	for len(w) > 1 && slices.Contains(fillers, word(w[0])) {
		w = w[1:]
	}
	return w
}

// addressed drops what calls the bot from the front of a message that does so
// already: "/dh status" in a mention, "dh status" after the slash.
func addressed(w []string) []string {
	if len(w) == 0 {
		return w
	}
	first := strings.TrimPrefix(strings.TrimPrefix(w[0], "/"), "@")
	if len(w) > 1 && strings.EqualFold(first, "dh") {
		return w[1:]
	}
	return append([]string{first}, w[1:]...)
}

// refined follows suggestions that are misspelt themselves, so that "stauts
// dbdis" is answered with "status db_dis". Each is a whole command.
func (s *Grammar) refined(m Message, mis *Misunderstood) *Misunderstood {
	var out []string
	for _, text := range mis.Suggest {
		var again *Misunderstood
		c, err := s.parseOnce(Message{Text: text, Channel: m.Channel})
		switch {
		case err == nil && c.rest != "" && c.cmd.Object == ClusterMeant:
			// The one name that was typed would be read over.
		case err == nil:
			out = append(out, text)
		case errors.As(err, &again):
			out = append(out, again.Suggest...)
		}
	}
	var unique []string
	for _, text := range out {
		if !slices.Contains(unique, text) {
			unique = append(unique, text)
		}
	}
	return &Misunderstood{Text: mis.Text, Suggest: unique[:min(len(unique), mostSuggestions)]}
}

// nearVerb is the answer to a first word that is no command.
func (s *Grammar) nearVerb(m Message, table []Command, w []string) *Misunderstood {
	answer := &Misunderstood{Text: fmt.Sprintf("I don't know the command %s.", shown(w[0]))}
	v := strings.ReplaceAll(word(w[0]), "_", "-")
	for _, guess := range []func() []string{
		func() []string { return s.glued(table, word(w[0])) },
		func() []string { return twoWords(table, w) },
		func() []string { return s.swapped(table, w) },
		func() []string { return s.alone(w) },
		func() []string { return misspelt(table, v, w[1:]) },
		func() []string { return s.sentence(table, w) },
		func() []string { return s.nearName(v, w) },
	} {
		answer.Suggest = guess()
		if answer = s.refined(m, answer); len(answer.Suggest) > 0 {
			break
		}
	}
	return answer
}

// glued finds a lost space: "restartdb_dis".
func (s *Grammar) glued(table []Command, typed string) []string {
	for _, c := range table {
		for _, verb := range append([]string{c.Verb}, c.Aliases...) {
			name, ok := strings.CutPrefix(typed, verb)
			name = strings.Trim(name, "-_.:")
			if ok && len(verb) > 2 && s.knows(name) {
				return []string{c.Verb + " " + name}
			}
		}
	}
	return nil
}

// twoWords finds the verbs of two words near the first two: "etcd helath".
func twoWords(table []Command, w []string) []string {
	if len(w) < 2 {
		return nil
	}
	double := slices.DeleteFunc(slices.Clone(table), func(c Command) bool { return !strings.Contains(c.Verb, "-") })
	return misspelt(double, joined(w), w[2:])
}

// partedHost is the host that two words name, "query 1", or "".
func (s *Grammar) partedHost(name string, rest []string) string {
	if len(rest) == 0 {
		return ""
	}
	return hostNamed(s.hostNames(), word(name)+"-"+word(rest[0]))
}

// swapped finds the name before the verb: "db_dis status".
func (s *Grammar) swapped(table []Command, w []string) []string {
	if len(w) < 2 || !s.knows(w[0]) {
		return nil
	}
	if c, ok := named(table, word(w[1])); ok {
		return []string{c.Verb + " " + shownWord(w[0])}
	}
	return misspelt(table, word(w[1]), w[:1])
}

// misspelt finds the verbs near a word.
func misspelt(table []Command, v string, rest []string) []string {
	if len(v) < 2 {
		return nil // everything is near one letter
	}
	verbOf := map[string]string{}
	var words []string
	for _, c := range table {
		for _, w := range append([]string{c.Verb}, c.Aliases...) {
			verbOf[w] = c.Verb
			words = append(words, w)
		}
	}
	var out []string
	for _, n := range runbooks.Suggest(v, words) {
		text := strings.TrimSpace(verbOf[n] + " " + shownRest(withoutFillers(rest)))
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// alone takes a name typed alone for the question how it is.
func (s *Grammar) alone(w []string) []string {
	if len(w) != 1 || !s.knows(w[0]) {
		return nil
	}
	return []string{"status " + word(w[0])}
}

// sentence finds a command or a name further on: "what is the status of
// db_dis", "is db_dis down". It offers reads only: of a sentence nobody can
// tell whether it asks for a restart or talks about one.
func (s *Grammar) sentence(table []Command, w []string) []string {
	for i := 1; i < len(w); i++ {
		if c, ok := named(table, word(w[i])); ok && !c.Class.Changing() && len(word(w[i])) > 2 {
			return []string{strings.TrimSpace(c.Verb + " " + shownRest(withoutFillers(w[i+1:])))}
		}
	}
	for _, typed := range w[1:] {
		if s.knows(typed) {
			return []string{"status " + word(typed)}
		}
	}
	return nil
}

// nearName takes a misspelt name typed alone for the question how it is.
func (s *Grammar) nearName(v string, w []string) []string {
	if len(w) > 1 {
		return nil
	}
	var out []string
	for _, n := range append(s.processNames(v), runbooks.Suggest(v, s.hostNames())...) {
		out = append(out, "status "+n)
	}
	return out
}

// knows says that a word names a process, host or cluster exactly.
func (s *Grammar) knows(typed string) bool {
	if s.knowsHost(typed) || s.knowsCluster(typed) {
		return true
	}
	for i := range s.Fleet.Clusters {
		if typed != "" && s.find(&s.Fleet.Clusters[i], typed).Process != nil {
			return true
		}
	}
	return false
}

// endings are the marks that may stand after a name: a comma before the
// reason, and for reads the full stop that two spaces make on a phone. Before
// a change a full stop is not overlooked: in a supervisor's pattern it has a
// meaning.
func (c Command) endings() string {
	if c.Class.Changing() {
		return ","
	}
	return ".,!?…"
}

// parted finds a name that a space was put into, "db dis", or a host that was
// put onto it, "tailer1@query-1".
func (c *call) parted(name string, rest []string) []string {
	var out []string
	for n := 1; n <= min(2, len(rest)); n++ {
		joined := strings.Join(append([]string{name}, rest[:n]...), "_")
		if p := c.catalog.Find(joined).Process; p != nil {
			out = append(out, c.cmd.Verb+" "+p.ID)
		}
	}
	if i := strings.IndexAny(name, "@/:"); i > 0 {
		p, host := c.catalog.Find(name[:i]).Process, hostNamed(hostNames(c.cluster), name[i+1:])
		if p != nil && host != "" {
			out = append(out, fmt.Sprintf("%s %s on %s", c.cmd.Verb, p.ID, host))
		}
	}
	return out
}

// hostFirst answers a host in the place of a process: "restart query-1",
// "restart query-1 tailer1".
func (c *call) hostFirst(host string, rest []string) *Misunderstood {
	h, _ := c.cluster.Host(host)
	m := &Misunderstood{Text: fmt.Sprintf("%s is a host. Say which of its processes: %s.", host, strings.Join(h.Processes, ", "))}
	if len(rest) > 0 {
		if p := c.catalog.Find(rest[0]).Process; p != nil {
			m.Suggest = []string{fmt.Sprintf("%s %s on %s", c.cmd.Verb, p.ID, host)}
		}
	}
	return m
}

// astray asks back where the reason names a place or a process as if it were
// meant: it would be read over, and the command would go elsewhere, or to
// every host of the process.
func (s *Grammar) astray(c *call, w []string) error {
	if len(w) == 0 || c.process == nil {
		return nil
	}
	first := word(w[0])
	if p := c.catalog.Find(first).Process; p != nil && p.ID == first && p.ID != c.process.ID {
		return &Misunderstood{
			Text:    fmt.Sprintf("One process at a time: I do not read %s as the reason.", p.ID),
			Suggest: []string{c.cmd.Verb + " " + c.process.ID, c.cmd.Verb + " " + p.ID},
		}
	}
	if s.knowsCluster(first) && first != c.cluster.Name {
		return &Misunderstood{
			Text:    fmt.Sprintf("%s is a cluster; say `in` before it, so that it is not read as the reason.", first),
			Suggest: []string{fmt.Sprintf("%s %s in %s", c.cmd.Verb, c.process.ID, first)},
		}
	}
	return s.strayHost(c, w)
}

// strayHost is astray of hosts. A name right after the target counts, one
// behind a preposition, and on a process of several hosts any among the first
// words, misspelt ones too.
func (s *Grammar) strayHost(c *call, w []string) error {
	if c.host != nil {
		return nil
	}
	const early = 3
	several := len(c.cluster.HostsOf(c.process.ID)) > 1
	for i, typed := range w {
		host := hostNamed(hostNames(c.cluster), typed)
		pointed := i > 0 && slices.Contains([]string{"on", "at", "host"}, word(w[i-1]))
		if host != "" && (i == 0 || several && (i < early || pointed)) {
			return &Misunderstood{
				Text:    fmt.Sprintf("%s is a host; say `on` and its name right after the process, so that it is not read as the reason.", host),
				Suggest: []string{fmt.Sprintf("%s %s on %s", c.cmd.Verb, c.process.ID, host)},
			}
		}
	}
	if !several || !hostLike(w[0], len(w)) {
		return nil
	}
	near := runbooks.Suggest(word(w[0]), hostNames(c.cluster))
	if len(near) == 0 {
		return nil
	}
	m := &Misunderstood{Text: fmt.Sprintf("Is %s a host? Then say `on` and its whole name, so that it is not read as the reason.", shown(w[0]))}
	for _, n := range near {
		m.Suggest = append(m.Suggest, fmt.Sprintf("%s %s on %s", c.cmd.Verb, c.process.ID, n))
	}
	return m
}

// hostNamed is the host whose name a word is, or "".
func hostNamed(hosts []string, typed string) string {
	if i := slices.Index(hosts, word(typed)); i >= 0 {
		return hosts[i]
	}
	return ""
}

// hostLike says that a word could be a host's misspelt name: the only word
// after the target, or one with a digit in it.
func hostLike(typed string, words int) bool {
	return words == 1 || strings.ContainsFunc(typed, unicode.IsDigit)
}

// runAt reads a run id from the front of the words, however it was typed, and
// returns how many words it took: "R-7F3K", "r7f3k", "R 7F3K".
func runAt(w []string) (id string, taken int) {
	for n := 1; n <= min(2, len(w)); n++ {
		if n == 2 && !strings.EqualFold(w[0], "r") {
			break
		}
		typed := strings.Trim(strings.Join(w[:n], "-"), "`*_.,;:#()")
		if m := runID.FindStringSubmatch(typed); m != nil {
			return "R-" + strings.ToUpper(m[1]), n
		}
	}
	return "", 0
}

// noRun answers what stands in the place of a run id and is none.
func (s *Grammar) noRun(c *call, w []string) *Misunderstood {
	m := &Misunderstood{Text: fmt.Sprintf("%s is not a run; runs are called like R-7F3K. Type `%s`.", shown(w[0]), c.cmd.Usage)}
	if bareID.MatchString(w[0]) && strings.ContainsFunc(w[0], unicode.IsDigit) {
		m.Suggest = []string{strings.TrimSpace(c.cmd.Verb + " R-" + strings.ToUpper(w[0]) + " " + shownRest(w[1:]))}
	} else if read, ok := named(s.commands(), word(w[0])); ok && !read.Class.Changing() {
		m.Suggest = []string{strings.TrimSpace(read.Verb + " " + shownRest(w[1:]))} // "show logs db_dis"
	}
	return m
}

// reasonOf joins what is left to the reason, without the dash or colon that
// people put before it.
func reasonOf(w []string) string {
	return strings.TrimLeft(strings.Join(w, " "), "-:,; ")
}

// canonical is a call as a whole command that means the same in any channel,
// without its reason.
func (c *call) canonical() string {
	w := []string{c.cmd.Verb}
	if c.run != "" {
		w = append(w, c.run)
	}
	if c.process != nil && c.cmd.Object != ProcessImplied {
		w = append(w, c.process.ID)
	}
	if c.host != nil {
		w = append(w, "on", c.host.Name)
	}
	return strings.Join(append(w, "in", c.cluster.Name), " ")
}
