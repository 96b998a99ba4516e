package catalogs

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"dhbot/internal/strictyaml"
	"dhbot/internal/suggest"
	"dhbot/runbooks"
)

var (
	catalogName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)
	processID   = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,63}$`)
	aliasName   = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)
	actionName  = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	// monit treats a name as a case-insensitive regular expression, so a service name must not
	// contain special characters.
	monitService   = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_-]{0,127}$`)
	systemdService = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,127}$`)
)

// check reports every error in a catalog, and fills in fields that derive from others.
func (l *loader) check(c *Catalog) {
	c.index(l)
	l.checkHead(c)
	for i := range c.processes {
		if p := &c.processes[i]; !l.broken[p.at] {
			l.checkProcess(c, p)
		}
	}
	for _, a := range c.actions {
		if !l.broken[a.at] {
			l.checkAction(c, a)
		}
		for i := range a.Steps {
			if t := &a.Steps[i]; !l.broken[t.at] {
				l.matches(c, t)
				l.checkStep(c, a, t)
			}
		}
	}
	for i := range c.processes {
		p := &c.processes[i]
		p.Actions = c.actionNames(func(a *Action) bool { return a.suits(p) })
	}
}

// index builds the table that finds a process by its id or an alias.
func (c *Catalog) index(l *loader) {
	c.names = map[string]string{}
	for i := range c.processes {
		p := &c.processes[i]
		for _, name := range append([]string{p.ID}, p.Aliases...) {
			key := suggest.Fold(name)
			if other, taken := c.names[key]; taken && other != p.ID {
				l.report(p.at, "process %s: the name %s already belongs to %s", p.ID, suggest.Short(name), other)
				continue
			}
			c.names[key] = p.ID
		}
	}
}

func (l *loader) checkHead(c *Catalog) {
	if !catalogName.MatchString(c.Name) {
		l.report(c.at, "the catalog's name %s must be lower-case letters, digits and -", suggest.Short(c.Name))
	}
	if c.Title == "" {
		l.report(c.at, "catalog %s needs a title", c.Name)
	}
	if len(c.processes) == 0 {
		l.report(c.at, "catalog %s has no processes%s", c.Name, suggest.Hint(nil, nil))
	}
	if why := CheckMonit(c.Monit); why != "" {
		l.report(c.at, "catalog %s: monit %s", c.Name, why)
	}
	if !cleanPath(c.LogRoot) || !cleanPath(c.EtcdClientDir) {
		l.report(c.at, "catalog %s: paths needs logs and etcd_client, each an absolute path", c.Name)
	}
}

// CheckMonit checks a command that calls monit, such as ["sudo", "-u", "irisadmin", "monit"]. It
// returns what is wrong, or "".
func CheckMonit(argv []string) string {
	if _, err := runbooks.Quote(argv); err != nil {
		return "must be the command that calls monit, such as [sudo, -u, irisadmin, monit]: " + err.Error()
	}
	if argv[0][0] == '-' {
		return "cannot begin with the option " + suggest.Short(argv[0])
	}
	if slices.Contains(argv[1:], "sudo") {
		return "may have sudo as its first word only"
	}
	return ""
}

// cleanPath reports whether p is an absolute path in its shortest form, and is safe in a command.
func cleanPath(p string) bool {
	return path.IsAbs(p) && path.Clean(p) == p && runbooks.Printable(p) == nil
}

func (l *loader) checkProcess(c *Catalog, p *Process) {
	fault := func(format string, args ...any) { l.report(p.at, "process "+p.ID+" "+format, args...) }
	if !processID.MatchString(p.ID) {
		l.report(p.at, "the process id %s must be lower-case letters, digits, _ and -", suggest.Short(p.ID))
	}
	for _, a := range p.Aliases {
		if !aliasName.MatchString(a) {
			fault("has the alias %s; an alias is lower-case letters, digits, _ and -", suggest.Short(a))
		}
	}
	for _, need := range []struct{ key, value string }{
		{"title", p.Title},
		{"impact", p.Impact},
		{"manager", string(p.Manager)},
		{"service", p.Service},
		{"placement", string(p.Placement)},
	} {
		if need.value == "" {
			fault("needs the key %s", need.key)
		}
	}
	if p.Level == runbooks.Unknown {
		fault("needs the key level: 1, 2 or 3")
	}
	shape := monitService
	if p.Manager == runbooks.Systemd {
		shape = systemdService
	}
	if p.Service != "" && !shape.MatchString(p.Service) {
		fault("has the service %s; a name may hold only letters, digits, _ and - (monit reads anything else as a pattern)", suggest.Short(p.Service))
	}
	l.checkLogs(p)
	keys := c.sourceKeys()
	for _, key := range slices.Sorted(maps.Keys(p.sources)) {
		if !slices.Contains(keys, key) {
			fault("has a source for %[1]s, but no action uses %[1]s%[2]s", suggest.Short(key), suggest.Hint(suggest.Near(key, keys), keys))
		}
	}
	for i, need := range p.Needs {
		if _, ok := c.Process(need.Process); !ok || need.Process == p.ID {
			l.report(p.needAt[i], "process %s needs %v", p.ID, c.unknownProcess(need.Process))
		}
		if need.Source == "" {
			l.report(p.needAt[i], "process %s: the need of %s must have a source", p.ID, need.Process)
		}
	}
}

func (l *loader) checkLogs(p *Process) {
	base := append([]string{p.Logs.Stdout}, p.Logs.App...)
	for _, name := range append(base, p.Logs.Dir) {
		if strings.Contains(name, "/") || name == ".." || strings.HasPrefix(name, "-") || runbooks.Printable(name) != nil {
			l.report(p.at, "process %s: the log name %s must be a plain file name", p.ID, suggest.Short(name))
		}
	}
	if p.Logs.Dir == "" && (len(p.Logs.App) > 0 || p.Logs.Stdout != "") {
		l.report(p.at, "process %s: its logs need dir, the directory below the log root", p.ID)
	}
	for _, f := range p.Logs.Files {
		if !cleanPath(f) {
			l.report(p.at, "process %s: the log file %s must be an absolute path", p.ID, suggest.Short(f))
		}
	}
}

func (l *loader) checkAction(c *Catalog, a *Action) {
	fault := func(format string, args ...any) { l.report(a.at, "action "+a.Name+" "+format, args...) }
	if !actionName.MatchString(a.Name) {
		l.report(a.at, "the action's name %s must be lower-case letters, digits and -", suggest.Short(a.Name))
	}
	for _, p := range a.Params {
		if p.Today != "" && !slices.ContainsFunc(a.Params, func(q Param) bool {
			return q.Name == p.Today && q.Type == ChoiceParam && slices.Contains(q.Choices, "yes")
		}) {
			fault("has a date with today: %s, but no parameter of that name with the choice yes", suggest.Short(p.Today))
		}
	}
	if a.Title == "" || a.Class == "" || len(a.Steps) == 0 {
		fault("needs the keys title, class and steps")
	}
	l.checkFor(c, a)
	if a.Scope != AboutProcess && a.Level == runbooks.Unknown {
		fault("needs a level, because it has no process with a level")
	}
	if a.Class.Changing() != (len(a.Locks) > 0 || a.uses()) {
		fault("must have locks exactly if its class changes something (writes, disruptive, destructive)")
	}
	for _, other := range c.actions {
		if other != a && other.Name == a.Name && a.rivals(other) && before(a.at, other.at) {
			l.report(other.at, "action %s: another action of that name has the same targets", a.Name)
		}
	}
	for _, w := range a.Locks {
		l.checkRefs(a, w, a.at, func(ref string) bool {
			return ref == "host" || ref == "process" && a.Scope == AboutProcess
		})
	}
}

// checkFor checks that an action has exactly one of managers, processes and about, and that its
// processes exist.
func (l *loader) checkFor(c *Catalog, a *Action) {
	about := a.Scope != AboutProcess
	managers := len(a.Managers) > 0
	processes := len(a.Processes) > 0
	if count(about, managers, processes) != 1 {
		l.report(a.at, "action %s must have exactly one of managers, processes and about", a.Name)
	}
	for _, id := range a.Processes {
		if _, ok := c.Process(id); !ok {
			l.report(a.at, "action %s is for an unknown process: %v", a.Name, c.unknownProcess(id))
		}
	}
}

func count(conditions ...bool) (n int) {
	for _, c := range conditions {
		if c {
			n++
		}
	}
	return n
}

// uses reports whether the action consists of other actions. It then also takes their locks.
func (a *Action) uses() bool {
	return slices.ContainsFunc(a.Steps, func(t StepTemplate) bool { return t.Use != "" })
}

// lists reports whether the action has list steps, which read from hosts before the plan is
// complete.
func (a *Action) lists() bool {
	return slices.ContainsFunc(a.Steps, func(t StepTemplate) bool { return t.Kind == runbooks.List })
}

// rivals reports whether two actions with the same name are equally specific, so that neither takes
// precedence.
func (a *Action) rivals(b *Action) bool {
	if a.Scope != AboutProcess || b.Scope != AboutProcess {
		return a.Scope != AboutProcess && b.Scope != AboutProcess
	}
	overlap := func(id string) bool { return slices.Contains(b.Processes, id) }
	return slices.ContainsFunc(a.Processes, overlap) ||
		slices.ContainsFunc(a.Managers, func(m runbooks.Manager) bool { return slices.Contains(b.Managers, m) })
}

func before(a, b strictyaml.Place) bool {
	if a.File != b.File {
		return a.File < b.File
	}
	return a.Line < b.Line
}
