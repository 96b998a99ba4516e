package parser

import (
	"path"
	"slices"
	"strings"

	"dhbot/internal/command"
	"dhbot/internal/command/words"
	"dhbot/internal/fleet"
	"dhbot/runbooks/catalogs"
)

// takePattern reads a name with a wildcard, such as `query-*`. Only the verb status accepts one.
func (l *looking) takePattern(t words.Token) bool {
	pattern := strings.ToLower(strings.Trim(t.Raw, ",.:;!?"))
	if l.cmd.Verb != "status" || !strings.Contains(pattern, "*") || strings.Trim(pattern, "*") == "" {
		return false
	}
	l.patterns = append(l.patterns, pattern)
	return true
}

// expand adds the hosts of a cluster that match a pattern. If no host matches, it adds the
// processes that match.
func (l *looking) expand(pattern string, cat *catalogs.Catalog, cl *fleet.Cluster) error {
	var hosts, processes []string
	for i := range cl.Hosts {
		h := &cl.Hosts[i]
		if matches(pattern, h.Name) {
			hosts = append(hosts, h.Name)
		}
		for _, id := range h.Processes {
			p := cat.Find(id).Process
			if p != nil && matchesAny(pattern, append([]string{p.ID}, p.Aliases...)) && !slices.Contains(processes, id) {
				processes = append(processes, id)
			}
		}
	}
	switch {
	case len(hosts) > 0:
		l.hosts = append(l.hosts, hosts...)
	case len(processes) > 0:
		l.processes = append(l.processes, processes...)
	default:
		q := command.Questionf(command.UnknownName, "No host or process of %s matches %s.", cl.Name, words.Shown(pattern))
		l.suggest(q, l.cmd.Verb+" "+cl.Name)
		return q
	}
	return nil
}

// starOnly escapes every wildcard except "*".
var starOnly = strings.NewReplacer(`\`, `\\`, `[`, `\[`, `?`, `\?`)

// matches reports whether a name matches a pattern, in which "*" is any string.
func matches(pattern, name string) bool {
	ok, err := path.Match(starOnly.Replace(pattern), strings.ToLower(name))
	return ok && err == nil
}

func matchesAny(pattern string, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return matches(pattern, name) })
}
