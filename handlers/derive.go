package handlers

import (
	"slices"
	"strings"

	"dhbot/runbooks"
)

// commands is the whole command table: the verbs of Commands, and one for
// every other action of the catalogs, so that what a site adds can be asked
// for like anything else. A Service keeps it, since every message needs it.
func (s *Grammar) commands() []Command {
	if s.table != nil {
		return s.table
	}
	all := Commands()
	seen := map[string]bool{}
	for _, c := range all {
		seen[c.Verb] = true
	}
	for _, cat := range s.Catalogs {
		for _, a := range cat.Actions() {
			if !seen[a.Name] {
				seen[a.Name] = true
				all = append(all, s.derived(cat, a))
			}
		}
	}
	return all
}

// otherWords are how people call some actions of the catalogs.
var otherWords = map[string][]string{"logs": {"log"}, "verify": {"verify-installation"}}

// derived is the command of an action.
func (s *Grammar) derived(cat *runbooks.Catalog, a *runbooks.Action) Command {
	c := Command{Verb: a.Name, Action: a.Name, Class: a.Class, Summary: a.Title, Params: a.Params, Aliases: otherWords[a.Name], do: (*Service).request}
	if !a.Class.Changing() {
		c.do = (*Service).readOutput
	}
	usage, example := []string{a.Name}, []string{a.Name}
	switch {
	case a.Scope == runbooks.AboutHost:
		c.Object = HostNamed
		usage, example = append(usage, "HOST"), append(example, s.exampleHost(cat))
	case a.Scope == runbooks.AboutCluster:
		c.Object = ClusterMeant
	case len(a.Processes) == 1 && len(a.Managers) == 0:
		c.Object, c.Process = ProcessImplied, a.Processes[0]
		usage = append(usage, "[on HOST]")
	default:
		c.Object = ProcessNamed
		usage, example = append(usage, "PROCESS", "[on HOST]"), append(example, exampleProcess(cat, a))
	}
	for _, p := range a.Params {
		word := p.Name + "=" + strings.ToUpper(p.Name)
		if p.Optional || p.Default != "" {
			word = "[" + word + "]"
		} else {
			example = append(example, p.Name+"="+p.Example())
		}
		usage = append(usage, word)
	}
	if a.Class.Changing() {
		usage = append(usage, "[reason …]")
	}
	c.Usage, c.Example = strings.Join(usage, " "), strings.Join(example, " ")
	return c
}

// exampleHost is a host of a cluster that the catalog is for.
func (s *Grammar) exampleHost(cat *runbooks.Catalog) string {
	for _, cl := range s.Fleet.Clusters {
		if cl.Catalog == cat.Name && len(cl.Hosts) > 0 {
			return cl.Hosts[0].Name
		}
	}
	return "HOST"
}

// exampleProcess is db_dis, or the first process that the action is for.
func exampleProcess(cat *runbooks.Catalog, a *runbooks.Action) string {
	first := "PROCESS"
	for _, p := range cat.Processes() {
		switch {
		case !slices.Contains(p.Actions, a.Name):
		case p.ID == "db_dis":
			return p.ID
		case first == "PROCESS":
			first = p.ID
		}
	}
	return first
}
