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
		_, err := s.parseOnce(Message{Text: text, Channel: m.Channel})
		if errors.As(err, &again) && len(again.Suggest) > 0 {
			out = append(out, again.Suggest...)
		} else {
			out = append(out, text)
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
func (s *Grammar) nearVerb(table []Command, w []string) *Misunderstood {
	m := &Misunderstood{Text: fmt.Sprintf("I don't know the command %s.", shown(w[0]))}
	v := strings.ReplaceAll(word(w[0]), "_", "-")
	for _, guess := range []func() []string{
		func() []string { return s.glued(table, word(w[0])) },
		func() []string { return s.swapped(table, w) },
		func() []string { return s.alone(w) },
		func() []string { return misspelt(table, v, w[1:]) },
		func() []string { return s.sentence(table, w) },
		func() []string { return s.nearName(v, w) },
	} {
		if m.Suggest = guess(); len(m.Suggest) > 0 {
			break
		}
	}
	return m
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

// parted finds a name that a space was put into: "db dis".
func (c *call) parted(name string, rest []string) []string {
	var out []string
	for n := 1; n <= min(2, len(rest)); n++ {
		joined := strings.Join(append([]string{name}, rest[:n]...), "_")
		if p := c.catalog.Find(joined).Process; p != nil {
			out = append(out, c.cmd.Verb+" "+p.ID)
		}
	}
	return out
}

// strayHost asks back where a reason names a host as if it were meant: `on`
// was forgotten or stands too late, and the command would go to every host of
// the process.
func (s *Grammar) strayHost(c *call, w []string) error {
	if len(w) == 0 || c.process == nil || c.host != nil {
		return nil
	}
	for i, typed := range w {
		exact := hostNamed(hostNames(c.cluster), typed)
		switch {
		case i == 0 && exact != "":
		case i > 0 && word(w[i-1]) == "on" && exact != "" && len(c.cluster.HostsOf(c.process.ID)) > 1:
		case i == 0 && len(c.cluster.HostsOf(c.process.ID)) > 1 && hostLike(typed, len(w)):
			if near := runbooks.Suggest(word(typed), hostNames(c.cluster)); len(near) > 0 {
				m := &Misunderstood{Text: fmt.Sprintf("Is %s a host? Then say `on` and its whole name, so that it is not read as the reason.", shown(typed))}
				for _, n := range near {
					m.Suggest = append(m.Suggest, fmt.Sprintf("%s %s on %s", c.cmd.Verb, c.process.ID, n))
				}
				return m
			}
			continue
		default:
			continue
		}
		return &Misunderstood{
			Text:    fmt.Sprintf("%s is a host; say `on` and its name right after the process, so that it is not read as the reason.", exact),
			Suggest: []string{fmt.Sprintf("%s %s on %s", c.cmd.Verb, c.process.ID, exact)},
		}
	}
	return nil
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
