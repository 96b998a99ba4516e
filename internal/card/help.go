package card

import (
	"fmt"
	"strings"

	"dhbot/runbooks/catalogs"
)

// HelpRow is one command in the help.
type HelpRow struct{ Verb, Aliases, Summary, Usage, Example string }

// HelpGroup is a part of the command list. A compact group shows only names.
type HelpGroup struct {
	Title   string
	Rows    []HelpRow
	Compact bool
}

// Help lists the commands that a person may use in a cluster, on one screen.
func Help(groups []HelpGroup, cluster string) Card {
	c := Card{Push: "What you can say", Head: Line{B("What you can say"), T(" in " + cluster)}, Private: true}
	for _, g := range groups {
		switch {
		case len(g.Rows) == 0:
		case g.Compact:
			verbs := make([]string, len(g.Rows))
			for i, r := range g.Rows {
				verbs[i] = r.Verb
			}
			c.Body = append(c.Body, Text{Lines: []Line{{B(g.Title + ": "), T(strings.Join(verbs, ", "))}}})
		default:
			lines := []Line{{B(g.Title)}}
			for _, r := range g.Rows {
				lines = append(lines, Line{C(r.Example), T(" — " + r.Summary)})
			}
			c.Body = append(c.Body, Text{Lines: lines})
		}
	}
	c.Foot = []Line{
		{C("help restart"), T(" or "), C("help db_dis"), T(" shows more. Write the reason after “because”. In a thread, mention me instead of using the slash command.")},
	}
	return c
}

// HelpParam is a parameter of a command, typed as NAME=VALUE after the target.
type HelpParam struct {
	Name, Help, Values string
	Default            string // "" for none
	Optional           bool
}

// HelpTopic is the complete help for one command.
type HelpTopic struct {
	HelpRow
	Params    []HelpParam
	Takes     string // the requirements of the command, "" if they vary
	MayNot    string // why the reader may not use the command, "" if they may
	Processes []string
}

// HelpVerb shows one command.
func HelpVerb(t HelpTopic) Card {
	how := []Line{{T("Type "), C(t.Usage)}, {T("For example "), C(t.Example)}}
	if t.Aliases != "" {
		how = append(how, Line{T("Aliases: " + t.Aliases)})
	}
	var params []Line
	for _, p := range t.Params {
		l := Line{C(p.Name + "="), T(" " + p.Help + ": " + p.Values)}
		switch {
		case p.Default != "":
			l = append(l, T("; default "+p.Default))
		case p.Optional:
			l = append(l, T("; optional"))
		}
		params = append(params, l)
	}
	var takes, processes []Line
	for _, text := range []string{t.Takes, t.MayNot} {
		if text != "" {
			takes = append(takes, Line{T(text)})
		}
	}
	if len(t.Processes) > 0 {
		processes = []Line{{B("Processes: "), T(strings.Join(t.Processes, ", "))}}
	}
	return Card{
		Push:    t.Verb + ": " + t.Summary,
		Head:    Line{B(t.Verb), T(" · " + t.Summary)},
		Body:    Paragraphs(how, params, takes, processes),
		Private: true,
	}
}

// HelpProcess shows one process.
func HelpProcess(p catalogs.Process, hosts []string) Card {
	where := []Line{{T("Runs on " + strings.Join(hosts, ", ") + " under " + string(p.Manager) + " as "), C(p.Service)}}
	if len(p.Aliases) > 0 {
		where = append(where, Line{T("Also called " + strings.Join(p.Aliases, ", "))})
	}
	var needs []string
	for _, n := range p.Needs {
		text := n.Process
		if n.When != "" {
			text += fmt.Sprintf(" (%s)", n.When)
		}
		needs = append(needs, text)
	}
	if len(needs) > 0 {
		where = append(where, Line{T("Needs " + strings.Join(needs, ", "))})
	}
	say := Line{B("You can say: ")}
	for i, a := range p.Actions {
		if i > 0 {
			say = append(say, T(", "))
		}
		say = append(say, C(a+" "+p.ID))
	}
	level := p.Level.String() + " when it is down"
	return Card{
		Push: p.Title + ": " + level + ". " + p.Impact, Head: Line{B(p.Title + " (" + p.ID + ")"), T(" · " + level)},
		Body: Paragraphs([]Line{{T(p.Impact)}}, where, []Line{say}), Private: true,
	}
}
