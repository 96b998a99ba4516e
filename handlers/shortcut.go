package handlers

import (
	"context"
	"slices"
	"strings"

	"dhbot/internal/card"
)

// ask is a shortcut of the platform. Used, it opens a window to type a command
// into; what is typed there goes the one way of all that is typed.
func (s *Service) ask(ctx context.Context, m Message, reply Reply) (settled bool, err error) {
	if m.Via == Form {
		m.Via, m.Text, m.Tap = Shortcut, m.Tap.Fields["text"], Tap{}
		c, err := s.command(ctx, m, reply)
		return c != nil && c.settled, err
	}
	if _, err := s.identify(ctx, m.Account, recent); err != nil {
		return false, err
	}
	return false, reply.Ask(ctx, card.AskCommand(s.prefill(m.Channel, m.Tap.Fields[card.FieldMessage])))
}

// longestPrefill is how long a message may be that is taken for a command.
const longestPrefill = 200

// prefill is what somebody probably wants who points at a message: the command
// that it is, or how the run or the process is that it names. "" where it names
// none that is known.
func (s *Grammar) prefill(channel, text string) string {
	text = strings.TrimSpace(text)
	if len(text) <= longestPrefill && !strings.Contains(text, "\n") {
		c, err := s.parse(Message{Text: text, Channel: channel})
		if err == nil && (c.process != nil || c.host != nil || c.run != "") {
			return text
		}
	}
	w := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\n()[]<>|,;:\"'`*“”‘’", r) })
	process, host := "", ""
	for _, typed := range w {
		typed = strings.Trim(typed, ".!?…")
		if m := runID.FindStringSubmatch(typed); m != nil && strings.HasPrefix(strings.ToUpper(typed), "R-") {
			return "show R-" + strings.ToUpper(m[1])
		}
		if process == "" {
			process = s.processCalled(typed)
		}
		if host == "" {
			host = s.hostCalled(typed)
		}
	}
	switch {
	case process != "" && host != "" && s.runsOn(process, host):
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
func (s *Grammar) processCalled(typed string) string {
	for i := range s.Fleet.Clusters {
		for _, h := range s.Fleet.Clusters[i].Hosts {
			for _, p := range h.Processes {
				if strings.EqualFold(p, typed) {
					return p
				}
			}
		}
	}
	return ""
}

func (s *Grammar) hostCalled(typed string) string {
	for _, h := range s.hostNames() {
		if strings.EqualFold(h, typed) {
			return h
		}
	}
	return ""
}

// runsOn says that a process runs on a host of any cluster.
func (s *Grammar) runsOn(process, host string) bool {
	for i := range s.Fleet.Clusters {
		for _, h := range s.Fleet.Clusters[i].Hosts {
			if h.Name == host && slices.Contains(h.Processes, process) {
				return true
			}
		}
	}
	return false
}
