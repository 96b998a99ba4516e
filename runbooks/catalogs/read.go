package catalogs

import (
	"fmt"
	"regexp"

	"github.com/goccy/go-yaml/ast"

	"dhbot/internal/suggest"
	"dhbot/runbooks"
)

// loader reads catalog files layer by layer. A later layer may change fields of a process,
// replace actions and add both. Within one layer each definition is unique.
type loader struct {
	yamlFile
	catalogs []*Catalog
	layer    int
	// defined maps a process or action of a catalog to the last layer that defined it.
	defined map[string]int
	// broken are the processes, actions and steps with read errors. Checking them further
	// would repeat the errors.
	broken map[pos]bool
}

// reading calls read and marks at as broken if it reported a problem.
func (l *loader) reading(at pos, read func()) {
	before := len(l.problems)
	read()
	if len(l.problems) > before {
		l.broken[at] = true
	}
}

// file reads one catalog file:
//
//	catalog: current            # or a list, for what several generations share
//	title: …
//	monit: [sudo, -u, irisadmin, monit]
//	paths: {logs: /var/log/deephaven, etcd_client: /etc/…}
//	sources: {start: "file.md:12"}
//	processes: [{id: db_dis, …}]
//	actions: [{action: restart, …}]
func (l *loader) file(name string, data []byte) {
	l.name = name
	root := l.parse(data)
	if root == nil {
		return
	}
	var names []string
	var rest []func(*Catalog)
	later := func(f func(*Catalog, ast.Node)) func(ast.Node) {
		return func(n ast.Node) { rest = append(rest, func(c *Catalog) { f(c, n) }) }
	}
	keys := l.mapping(root, "a catalog file", fields{
		"catalog":   l.strs(&names, "catalog"),
		"title":     later(func(c *Catalog, n ast.Node) { l.str(&c.Title, "title")(n) }),
		"monit":     later(func(c *Catalog, n ast.Node) { l.strs(&c.Monit, "monit")(n) }),
		"paths":     later(l.paths),
		"sources":   later(func(c *Catalog, n ast.Node) { l.sources(&c.sources, "sources", n) }),
		"processes": later(l.processes),
		"actions":   later(l.actions),
	})
	if !keys["catalog"] || len(names) == 0 {
		l.report(l.at(root), "the key catalog is missing: it names the catalog that the file is part of")
		return
	}
	before := len(l.problems)
	for i, n := range names {
		if i > 0 && len(l.problems) > before {
			return // the same problems again
		}
		c := l.catalog(n, l.at(root))
		for _, read := range rest {
			read(c)
		}
	}
}

// catalog returns the catalog of that name, or creates it.
func (l *loader) catalog(name string, at pos) *Catalog {
	for _, c := range l.catalogs {
		if c.Name == name {
			return c
		}
	}
	c := &Catalog{Name: name, at: at}
	l.catalogs = append(l.catalogs, c)
	return c
}

func (l *loader) paths(c *Catalog, n ast.Node) {
	if c.Paths == nil {
		c.Paths = map[string]string{}
	}
	l.pairs(n, "paths", func(key string, at pos, value ast.Node) {
		switch key {
		case "logs":
			l.str(&c.LogRoot, "logs")(value)
		case "etcd_client":
			l.str(&c.EtcdClientDir, "etcd_client")(value)
		default:
			var dir string
			l.str(&dir, "paths."+key)(value)
			if !pathName.MatchString(key) || dir != "" && !cleanPath(dir) {
				l.report(at, "paths.%s must have a name of small letters and _, and be an absolute path", suggest.Short(key))
			}
			c.Paths[key] = dir
		}
	})
}

// sources reads the sources of commands by key: "file:line", or a mapping with a
// correction.
func (l *loader) sources(to *map[string]Origin, what string, n ast.Node) {
	if *to == nil {
		*to = map[string]Origin{}
	}
	l.pairs(n, what, func(key string, _ pos, value ast.Node) {
		var s Origin
		if _, is := value.(ast.MapNode); is {
			l.mapping(value, what+"."+key, fields{
				"at":        l.str(&s.At, "at"),
				"corrected": l.str(&s.Corrected, "corrected"),
			})
		} else {
			l.str(&s.At, what+"."+key)(value)
		}
		if s.At != "" && !sourceLine.MatchString(s.At) {
			l.report(l.at(value), "%s: want a file and line such as process-runbooks.md:28", suggest.Short(s.At))
		}
		(*to)[key] = s
	})
}

var pathName = regexp.MustCompile(`^[a-z][a-z_]{0,31}$`)

var sourceLine = regexp.MustCompile(`^[A-Za-z0-9._/-]+:[1-9][0-9]*$`)

func (l *loader) processes(c *Catalog, n ast.Node) {
	l.items(n, "processes", func(n ast.Node) {
		id := l.key(n, "id", "a process")
		if id == "" || !l.once(c.Name+"/process/"+id, n, "the process "+suggest.Short(id)) {
			return
		}
		p, ok := c.Process(id)
		if !ok {
			c.processes = append(c.processes, Process{ID: id})
			p = &c.processes[len(c.processes)-1]
		}
		p.at = l.at(n)
		l.reading(p.at, func() { l.process(p, n) })
	})
}

// key reads one text of a mapping before the others.
func (l *loader) key(n ast.Node, key, what string) (value string) {
	m, ok := n.(ast.MapNode)
	if !ok {
		l.report(l.at(n), "%s must be a mapping with the key %s", what, key)
		return ""
	}
	for it := m.MapRange(); it.Next(); {
		if k, ok := it.Key().(*ast.StringNode); ok && k.Value == key {
			value, _ = l.text(it.Value(), key)
			return value
		}
	}
	l.report(l.at(n), "%s must have the key %s", what, key)
	return ""
}

// once reports a second definition within one layer.
func (l *loader) once(key string, n ast.Node, what string) bool {
	if at, ok := l.defined[key]; ok && at == l.layer {
		l.report(l.at(n), "%s is defined twice", what)
		return false
	}
	l.defined[key] = l.layer
	return true
}

func (l *loader) process(p *Process, n ast.Node) {
	what := "process " + p.ID
	l.mapping(n, what, fields{
		"id":        func(ast.Node) {},
		"title":     l.str(&p.Title, "title"),
		"aliases":   l.strs(&p.Aliases, "aliases"),
		"impact":    l.str(&p.Impact, "impact"),
		"level":     l.levelFor(&p.Level),
		"manager":   oneOf(&l.yamlFile, &p.Manager, "manager", runbooks.Monit, runbooks.Systemd),
		"service":   l.str(&p.Service, "service"),
		"user":      l.str(&p.User, "user"),
		"placement": oneOf(&l.yamlFile, &p.Placement, "placement", OnInfra, OnQuery, OnEvery),
		"optional":  l.str(&p.Optional, "optional"),
		"needs":     func(n ast.Node) { l.needs(p, n) },
		"logs":      func(n ast.Node) { l.logs(&p.Logs, n) },
		"sources":   func(n ast.Node) { l.sources(&p.sources, what+" sources", n) },
	})
}

func (l *loader) levelFor(to *runbooks.Severity) func(ast.Node) {
	return func(n ast.Node) {
		number := -1
		l.integer(&number, "level")(n)
		if number == -1 {
			return
		}
		v, err := runbooks.Level(number)
		if err != nil || v == runbooks.None {
			l.report(l.at(n), "level %d: write 1, 2 or 3 of the incident key", number)
			return
		}
		*to = v
	}
}

func (l *loader) needs(p *Process, n ast.Node) {
	p.Needs, p.needAt = nil, nil
	l.items(n, "needs", func(n ast.Node) {
		var need Need
		l.mapping(n, "a need", fields{
			"process": l.str(&need.Process, "process"),
			"when":    oneOf(&l.yamlFile, &need.When, "when", ACLsInEtcd, ACLsInMySQL),
			"source":  l.str(&need.Source, "source"),
		})
		p.Needs = append(p.Needs, need)
		p.needAt = append(p.needAt, l.at(n))
	})
}

func (l *loader) logs(to *Logs, n ast.Node) {
	*to = Logs{}
	l.mapping(n, "logs", fields{
		"dir":    l.str(&to.Dir, "dir"),
		"app":    l.strs(&to.App, "app"),
		"stdout": l.str(&to.Stdout, "stdout"),
		"files":  l.strs(&to.Files, "files"),
		"unit":   l.str(&to.Unit, "unit"),
	})
}

func (l *loader) actions(c *Catalog, n ast.Node) {
	l.items(n, "actions", func(n ast.Node) {
		a := &Action{at: l.at(n)}
		if a.Name = l.key(n, "action", "an action"); a.Name == "" {
			return
		}
		l.reading(a.at, func() { l.action(a, n) })
		for i, old := range c.actions {
			if old.Name != a.Name || old.forWhat() != a.forWhat() {
				continue
			}
			if l.once(c.Name+"/action/"+a.Name+"/"+a.forWhat(), n, "the action "+suggest.Short(a.Name)+" for "+a.forWhat()) {
				c.actions[i] = a
			}
			return
		}
		l.defined[c.Name+"/action/"+a.Name+"/"+a.forWhat()] = l.layer
		c.actions = append(c.actions, a)
	})
}

// forWhat identifies the target of an action. A later layer replaces the action with the
// same name and target.
func (a *Action) forWhat() string {
	if a.Scope != AboutProcess {
		return string(a.Scope)
	}
	return fmt.Sprint(a.Managers, a.Processes)
}

func (l *loader) action(a *Action, n ast.Node) {
	a.Scope = AboutProcess
	var managers, locks []string
	var locksAt pos
	l.mapping(n, "action "+a.Name, fields{
		"action":    func(ast.Node) {},
		"title":     l.str(&a.Title, "title"),
		"about":     oneOf(&l.yamlFile, &a.Scope, "about", AboutHost, AboutCluster),
		"managers":  l.strs(&managers, "managers"),
		"processes": l.strs(&a.Processes, "processes"),
		"class": oneOf(
			&l.yamlFile,
			&a.Class,
			"class",
			runbooks.Read,
			runbooks.Sensitive,
			runbooks.Writes,
			runbooks.Disruptive,
			runbooks.Destructive,
		),
		"level":    l.levelFor(&a.Level),
		"one_host": l.boolean(&a.OneHost, "one_host"),

		"step_by_step": l.boolean(&a.StepByStep, "step_by_step"),
		"impact":       l.str(&a.Impact, "impact"),
		"params":       func(n ast.Node) { l.params(a, n) },
		"minted":       l.strs(&a.Minted, "minted"),
		"locks":        func(n ast.Node) { locksAt = l.at(n); l.strs(&locks, "locks")(n) },
		"steps": func(n ast.Node) {
			l.items(n, "steps", func(n ast.Node) {
				l.reading(l.at(n), func() { a.Steps = append(a.Steps, l.step(n)) })
			})
		},
	})
	for _, m := range managers {
		a.Managers = append(a.Managers, runbooks.Manager(m))
	}
	a.Locks = l.words(locks, locksAt)
	a.lookAgain()
}

func (l *loader) words(list []string, at pos) []Words {
	var out []Words
	for _, s := range list {
		w, err := parseWords(s)
		if err != nil {
			l.report(at, "%v", err)
			continue
		}
		out = append(out, w)
	}
	return out
}
