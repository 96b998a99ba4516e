package guess

import (
	"slices"
	"strings"

	"dhbot/internal/command"
	"dhbot/internal/command/words"
)

// Mentioned returns the command that shows the first run, process or host named exactly
// in a text, or "".
func Mentioned(g *command.Grammar, text string) string {
	process, host := "", ""
	for _, typed := range strings.FieldsFunc(
		text, func(r rune) bool { return strings.ContainsRune(" \t\n()[]<>|,;:\"'`*“”‘’", r) },
	) {
		typed = strings.Trim(typed, ".!?…")
		if id, ok := words.RunID(typed); ok && strings.HasPrefix(strings.ToUpper(typed), "R-") {
			return "show " + id
		}
		if process == "" {
			process = processCalled(g, typed)
		}
		if host == "" && g.KnowsHost(typed) {
			host = strings.ToLower(typed)
		}
	}
	switch {
	case process != "" && host != "" && runsOn(g, process, host):
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
func processCalled(g *command.Grammar, typed string) string {
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
func runsOn(g *command.Grammar, process, host string) bool {
	for _, cl := range g.Fleet.Clusters {
		for _, h := range cl.Hosts {
			if h.Name == host && slices.Contains(h.Processes, process) {
				return true
			}
		}
	}
	return false
}
