package command

import (
	"slices"
	"strings"

	"dhbot/internal/fleet"
)

// Words are the words of a text as the grammar reads them.
func Words(text string) []string {
	var out []string
	for _, t := range tokens(normalise(text, nil)) {
		out = append(out, t.raw)
	}
	return out
}

// Word is the form in which words and names are compared.
func Word(s string) string { return strings.Trim(word(s), "_") }

// Shown is something a person typed, made short and quoted for an answer.
func Shown(s string) string { return shown(s) }

// RunID reads a word as a run's id.
func RunID(s string) (id string, ok bool) {
	if m := runID.FindStringSubmatch(strings.Trim(s, "`*_.,;:#()")); m != nil {
		return "R-" + strings.ToUpper(m[1]), true
	}
	return "", false
}

// Bind binds a request to a cluster and its catalog.
func (g *Grammar) Bind(r *Request, cl *fleet.Cluster) error { return g.setCluster(r, cl) }

// ProcessMeant is the process that a spelling means in any cluster.
func (g *Grammar) ProcessMeant(spelling string) (id string, ok bool) {
	for i := range g.Fleet.Clusters {
		if p := g.find(&g.Fleet.Clusters[i], spelling).Process; p != nil {
			return p.ID, true
		}
	}
	return "", false
}

// KnowsPlace says that a word is the name of a host or a cluster.
func (g *Grammar) KnowsPlace(name string) bool { return g.knowsHost(name) || g.knowsCluster(name) }

// ClusterNames are the names of the clusters.
func (g *Grammar) ClusterNames() []string { return g.clusters() }

// KnowsCluster says that a word is a cluster's name.
func (g *Grammar) KnowsCluster(name string) bool { return g.knowsCluster(name) }

// ProcessesLike are the processes that a spelling is or resembles.
func (g *Grammar) ProcessesLike(spelling string) []string { return g.processesLike(spelling) }

// Choose makes the choices of some commands, as a Question has them: the ones that
// are understood.
func (g *Grammar) Choose(channel string, texts ...string) []Choice {
	q := &Question{}
	(&reading{g: g, in: Input{Channel: channel}}).suggest(q, texts...)
	return q.Choices
}

// Named is the row of a verb or alias.
func (g *Grammar) Named(verb string) (Command, bool) { return named(g.Commands(), verb) }

// longestPrefill is how long a message may be that is taken for a command.
const longestPrefill = 200

// Prefill is the likely command of a person who points at a message: the read that
// it is, the plan of the change that it is, or how the run or the process is that
// it names; "" where it names none that is known. The message is another person's
// text, out of which no change is taken.
func (g *Grammar) Prefill(channel, text string) string {
	text = strings.TrimSpace(text)
	if len(text) <= longestPrefill && !strings.Contains(text, "\n") {
		r, err := g.Parse(Input{Text: text, Channel: channel})
		if err == nil && r.Changing() && r.Command.Action != "" {
			return "plan " + r.Text()
		}
		if err == nil && (r.Process != nil || len(r.Hosts) > 0 || r.Run != "") && !r.Changing() {
			return r.Text()
		}
	}
	return g.mentioned(text)
}

// mentioned is how the first run, process or host is that a text names exactly.
func (g *Grammar) mentioned(text string) string {
	process, host := "", ""
	for _, typed := range strings.FieldsFunc(
		text, func(r rune) bool { return strings.ContainsRune(" \t\n()[]<>|,;:\"'`*“”‘’", r) },
	) {
		typed = strings.Trim(typed, ".!?…")
		if id, ok := RunID(typed); ok && strings.HasPrefix(strings.ToUpper(typed), "R-") {
			return "show " + id
		}
		if process == "" {
			process = g.processCalled(typed)
		}
		if host == "" && g.knowsHost(typed) {
			host = strings.ToLower(typed)
		}
	}
	switch {
	case process != "" && host != "" && g.runsOn(process, host):
		return "status " + process + " on " + host
	case process != "":
		return "status " + process
	case host != "":
		return "status " + host
	default:
		return ""
	}
}

// processCalled is the process that a word is exactly the name of, by which it
// runs somewhere. Prose has too many words for anything less exact.
func (g *Grammar) processCalled(typed string) string {
	for _, cl := range g.Fleet.Clusters {
		for _, h := range cl.Hosts {
			for _, p := range h.Processes {
				if strings.EqualFold(p, typed) {
					return p
				}
			}
		}
	}
	return ""
}

// runsOn says that a process runs on a host of any cluster.
func (g *Grammar) runsOn(process, host string) bool {
	for _, cl := range g.Fleet.Clusters {
		for _, h := range cl.Hosts {
			if h.Name == host && slices.Contains(h.Processes, process) {
				return true
			}
		}
	}
	return false
}
