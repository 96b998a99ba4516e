package complete

import (
	"slices"

	"dhbot/internal/command"
	"dhbot/internal/command/parser"
	"dhbot/internal/command/words"
)

// Next returns the words that may follow the complete words before the cursor, each
// with a note ("" for none). The shell filters them by the word that is being
// typed.
func Next(g *command.Grammar, before []string) [][2]string {
	if len(before) == 0 {
		var out [][2]string
		for _, c := range g.Commands() {
			out = append(out, [2]string{c.Verb, c.Summary})
		}
		return out
	}
	w := make([]words.Token, len(before))
	for i, s := range before {
		w[i] = words.Token{Raw: s, Key: words.Key(s)}
	}
	cmd, rest, err := parser.Verb(g, w)
	if err != nil {
		return nil
	}
	if n := len(rest); n > 0 {
		switch rest[n-1].Key {
		case "on":
			return plainWords(g.HostNames())
		case "in":
			return plainWords(g.ClusterNames())
		}
	}
	return afterVerb(g, cmd, before, rest)
}

// afterVerb returns the words that may come after a verb and the words that already follow it.
func afterVerb(g *command.Grammar, cmd command.Command, before []string, rest []words.Token) [][2]string {
	switch {
	case cmd.Object == command.CommandNamed:
		return Next(g, before[len(before)-len(rest):])
	case cmd.Object == command.Topic && len(rest) == 0:
		return append(Next(g, nil), targets(g, command.Command{Object: command.ProcessNamed})...)
	case cmd.Object == command.TrailPart:
		return append(targets(g, command.Command{Object: command.ProcessNamed}), [2]string{"since=", "how far back: 2h"})
	case cmd.Object == command.Nothing, cmd.Object == command.RunNamed, cmd.Object == command.IncidentNamed, cmd.Object == command.Topic:
		return nil
	case len(rest) == 0 && cmd.Object != command.ProcessImplied && cmd.Object != command.ClusterMeant:
		return targets(g, cmd)
	default:
		return options(g, cmd)
	}
}

// targets returns the processes and hosts of all clusters that a verb accepts as its target.
func targets(g *command.Grammar, cmd command.Command) [][2]string {
	var out [][2]string
	add := func(name, note string) {
		if !slices.ContainsFunc(out, func(o [2]string) bool { return o[0] == name }) {
			out = append(out, [2]string{name, note})
		}
	}
	for i := range g.Fleet.Clusters {
		cl := &g.Fleet.Clusters[i]
		cat, ok := g.Catalogs.Get(cl.Catalog)
		if !ok {
			continue
		}
		if cmd.Object != command.HostNamed {
			for _, p := range cat.Processes() {
				if len(cl.HostsOf(p.ID)) > 0 && (cmd.Action == "" || slices.Contains(p.Actions, cmd.Action)) {
					add(p.ID, p.Title)
				}
			}
		}
		if cmd.Object == command.HostNamed || cmd.Object == command.AnyTarget {
			for _, h := range cl.HostNames() {
				add(h, "host of "+cl.Name)
			}
		}
	}
	return out
}

// options returns the words that may follow a target.
func options(g *command.Grammar, cmd command.Command) [][2]string {
	out := [][2]string{{"on", "one host of several"}, {"in", "a cluster"}}
	if cmd.Class.Changing() {
		out = append(out, [2]string{"because", "the reason, to the end of the line"})
	}
	for i := range g.Fleet.Clusters {
		cat, ok := g.Catalogs.Get(g.Fleet.Clusters[i].Catalog)
		if !ok {
			continue
		}
		for _, a := range cat.Actions() {
			if a.Name != cmd.Action {
				continue
			}
			for _, p := range a.Params {
				if word := [2]string{p.Name + "=", ""}; !slices.Contains(out, word) {
					out = append(out, word)
				}
			}
		}
	}
	return out
}

func plainWords(names []string) [][2]string {
	out := make([][2]string, len(names))
	for i, n := range names {
		out[i] = [2]string{n, ""}
	}
	return out
}
