package handlers

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"dhbot/internal/fleet"
	"dhbot/runbooks"
)

// call is a message understood: which command, of what, where, and why.
type call struct {
	Message
	cmd     Command
	cluster *fleet.Cluster
	catalog *runbooks.Catalog
	process *runbooks.Process // nil where the target is a host or everything
	host    *fleet.Host       // nil where no host was named
	run     string            // RunNamed
	topic   string            // Topic: what was typed
	params  map[string]string
	rest    string // what is left: the reason
	again   bool   // repeats on purpose what ended well a moment ago
	anyway  bool   // starts a process though what it needs was seen to be out
	digest  string // of the plan that a tap was made on
	page    int    // of details, from 0

	reply     Reply
	who       person
	asked     string // the run that was asked for, now or a moment ago
	askedBack bool   // answered with a question: nothing was done
	// settled says that the claim of the delivery was settled together with
	// what was done for it.
	settled bool
}

// Grammar is what it takes to understand a command: the names there are.
type Grammar struct {
	Catalogs runbooks.Catalogs
	Fleet    *fleet.Fleet
	Channels map[string]string // channel id → cluster name

	table []Command // of commands, where it was kept
}

// Misunderstood is a message that could not be turned into a command. Its
// text is for the person who typed it; nothing was run.
type Misunderstood struct {
	Text    string
	Suggest []string // whole commands to type instead
}

func (m *Misunderstood) Error() string { return m.Text }

var (
	runID    = regexp.MustCompile(`(?i)^R[-_]?([0-9A-Z]{4,8})$`)
	bareID   = regexp.MustCompile(`(?i)^[0-9A-Z]{4}$`)
	keyValue = regexp.MustCompile(`^(?:--)?([a-z][a-z_-]*)=(.+)$`)
)

// parse turns text into a call. A name counts only when it is, letter for
// letter or by alias, one that catalog or fleet knows; everything else is
// answered with the nearest names.
func (s *Grammar) parse(m Message) (*call, error) {
	c, err := s.parseOnce(m)
	var mis *Misunderstood
	if errors.As(err, &mis) {
		return nil, s.refined(m, mis)
	}
	return c, err
}

func (s *Grammar) parseOnce(m Message) (*call, error) {
	c := &call{Message: m, params: map[string]string{}}
	w := addressed(words(normalise(m.Text)))
	if len(w) == 0 {
		w = []string{"help"}
	}
	cmd, w, err := s.verb(m, w)
	if err != nil {
		return nil, err
	}
	if len(w) == 0 {
		cmd = cmd.byItself()
	}
	c.cmd = cmd
	switch cmd.Object {
	case Nothing:
		return c, s.noTarget(c, w)
	case Topic, TrailPart:
		c.topic = strings.Join(w, " ")
		return c, s.noTarget(c, nil)
	case RunNamed:
		return c, s.runTarget(c, w)
	case AnyTarget, ProcessNamed, ProcessImplied, HostNamed, ClusterMeant:
		return c, s.target(c, w)
	default:
		return nil, fmt.Errorf("command table: %s has no known object", cmd.Verb)
	}
}

// verb reads the command at the front of the words: `restart`, or in two words
// `etcd status` for etcd-status. It returns the words after it.
func (s *Grammar) verb(m Message, w []string) (Command, []string, error) {
	table := s.commands()
	if len(w) > 1 {
		if c, ok := named(table, joined(w)); ok {
			return c, w[2:], nil
		}
	}
	v := strings.ReplaceAll(word(w[0]), "_", "-")
	if v == "" {
		v = w[0] // "?" is nothing but a mark
	}
	if c, ok := named(table, v); ok {
		return c, w[1:], nil
	}
	return Command{}, nil, s.nearVerb(m, table, w)
}

// joined are the first two words as one verb: "etcd status" is etcd-status, and
// "restart everything" is restart-all.
func joined(w []string) string {
	second := word(w[1])
	if second == "everything" {
		second = "all"
	}
	return word(w[0]) + "-" + second
}

// named finds the row of a verb or alias.
func named(table []Command, verb string) (Command, bool) {
	for _, c := range table {
		if c.Verb == verb || slices.Contains(c.Aliases, verb) {
			return c, true
		}
	}
	return Command{}, false
}
