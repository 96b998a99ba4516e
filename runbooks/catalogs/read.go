package catalogs

import (
	"fmt"
	"regexp"
	"slices"

	"dhbot/internal/strictyaml"
	"dhbot/internal/suggest"
	"dhbot/runbooks"
)

// loader reads catalog files layer by layer. A later layer may change fields of a process,
// replace actions, and add processes and actions. Within one layer each definition is
// unique.
type loader struct {
	strictyaml.Reader
	catalogs []*Catalog
	layer    int
	// defined has, for each process and action of a catalog, the last layer that defined it.
	defined map[string]int
	// broken has the places of processes, actions and steps that could not be read. They are not
	// checked further, because that would repeat the errors.
	broken map[strictyaml.Place]bool
}

// reading calls read. If that reports a problem, reading adds the place to broken.
func (l *loader) reading(place strictyaml.Place, read func()) {
	before := len(l.Problems)
	read()
	if len(l.Problems) > before {
		l.broken[place] = true
	}
}

func (l *loader) report(at strictyaml.Place, format string, args ...any) {
	l.Add(at.Problem(fmt.Sprintf(format, args...)))
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
	l.File = name
	root := l.Parse(data)
	if !root.There() {
		return
	}
	before := len(l.Problems)
	const why = "name the catalog that the file is part of"
	for _, name := range root.AnyObject().NeedSome("catalog", why).Words() {
		if len(l.Problems) > before {
			return // the next catalog would have the same problems
		}
		c := l.catalog(name, root.Place())
		root.Read(strictyaml.Fields{
			"catalog":   alreadyRead,
			"title":     strictyaml.Into(&c.Title, text),
			"monit":     strictyaml.Into(&c.Monit, words),
			"paths":     func(v strictyaml.Value) { l.paths(c, v) },
			"sources":   func(v strictyaml.Value) { readSources(&c.sources, v) },
			"processes": func(v strictyaml.Value) { l.processes(c, v) },
			"actions":   func(v strictyaml.Value) { l.actions(c, v) },
		})
	}
}

// These functions read the values of several keys.
var (
	text  = strictyaml.Value.Word
	words = strictyaml.Value.Words
	yes   = strictyaml.Value.Boolean
)

// alreadyRead does nothing, because the value of its key was read before the other keys.
func alreadyRead(strictyaml.Value) {}

// catalog returns the catalog with this name, and creates it if necessary.
func (l *loader) catalog(name string, at strictyaml.Place) *Catalog {
	for _, c := range l.catalogs {
		if c.Name == name {
			return c
		}
	}
	c := &Catalog{Name: name, at: at}
	l.catalogs = append(l.catalogs, c)
	return c
}

func (l *loader) paths(c *Catalog, v strictyaml.Value) {
	if c.Paths == nil {
		c.Paths = map[string]string{}
	}
	for _, p := range v.Pairs() {
		switch p.Name {
		case "logs":
			strictyaml.Into(&c.LogRoot, text)(p.Value)
		case "etcd_client":
			strictyaml.Into(&c.EtcdClientDir, text)(p.Value)
		default:
			dir := p.Value.Word()
			if !pathName.MatchString(p.Name) || !cleanPath(dir) {
				p.Value.Problem("this must be an absolute path, under a name of lower-case letters and _", "")
			}
			c.Paths[p.Name] = dir
		}
	}
}

// readSources reads where commands come from, by key. A value is "file:line", or a mapping with a
// correction.
func readSources(to *map[string]Origin, v strictyaml.Value) {
	if *to == nil {
		*to = map[string]Origin{}
	}
	for _, p := range v.Pairs() {
		var s Origin
		if p.Value.IsMapping() {
			p.Value.Read(strictyaml.Fields{
				"at":        strictyaml.Into(&s.At, text),
				"corrected": strictyaml.Into(&s.Corrected, text),
			})
		} else {
			s.At = p.Value.Word()
		}
		if s.At != "" && !sourceLine.MatchString(s.At) {
			p.Value.Problem(suggest.Short(s.At)+" is not a file and line", "write a file and line such as process-runbooks.md:28")
		}
		(*to)[p.Name] = s
	}
}

var pathName = regexp.MustCompile(`^[a-z][a-z_]{0,31}$`)

var sourceLine = regexp.MustCompile(`^[A-Za-z0-9._/-]+:[1-9][0-9]*$`)

func (l *loader) processes(c *Catalog, v strictyaml.Value) {
	for _, v := range v.Items() {
		id := v.AnyObject().NeedWord("id", "each process has an id")
		if id == "" || !l.once(c.Name+"/process/"+id, v, "the process "+suggest.Short(id)) {
			continue
		}
		p, ok := c.Process(id)
		if !ok {
			c.processes = append(c.processes, Process{ID: id})
			p = &c.processes[len(c.processes)-1]
		}
		p.at = v.Place()
		l.reading(p.at, func() { p.read(v) })
	}
}

// once reports a problem, and returns false, if the same layer defines something twice.
func (l *loader) once(key string, v strictyaml.Value, what string) bool {
	if at, ok := l.defined[key]; ok && at == l.layer {
		v.Problem(what+" is defined twice", "keep one of them")
		return false
	}
	l.defined[key] = l.layer
	return true
}

func (p *Process) read(v strictyaml.Value) {
	v.Read(strictyaml.Fields{
		"id":        alreadyRead,
		"title":     strictyaml.Into(&p.Title, text),
		"aliases":   strictyaml.Into(&p.Aliases, words),
		"impact":    strictyaml.Into(&p.Impact, text),
		"level":     strictyaml.Into(&p.Level, level),
		"manager":   strictyaml.Into(&p.Manager, strictyaml.OneOf(runbooks.Monit, runbooks.Systemd)),
		"service":   strictyaml.Into(&p.Service, text),
		"user":      strictyaml.Into(&p.User, text),
		"placement": strictyaml.Into(&p.Placement, strictyaml.OneOf(OnInfra, OnQuery, OnEvery)),
		"optional":  strictyaml.Into(&p.Optional, text),
		"needs":     p.readNeeds,
		"logs":      p.readLogs,
		"sources":   func(v strictyaml.Value) { readSources(&p.sources, v) },
	})
}

// level reads a level from 1 to 3.
func level(v strictyaml.Value) runbooks.Severity {
	s, err := runbooks.Level(v.Number(1, 3, 0))
	if err != nil {
		return runbooks.Unknown // Number has reported the problem
	}
	return s
}

func (p *Process) readNeeds(v strictyaml.Value) {
	p.Needs, p.needAt = nil, nil
	for _, item := range v.Items() {
		var need Need
		item.Read(strictyaml.Fields{
			"process": strictyaml.Into(&need.Process, text),
			"when":    strictyaml.Into(&need.When, strictyaml.OneOf(ACLsInEtcd, ACLsInMySQL)),
			"source":  strictyaml.Into(&need.Source, text),
		})
		p.Needs = append(p.Needs, need)
		p.needAt = append(p.needAt, item.Place())
	}
}

func (p *Process) readLogs(v strictyaml.Value) {
	p.Logs = Logs{}
	v.Read(strictyaml.Fields{
		"dir":    strictyaml.Into(&p.Logs.Dir, text),
		"app":    strictyaml.Into(&p.Logs.App, words),
		"stdout": strictyaml.Into(&p.Logs.Stdout, text),
		"files":  strictyaml.Into(&p.Logs.Files, words),
		"unit":   strictyaml.Into(&p.Logs.Unit, text),
	})
}

func (l *loader) actions(c *Catalog, v strictyaml.Value) {
	for _, v := range v.Items() {
		a := &Action{at: v.Place()}
		if a.Name = v.AnyObject().NeedWord("action", "each action has a name"); a.Name == "" {
			continue
		}
		l.reading(a.at, func() { l.action(a, v) })
		key := c.Name + "/action/" + a.Name + "/" + a.forWhat()
		old := slices.IndexFunc(c.actions, func(b *Action) bool { return b.Name == a.Name && b.forWhat() == a.forWhat() })
		switch {
		case old < 0:
			l.defined[key] = l.layer
			c.actions = append(c.actions, a)
		case l.once(key, v, "the action "+suggest.Short(a.Name)+" for "+a.forWhat()):
			c.actions[old] = a
		}
	}
}

// forWhat returns a text that identifies what an action is about. A later layer replaces an action
// if the name and this text are the same.
func (a *Action) forWhat() string {
	if a.Scope != AboutProcess {
		return string(a.Scope)
	}
	return fmt.Sprint(a.Managers, a.Processes)
}

func (l *loader) action(a *Action, v strictyaml.Value) {
	a.Scope = AboutProcess
	v.Read(strictyaml.Fields{
		"action":    alreadyRead,
		"title":     strictyaml.Into(&a.Title, text),
		"about":     strictyaml.Into(&a.Scope, strictyaml.OneOf(AboutHost, AboutCluster)),
		"managers":  strictyaml.Into(&a.Managers, managers),
		"processes": strictyaml.Into(&a.Processes, words),
		"class":     strictyaml.Into(&a.Class, strictyaml.OneOf(classes...)),
		"level":     strictyaml.Into(&a.Level, level),
		"one_host":  strictyaml.Into(&a.OneHost, yes),

		"step_by_step": strictyaml.Into(&a.StepByStep, yes),
		"impact":       strictyaml.Into(&a.Impact, text),
		"params":       a.readParams,
		"minted":       strictyaml.Into(&a.Minted, words),
		"locks":        strictyaml.Into(&a.Locks, templates),
		"steps": func(v strictyaml.Value) {
			for _, item := range v.Items() {
				l.reading(item.Place(), func() { a.Steps = append(a.Steps, readStep(item)) })
			}
		},
	})
	a.lookAgain()
}

func managers(v strictyaml.Value) []runbooks.Manager {
	var out []runbooks.Manager
	for _, item := range v.List() {
		out = append(out, strictyaml.OneOf(runbooks.Monit, runbooks.Systemd)(item))
	}
	return out
}

// templates reads a list of words with placeholders.
func templates(v strictyaml.Value) []Words {
	var out []Words
	for _, item := range v.List() {
		out = append(out, template(item))
	}
	return out
}

func template(v strictyaml.Value) Words {
	w, err := parseWords(v.Word())
	if err != nil {
		v.Problem(err.Error(), "")
	}
	return w
}
