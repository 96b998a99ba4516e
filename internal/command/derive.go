package command

import (
	"slices"
	"strings"

	"dhbot/internal/fleet"
	"dhbot/runbooks/catalogs"
)

// Grammar holds the names that commands can use.
type Grammar struct {
	Catalogs catalogs.Set
	Fleet    *fleet.Fleet
	Channels map[string]string // channel id → cluster name
	People   map[string]string // account id → name, for mentions in a reason

	table []Command // the command table, after Keep
}

// Keep caches the command table. Call it on a Grammar that parses many messages.
func (g *Grammar) Keep() {
	g.table = nil
	g.table = g.Commands()
}

// Within returns the grammar limited to the clusters that a person may see.
func (g *Grammar) Within(sees func(cluster string) bool) *Grammar {
	view := &Grammar{Fleet: &fleet.Fleet{}, Channels: g.Channels, People: g.People}
	used := map[string]bool{}
	for _, c := range g.Fleet.Clusters {
		if sees(c.Name) {
			view.Fleet.Clusters = append(view.Fleet.Clusters, c)
			used[c.Catalog] = true
		}
	}
	for _, cat := range g.Catalogs {
		if used[cat.Name] {
			view.Catalogs = append(view.Catalogs, cat)
		}
	}
	view.Keep()
	return view
}

// Commands returns the rows of Table, and a row for every other action of the catalogs.
func (g *Grammar) Commands() []Command {
	if g.table != nil {
		return g.table
	}
	all := Table()
	seen := map[string]bool{}
	for _, c := range all {
		seen[c.Verb] = true
	}
	for _, cat := range g.Catalogs {
		for _, a := range cat.Actions() {
			if !seen[a.Name] {
				seen[a.Name] = true
				all = append(all, g.derived(cat, a))
			}
		}
	}
	return all
}

// otherWords are aliases of catalog actions.
var otherWords = map[string][]string{"logs": {"log"}}

// derived makes the command that runs an action.
func (g *Grammar) derived(cat *catalogs.Catalog, a *catalogs.Action) Command {
	c := Command{
		Verb: a.Name, Action: a.Name, Class: a.Class, Summary: a.Title, Params: a.Params,
		Aliases: otherWords[a.Name], FromCatalog: true,
	}
	usage, example := []string{a.Name}, []string{a.Name}
	switch {
	case a.Scope == catalogs.AboutHost:
		c.Object = HostNamed
		usage, example = append(usage, "HOST"), append(example, g.exampleHost(cat))
	case a.Scope == catalogs.AboutCluster:
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
		usage = append(usage, "[because REASON]")
	}
	c.Usage, c.Example = strings.Join(usage, " "), strings.Join(example, " ")
	return c
}

// exampleHost returns a host of a cluster that uses the catalog.
func (g *Grammar) exampleHost(cat *catalogs.Catalog) string {
	for _, cl := range g.Fleet.Clusters {
		if cl.Catalog == cat.Name && len(cl.Hosts) > 0 {
			return cl.Hosts[0].Name
		}
	}
	return "HOST"
}

// exampleProcess returns a process that the action applies to: db_dis if possible, or else the
// first.
func exampleProcess(cat *catalogs.Catalog, a *catalogs.Action) string {
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
