package config

import (
	"fmt"
	"slices"
	"strconv"

	"dhbot/internal/strictyaml"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// lowerClass parses a class that is lower than another one.
var lowerClass = strictyaml.OneOf(runbooks.Read, runbooks.Sensitive, runbooks.Writes, runbooks.Disruptive)

// readLowered checks the classes and levels in the site's own runbooks. If a class or level is
// lower than in the built-in catalogs, or lower than the commands require, a line of the config
// must allow this.
func (b *builder) readLowered(v strictyaml.Value) {
	allowed := map[string]strictyaml.Value{}
	why := map[string]string{}
	for _, item := range v.Items() {
		o := item.Object(keysOf[loweredKeys]()...)
		l := catalogs.Lowered{
			Catalog: o.Need("catalog", "name the catalog that the runbook changes").Text(),
			Process: o.Get("process").Text(), Action: o.Get("action").Text(),
		}
		if at := o.Get("class"); at.There() {
			l.Class = lowerClass(at)
		}
		if at := o.Get("level"); at.There() {
			if n := at.Number(1, 3, 0); n > 0 {
				l.Level, _ = runbooks.Level(n) // no error: n is from 1 to 3
			}
		}
		because := o.Need("because", "give the reason, for the next reader").Text()
		if (l.Process == "") == (l.Action == "") || (l.Class == "") == (l.Level == runbooks.Unknown) {
			item.Problem("this must name either a process or an action, and either a class or a level", "write exactly one of each pair")
			continue
		}
		if l.Process != "" && l.Class != "" {
			item.Problem("a process has no class", "write its level, or name an action")
			continue
		}
		allowed[l.String()] = item
		why[l.String()] = because
	}
	if b.own.dir == "" || b.catalogs == nil {
		for _, item := range sortedValues(allowed) {
			item.Warning("this line has no effect: there are no runbooks of your own", "remove the line")
		}
		return
	}
	lowered, problems := catalogs.LoweredBy(b.catalogs)
	b.addOwn(b.own.dir, problems)
	for _, l := range lowered {
		if because, ok := why[l.String()]; ok {
			b.config.Lowered = append(b.config.Lowered, fmt.Sprintf("lowered: %s: %s (because %s)", l, l.Why, because))
			delete(allowed, l.String())
			continue
		}
		p := l.At.Problem(lowers(l))
		p.File = runbookFile(b.own.dir, p.File)
		p.Instead = fmt.Sprintf("raise it, or allow it in the config: lowered: [%s, because: …}]", l.String()[:len(l.String())-1])
		b.Add(p)
	}
	for _, item := range sortedValues(allowed) {
		item.Warning("this line has no effect: no runbook of your own lowers this", "correct or remove the line, because it would allow a later change of the runbooks")
	}
}

func lowers(l catalogs.Lowered) string {
	if l.Class != "" {
		return fmt.Sprintf("the class %s of the action %s is too low: %s", l.Class, l.Action, l.Why)
	}
	n, _ := l.Level.Number()
	if l.Process != "" {
		return "the level " + strconv.Itoa(n) + " of the process " + l.Process + " is too low: " + l.Why
	}
	return "the level " + strconv.Itoa(n) + " of the action " + l.Action + " is too low: " + l.Why
}

// sortedValues returns values in the order of the file.
func sortedValues(m map[string]strictyaml.Value) []strictyaml.Value {
	out := make([]strictyaml.Value, 0, len(m))
	for _, v := range m {
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b strictyaml.Value) int { return a.Line - b.Line })
	return out
}
