package command

import (
	"slices"
	"strings"

	"dhbot/internal/command/words"
)

// longestPrefill is the maximum length, in bytes, of a message that is read as a command.
const longestPrefill = 200

// Prefill returns the likely command for a message of another person: a read as it is, the
// plan of a change, or the details or status of the named run or process; "" if none is
// known. It never returns a change.
func Prefill(g *Grammar, channel, text string) string {
	text = strings.TrimSpace(text)
	if len(text) <= longestPrefill && !strings.Contains(text, "\n") {
		r, err := Parse(g, Input{Text: text, Channel: channel})
		if err == nil && r.Changing() && r.Command.Action != "" {
			return "plan " + r.Text()
		}
		if err == nil && (r.Process != nil || len(r.Hosts) > 0 || r.Run != "") && !r.Changing() {
			return r.Text()
		}
	}
	return mentioned(g, text)
}

// mentioned returns the command that shows the first run, process or host named exactly
// in a text, or "".
func mentioned(g *Grammar, text string) string {
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
func processCalled(g *Grammar, typed string) string {
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
func runsOn(g *Grammar, process, host string) bool {
	for _, cl := range g.Fleet.Clusters {
		for _, h := range cl.Hosts {
			if h.Name == host && slices.Contains(h.Processes, process) {
				return true
			}
		}
	}
	return false
}
