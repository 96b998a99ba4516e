package command

import (
	"slices"
	"strings"

	"dhbot/internal/command/words"
	"dhbot/internal/fleet"
)

// Bind binds a request to a cluster and its catalog.
func (g *Grammar) Bind(r *Request, cl *fleet.Cluster) error { return g.setCluster(r, cl) }

// ProcessMeant returns the process that a spelling names in any cluster.
func (g *Grammar) ProcessMeant(spelling string) (id string, ok bool) {
	for i := range g.Fleet.Clusters {
		if p := g.find(&g.Fleet.Clusters[i], spelling).Process; p != nil {
			return p.ID, true
		}
	}
	return "", false
}

// KnowsPlace reports whether a word is the name of a host or cluster.
func (g *Grammar) KnowsPlace(name string) bool { return g.knowsHost(name) || g.knowsCluster(name) }

// ClusterNames returns the names of the clusters.
func (g *Grammar) ClusterNames() []string { return g.clusters() }

// KnowsCluster reports whether a word is a cluster's name.
func (g *Grammar) KnowsCluster(name string) bool { return g.knowsCluster(name) }

// ProcessesLike returns the processes that a spelling names or resembles.
func (g *Grammar) ProcessesLike(spelling string) []string { return g.processesLike(spelling) }

// Choose returns the choices for the commands that are understood.
func (g *Grammar) Choose(channel string, texts ...string) []Choice {
	q := &Question{}
	(&reading{g: g, in: Input{Channel: channel}}).suggest(q, texts...)
	return q.Choices
}

// Named returns the row of a verb or alias.
func (g *Grammar) Named(verb string) (Command, bool) { return named(g.Commands(), verb) }

// longestPrefill is the maximum length, in bytes, of a message that is read as a command.
const longestPrefill = 200

// Prefill returns the likely command for a message of another person: a read as it is, the
// plan of a change, or the details or status of the named run or process; "" if none is
// known. It never returns a change.
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

// mentioned returns the command that shows the first run, process or host named exactly
// in a text, or "".
func (g *Grammar) mentioned(text string) string {
	process, host := "", ""
	for _, typed := range strings.FieldsFunc(
		text, func(r rune) bool { return strings.ContainsRune(" \t\n()[]<>|,;:\"'`*“”‘’", r) },
	) {
		typed = strings.Trim(typed, ".!?…")
		if id, ok := words.RunID(typed); ok && strings.HasPrefix(strings.ToUpper(typed), "R-") {
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

// processCalled returns the process with exactly this name if it runs on a host. Prose has
// too many words for a looser match.
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

// runsOn reports whether a process runs on a host of any cluster.
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
