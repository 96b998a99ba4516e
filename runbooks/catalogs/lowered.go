package catalogs

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"dhbot/internal/programs"
	"dhbot/internal/strictyaml"
	"dhbot/internal/suggest"
	"dhbot/runbooks"
)

// Lowered is a class or level that an overlay sets too low. It is lower than in the catalogs in the
// binary, or lower than the commands of the action require.
type Lowered struct {
	At      strictyaml.Place
	Catalog string
	Process string // either Process or Action is set
	Action  string
	Class   runbooks.Class    // the class that the file sets, "" if it sets the level
	Level   runbooks.Severity // the level that the file sets, Unknown if it sets the class
	Why     string
}

// String returns the line of the config that allows this setting, as a YAML flow mapping.
func (l Lowered) String() string {
	what := "process: " + l.Process
	if l.Action != "" {
		what = "action: " + l.Action
	}
	if l.Class != "" {
		return fmt.Sprintf("{catalog: %s, %s, class: %s}", l.Catalog, what, l.Class)
	}
	n, _ := l.Level.Number()
	return fmt.Sprintf("{catalog: %s, %s, level: %d}", l.Catalog, what, n)
}

// classes has all classes, from the least to the most restrictive.
var classes = []runbooks.Class{runbooks.Read, runbooks.Sensitive, runbooks.Writes, runbooks.Disruptive, runbooks.Destructive}

// LoweredBy returns the classes and levels that an overlay has lowered, in the order of the files.
// The catalogs were loaded with the overlay. The problems are what no config can allow: a program
// with a relative path, a monit command that does more than read, and an output directory that was
// moved to a directory of the system.
func LoweredBy(catalogs Set) (lowered []Lowered, problems strictyaml.Problems) {
	carried, err := Builtin()
	if err != nil {
		return nil, strictyaml.Problems{{What: err.Error()}}
	}
	for _, c := range catalogs {
		base, _ := carried.Get(c.Name)
		if argv := append(c.supervisor(), "status", "x"); programs.Of(argv) != programs.Reads {
			problems = append(problems, strictyaml.Problem{File: c.at.File, What: fmt.Sprintf("catalog %s: monit: `%s` is not a call of monit that only reads", c.Name, strings.Join(argv, " "))})
		}
		problems = append(problems, c.movedPaths(base)...)
		for i := range c.processes {
			lowered = append(lowered, c.loweredProcess(&c.processes[i], base)...)
		}
		for _, a := range c.actions {
			if !embedded(a.at) {
				lowered = append(lowered, c.loweredAction(a, base)...)
				problems = append(problems, a.relative(c)...)
			}
		}
	}
	return lowered, problems
}

// movedPaths reports directories to which an overlay has moved the output of embedded actions. A
// directory is a problem if files in it may be executed, or read as settings.
func (c *Catalog) movedPaths(base *Catalog) (out strictyaml.Problems) {
	if base == nil {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(c.Paths)) {
		if was, dir := base.Paths[name], c.Paths[name]; programs.FreshFile(was) && !programs.FreshFile(dir) {
			out = append(out, strictyaml.Problem{File: c.at.File, What: fmt.Sprintf("catalog %s: paths.%s: commands write files there, and %s is a directory of the system: name another directory", c.Name, name, dir)})
		}
	}
	return out
}

// embedded reports whether a place is in a file of the binary, not of an overlay.
func embedded(p strictyaml.Place) bool { return strings.HasPrefix(p.File, carriedDir) }

func (c *Catalog) loweredProcess(p *Process, base *Catalog) []Lowered {
	if base == nil || embedded(p.at) {
		return nil
	}
	was, known := base.Process(p.ID)
	if !known || p.Level <= was.Level {
		return nil
	}
	return []Lowered{{
		At: p.at, Catalog: c.Name, Process: p.ID, Level: p.Level,
		Why: fmt.Sprintf("the catalog has %s at level %s", p.ID, suggest.Short(was.Level.String())),
	}}
}

// loweredAction compares an action with what its commands require, and with the embedded action
// that it replaces.
func (c *Catalog) loweredAction(a *Action, base *Catalog) (out []Lowered) {
	floor, level, why := c.floor(a)
	for _, p := range c.suited(a) {
		if p != nil && level == runbooks.Unknown {
			level = p.Level // a restart has the level of the process's own outage
		}
		if base == nil {
			continue
		}
		was, known := base.replaced(a, p)
		if !known {
			continue
		}
		if rank(was.Class) > rank(floor) {
			floor, why = was.Class, "the catalog's own "+a.Name+" is "+string(was.Class)
		}
		if l := was.LevelFor(p); l != runbooks.Unknown && (level == runbooks.Unknown || l < level) {
			level = l
		}
	}
	at := Lowered{At: a.at, Catalog: c.Name, Action: a.Name}
	if rank(a.Class) < rank(floor) {
		l := at
		l.Class, l.Why = a.Class, why
		out = append(out, l)
	}
	if rank(floor) >= rank(runbooks.Disruptive) && a.Level != runbooks.Unknown && level != runbooks.Unknown && a.Level > level {
		l := at
		l.Level, l.Why = a.Level, fmt.Sprintf("%s, which needs level %s", why, suggest.Short(level.String()))
		out = append(out, l)
	}
	return out
}

// suited returns the processes that have the action. If the action is about a host or the cluster,
// the only element is nil.
func (c *Catalog) suited(a *Action) (out []*Process) {
	for i := range c.processes {
		if a.suits(&c.processes[i]) {
			out = append(out, &c.processes[i])
		}
	}
	if a.Scope != AboutProcess {
		out = append(out, nil)
	}
	return out
}

// replaced returns the action that would apply without the overlay, from the catalogs in the
// binary.
func (c *Catalog) replaced(a *Action, p *Process) (*Action, bool) {
	if p != nil {
		own, known := c.Process(p.ID)
		if !known {
			return nil, false
		}
		p = own
	}
	was := c.find(a.Name, p)
	return was, was != nil
}

func rank(c runbooks.Class) int { return slices.Index(classes, c) }

// floor returns the lowest class and level that the commands of an action allow, and why. If the
// level is Unknown, the level of the action's process is the minimum.
func (c *Catalog) floor(a *Action) (class runbooks.Class, level runbooks.Severity, why string) {
	class = runbooks.Read
	raise := func(to runbooks.Class, at runbooks.Severity, reason string) {
		if rank(to) > rank(class) {
			class, why = to, reason
		}
		if at != runbooks.Unknown && (level == runbooks.Unknown || at < level) {
			level = at
		}
	}
	for i := range a.Steps {
		t := &a.Steps[i]
		if t.Use != "" {
			if used, err := c.Action(t.Use, t.Process); err == nil {
				p, _ := c.Process(t.Process)
				raise(used.Class, used.LevelFor(p), "the action uses "+t.Use+" of "+t.Process)
			}
			continue
		}
		argv := c.shown(t)
		if len(argv) == 0 {
			continue
		}
		reason := fmt.Sprintf("`%s`", strings.Join(argv, " "))
		switch programs.Of(argv) {
		case programs.Writes:
			raise(runbooks.Writes, runbooks.Unknown, reason+" writes")
		case programs.Restarts:
			own := runbooks.Unknown
			if a.Scope != AboutProcess || t.Process != "" || argv[len(argv)-1] != "{service}" {
				own = runbooks.Critical
			}
			raise(runbooks.Disruptive, own, reason+" changes a service")
		case programs.Changes:
			raise(runbooks.Disruptive, runbooks.Critical, reason+" is not known to read")
		case programs.Destroys:
			raise(runbooks.Destructive, runbooks.Critical, reason+" cannot be undone")
		default:
		}
	}
	return class, level, why
}

// supervisor returns the command that calls monit, without the directory of monit.
func (c *Catalog) supervisor() []string {
	argv := slices.Clone(c.Monit)
	if last := len(argv) - 1; last >= 0 && path.IsAbs(argv[last]) {
		argv[last] = path.Base(argv[last])
	}
	return argv
}

// shown returns the words of a step's command, with the catalog's directories inserted. Other
// placeholders stay as written.
func (c *Catalog) shown(t *StepTemplate) (argv []string) {
	for _, w := range t.Run {
		if w.Whole() == "monit" {
			argv = append(argv, c.supervisor()...)
			continue
		}
		var b strings.Builder
		for _, p := range w {
			b.WriteString(p.Literal)
			name, _ := strings.CutPrefix(p.Ref, "path.")
			switch dir, known := c.Paths[name]; {
			case known && name != p.Ref:
				b.WriteString(dir)
			case p.Ref != "":
				b.WriteString("{" + p.Ref + "}")
			}
		}
		argv = append(argv, b.String())
	}
	return argv
}

// relative reports commands that name their program by a relative path.
func (a *Action) relative(c *Catalog) (out strictyaml.Problems) {
	for i := range a.Steps {
		t := &a.Steps[i]
		if argv := c.shown(t); programs.Relative(argv) {
			out = append(out, t.at.Problem(fmt.Sprintf("action %s: `%s` depends on the directory in which it is run: name the program without a directory, or by its full path", a.Name, strings.Join(argv, " "))))
		}
	}
	return out
}
