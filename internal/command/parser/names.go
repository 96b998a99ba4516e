package parser

import (
	"slices"
	"strings"

	"dhbot/internal/command"
	"dhbot/internal/command/words"
	"dhbot/internal/fleet"
)

// spelled is a name at the front of the unread words, as typed.
type spelled struct {
	names []string // several if joined without spaces: "ltds,merge"
	host  string   // "tailer1@query-1"
	took  int      // number of words
	comma bool     // a comma follows
	colon bool
}

// nameKinds are generic words that may follow the name of a process: "dis service".
var nameKinds = []string{"server", "service", "process", "processes", "services"}

// articles are words allowed before a name.
var articles = []string{"the", "process", "service"}

func withoutArticles(w []words.Token) []words.Token {
	for len(w) > 1 && slices.Contains(articles, w[0].Key) {
		w = w[1:]
	}
	return w
}

// joinersWithin are the signs that join names without a space.
const joinersWithin = ",&/+"

// processAt reads a process at the front of the words, or several processes joined by signs. The
// result ok is false if the first word is not a process.
func (r *reading) processAt(w []words.Token) (s spelled, ok bool) {
	if len(w) == 0 {
		return s, false
	}
	raw := w[0].Raw
	s.comma, s.colon = strings.HasSuffix(raw, ","), strings.HasSuffix(raw, ":")
	first := w[0].Name()
	s.took = 1
	if name, at, found := strings.Cut(first, "@"); found && r.g.KnowsProcess(name) && r.g.KnowsHost(at) {
		s.names, s.host = []string{name}, strings.ToLower(at)
		return s, true
	}
	parts := strings.FieldsFunc(first, func(r rune) bool { return strings.ContainsRune(joinersWithin, r) })
	if len(parts) > 1 && !slices.ContainsFunc(parts, func(p string) bool { return !r.g.KnowsProcess(p) }) {
		s.names = parts
		return s, true
	}
	if !r.g.KnowsProcess(first) {
		return s, false
	}
	s.names = []string{first}
	if !s.comma && !s.colon {
		s.takeRest(r.g, w)
	}
	return s, true
}

// takeRest reads the words that belong to the preceding name: "auth server", "tailer 1",
// "dis service".
func (s *spelled) takeRest(g *command.Grammar, w []words.Token) {
	if len(w) < 2 {
		return
	}
	next := w[1].Name()
	longer := g.SameProcess(s.names[0], s.names[0]+"_"+next) || g.SameProcess(s.names[0], s.names[0]+next)
	if longer || slices.Contains(nameKinds, w[1].Key) {
		s.took = 2
		s.comma, s.colon = strings.HasSuffix(w[1].Raw, ","), strings.HasSuffix(w[1].Raw, ":")
	}
}

// splitName returns the process whose name was typed with a space ("db dis"), and the number of
// words. The name is "" if there is no such process.
func (r *reading) splitName(w []words.Token) (name string, took int) {
	for n := min(3, len(w)); n > 1; n-- {
		parts := make([]string, n)
		for i := range parts {
			parts[i] = w[i].Name()
		}
		for _, sep := range []string{"_", ""} {
			if joined := strings.Join(parts, sep); r.g.KnowsProcess(joined) {
				return joined, n
			}
		}
	}
	return "", 0
}

// splitHost returns the host whose name was typed as two words, "query 1", or "".
func (r *reading) splitHost(w []words.Token) string {
	if len(w) < 2 {
		return ""
	}
	if host := w[0].Key + "-" + strings.ToLower(w[1].Name()); r.g.KnowsHost(host) {
		return host
	}
	return ""
}

// clusterOf returns the named cluster, or else the channel's cluster, or else the only cluster, or
// else the only cluster that has all the names. Otherwise it returns a Question with clusters as
// choices. If the fleet lacks the named cluster or the channel's cluster, the Question has no
// choices.
func (r *reading) clusterOf(cmd command.Command, in string, processes, hosts []string) (*fleet.Cluster, error) {
	g := r.g
	if in == "" {
		in = g.Channels[r.in.Channel]
	}
	if cl, ok := g.Fleet.Cluster(in); ok {
		return cl, nil
	}
	if in != "" {
		return nil, &command.Question{Code: command.HiddenCluster, Text: "Not allowed: names in this channel refer to a cluster that you may not read. Ask in another channel, or add `in CLUSTER`."}
	}
	if len(g.Fleet.Clusters) == 1 {
		return &g.Fleet.Clusters[0], nil
	}
	var fits []*fleet.Cluster
	for i := range g.Fleet.Clusters {
		if cl := &g.Fleet.Clusters[i]; g.Has(cl, processes, hosts) {
			fits = append(fits, cl)
		}
	}
	if len(fits) == 1 && len(processes)+len(hosts) > 0 {
		return fits[0], nil
	}
	if len(fits) == 0 {
		for i := range g.Fleet.Clusters {
			fits = append(fits, &g.Fleet.Clusters[i])
		}
	}
	q := &command.Question{Code: command.WhichCluster, Text: "Which cluster? Add `in CLUSTER`."}
	for _, cl := range fits {
		w := []string{cmd.Verb, strings.Join(processes, ", ")}
		if len(hosts) > 0 {
			w = append(w, "on", words.And(hosts))
		}
		r.suggest(q, strings.Join(append(w, "in", cl.Name), " "))
	}
	return nil, q
}
