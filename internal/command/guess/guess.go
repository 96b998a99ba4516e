package guess

import (
	"iter"
	"slices"
	"sort"
	"strings"

	"dhbot/internal/command"
	"dhbot/internal/command/typos"
	"dhbot/internal/command/words"
	"dhbot/internal/suggest"
	"dhbot/runbooks"
)

// Commands returns the commands that may be meant by words that do not begin with a verb. They are
// in groups, the likeliest group first, and written as a user would type them.
func Commands(g *command.Grammar, w []words.Token) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		for _, guess := range []func(*command.Grammar, []words.Token) []string{
			wanted, phrase, missingSpace, clusterFirst, twoWords, reversed, nameFirst, misspeltVerb, openRuns, aboutRunID, sentence,
			nearName, aboutState,
		} {
			if !yield(guess(g, w)) {
				return
			}
		}
	}
}

// wanted finds the requested change in a complete sentence, such as "need db_ltds restarted" or
// "db_ltds needs a restart". It accepts no other words, because they may change the meaning.
func wanted(g *command.Grammar, w []words.Token) []string {
	w = words.WithoutClosing(w)
	if len(w) < 3 || slices.ContainsFunc(w, words.Token.IsDoubt) {
		return nil
	}
	middle, last := w[1:len(w)-1], w[len(w)-1]
	process := w[0]
	switch {
	case len(w) == 4 && words.OneOf(w[0].Key, "can", "could") && words.OneOf(w[1].Key, "someone", "somebody", "anyone", "anybody"):
		process, last = last, w[2]
		process.Raw = strings.TrimRight(process.Raw, words.Punctuation)
	case words.OneOf(w[0].Key, "need", "want") && len(middle) == 1 && strings.HasSuffix(last.Key, "ed"):
		process = middle[0]
	case middle[0].Key == "needs" && (len(middle) == 1 || len(middle) == 2 && middle[1].Key == "a" || len(middle) == 3 && middle[1].Key == "to" && middle[2].Key == "be"):
	default:
		return nil
	}
	verb := last.Key
	for _, ending := range []string{"ed", "ing"} {
		verb = strings.TrimSuffix(verb, ending)
	}
	c, ok := g.Named(verb)
	if !ok || c.Object != command.ProcessNamed || !c.Class.Changing() || c.Action == "" || !g.KnowsProcess(process.Name()) {
		return nil
	}
	return []string{c.Verb + " " + process.Name(), "status " + process.Name()}
}

// phrase finds the command for a common phrase.
func phrase(g *command.Grammar, w []words.Token) []string {
	keys := make([]string, len(w))
	for i, t := range w {
		keys[i] = t.Key
	}
	said := strings.Join(keys, " ")
	switch {
	case len(aboutRunID(g, w)) > 0:
		return nil
	case len(w) > 1 && words.OneOf(keys[0], "unmute", "unsnooze", "unsilence"):
		return []string{map[bool]string{true: "maintenance ", false: "mute "}[keys[0] == "unsilence"] + words.Tail(w[1:]) + " end"}
	case len(w) > 2 && keys[0] == "end":
		return []string{words.Tail(w[1:]) + " end"}
	case words.OneOf(keys[0], "who", "whos", "who's"):
		return []string{"people"}
	case words.OneOf(said, "whats locked", "what's locked", "what is locked"):
		return []string{"locks"}
	case words.OneOf(said, "whats open", "what's open", "whats pending", "what's pending", "whats waiting", "what's waiting"),
		words.OneOf(keys[0], "undo", "revert", "rollback"):
		return []string{"runs"}
	case len(w) > 2 && keys[0] == "how" && words.OneOf(keys[1], "to", "do", "can"):
		return []string{"help " + keys[len(w)-1]}
	case said == "what can you do", said == "commands":
		return []string{"help"}
	case len(w) > 3 && strings.Join(keys[:3], " ") == "handing over to":
		return []string{"handover " + words.Tail(w[3:])}
	case words.OneOf(said, "i take it", "i'll take it", "ill take it", "taking it", "mine"):
		return []string{"own", "incidents"}
	case words.OneOf(keys[0], "errors", "error") && len(w) > 1:
		return []string{"logs " + words.Tail(w[1:]) + " errors"}
	case strings.HasPrefix(said, "on it"),
		strings.HasPrefix(said, "i") && slices.ContainsFunc([]string{"on it", "got it", "got this"}, func(end string) bool { return strings.HasSuffix(said, end) }):
		return []string{"own", "incidents"}
	default:
		return nil
	}
}

// missingSpace finds a verb and name without a space: "restartdb_dis".
func missingSpace(g *command.Grammar, w []words.Token) []string {
	typed := w[0].Key
	for _, c := range g.Commands() {
		for _, verb := range append([]string{c.Verb}, c.Aliases...) {
			name, ok := strings.CutPrefix(typed, verb)
			name = strings.Trim(name, "-_.:")
			if ok && len(verb) > 2 && g.Knows(name) {
				return []string{c.Verb + " " + name}
			}
		}
	}
	return nil
}

// twoWords finds two-word verbs that resemble the first two words, such as "etcd helath".
func twoWords(g *command.Grammar, w []words.Token) []string {
	if len(w) < 2 {
		return nil
	}
	double := slices.DeleteFunc(slices.Clone(g.Commands()), func(c command.Command) bool { return !strings.Contains(c.Verb, "-") })
	return misspelt(double, words.Joined(w), w[2:])
}

// clusterFirst finds a cluster before the verb: "prod status".
func clusterFirst(g *command.Grammar, w []words.Token) []string {
	if !g.KnowsCluster(strings.TrimRight(w[0].Name(), words.Punctuation)) {
		return nil
	}
	verb, rest := "status", ""
	if len(w) > 1 {
		if c, ok := g.Named(w[1].Key); ok && c.Object.InCluster() && !c.Class.Changing() {
			verb, rest = c.Verb, words.Tail(w[2:])
		}
	}
	return []string{strings.TrimSpace(verb+" "+rest) + " in " + strings.ToLower(strings.TrimRight(w[0].Name(), words.Punctuation))}
}

// reversed finds a name before the verb: "db_dis status".
func reversed(g *command.Grammar, w []words.Token) []string {
	if len(w) < 2 || !g.Knows(w[0].Name()) {
		return nil
	}
	rest := strings.TrimSpace(w[0].Name() + " " + words.Tail(w[2:]))
	if c, ok := g.Named(w[1].Key); ok {
		return []string{c.Verb + " " + rest}
	}
	if w[1].IsState() {
		return nil // in "dis down?", "down" is not a typo for "own"
	}
	return misspelt(g.Commands(), w[1].Key, w[:1])
}

// nameFirst takes a name in the place of a verb as a request for its status: "dis", "dis?", "dis
// down?".
func nameFirst(g *command.Grammar, w []words.Token) []string {
	name := strings.TrimRight(w[0].Raw, words.Punctuation)
	if !g.Knows(name) {
		return nil
	}
	return []string{"status " + name}
}

// sentence finds a read or a name later in the text: "kick db_dis". It offers only reads,
// since a sentence may only mention a restart.
func sentence(g *command.Grammar, w []words.Token) []string {
	for i := 1; i < len(w); i++ {
		if c, ok := g.Named(w[i].Key); ok && !c.Class.Changing() && len(w[i].Key) > 2 && c.Object != command.RunNamed {
			return []string{strings.TrimSpace(c.Verb + " " + words.Tail(w[i+1:]))}
		}
	}
	return StatusOfName(g, w)
}

// StatusOfName returns the command that shows the status of the first known name.
func StatusOfName(g *command.Grammar, w []words.Token) []string {
	for _, t := range w {
		if name := strings.TrimRight(t.Name(), words.Punctuation); g.Knows(name) {
			return []string{"status " + name}
		}
	}
	return nil
}

// nearName takes a misspelt name without a verb as a request for the status of a similar name.
func nearName(g *command.Grammar, w []words.Token) []string {
	if len(w) > 1 {
		return nil
	}
	var out []string
	for _, n := range append(g.ProcessesLike(w[0].Key), suggest.Near(w[0].Key, g.HostNames())...) {
		out = append(out, "status "+n)
	}
	return out
}

// misspeltVerb returns the verbs nearest to the first word.
func misspeltVerb(g *command.Grammar, w []words.Token) []string {
	return misspelt(g.Commands(), strings.ReplaceAll(w[0].Key, "_", "-"), w[1:])
}

// misspelt returns the verbs nearest to a word. It prefers a read to an equally near
// change. It offers an irreversible verb only for one typo in a long word.
func misspelt(table []command.Command, typed string, rest []words.Token) []string {
	type candidate struct {
		verb           string
		changes        bool
		distance, more int
	}
	var found []candidate
	_, aboutRun := words.RunAt(rest)
	for _, c := range table {
		if c.Object == command.RunNamed && aboutRun == 0 && (c.Class.Changing() || len(rest) > 0) {
			continue
		}
		for _, w := range append([]string{c.Verb}, c.Aliases...) {
			d, ok := typos.Count(typed, w)
			opposite := typed == "un"+w
			if !ok || opposite || c.Class.Changing() && typos.Inflected(typed, w) ||
				c.Class == runbooks.Destructive && (d > 1 || len(typed) < 6) {
				continue
			}
			found = append(found, candidate{c.Verb, c.Class.Changing(), d, max(len(w)-len(typed), len(typed)-len(w))})
		}
	}
	sort.SliceStable(found, func(i, j int) bool {
		a, b := found[i], found[j]
		if a.distance != b.distance {
			return a.distance < b.distance
		}
		if a.changes != b.changes {
			return !a.changes
		}
		return a.more < b.more
	})
	var out []string
	for _, f := range found {
		if f.distance > found[0].distance || f.changes != found[0].changes {
			break
		}
		if text := strings.TrimSpace(f.verb + " " + words.Tail(rest)); !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// aboutRunID returns the command that shows a run if the text has the run's id: "retry R-7F3K".
func aboutRunID(_ *command.Grammar, w []words.Token) []string {
	for i := range w {
		if id, took := words.RunAt(w[i:]); took > 0 {
			return []string{"show " + id}
		}
	}
	return nil
}

// aboutState takes a question without a name as a question about the cluster: "hosts down?".
func aboutState(_ *command.Grammar, w []words.Token) []string {
	if slices.ContainsFunc(w, func(t words.Token) bool { return t.IsState() }) {
		return []string{"status"}
	}
	return nil
}

// openRuns takes a misspelt vote without a run id, such as "aprove it", as a request for the open
// runs. It casts no vote.
func openRuns(g *command.Grammar, w []words.Token) []string {
	about := slices.DeleteFunc(slices.Clone(g.Commands()), func(c command.Command) bool {
		return c.Verb != "approve" && c.Verb != "deny" && c.Verb != "cancel"
	})
	for _, c := range about {
		if d, ok := typos.Count(w[0].Key, c.Verb); ok && d <= 1 && len(w) <= 2 && len(w[0].Key) > 4 {
			return []string{c.Verb}
		}
	}
	return nil
}
