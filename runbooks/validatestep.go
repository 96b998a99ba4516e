package runbooks

import (
	"slices"
	"strings"
)

// checkStep holds a step to the rules of its kind.
func (l *loader) checkStep(c *Catalog, a *Action, t *template) {
	fault := func(format string, args ...any) { l.report(t.at, "action "+a.Name+": "+format, args...) }
	if t.process != "" {
		if _, ok := c.Process(t.process); !ok {
			fault("the step is about a process that is not there: %v", c.unknownProcess(t.process))
			return
		}
	}
	for _, id := range []string{t.on, t.beside, t.notBeside} {
		if _, ok := c.Process(id); id != "" && !ok {
			fault("the step names a process that is not there: %v", c.unknownProcess(id))
		}
	}
	for _, name := range slices.Concat(t.given, t.notGiven) {
		if !slices.ContainsFunc(a.Params, func(p Param) bool { return p.Name == name }) {
			fault("the step depends on the parameter %s, which the action does not have", short(name))
		}
	}
	if t.ifSet+t.ifNotSet != "" && (t.on != "" || t.process == "" && a.Scope == AboutCluster) {
		fault("a step with if_set or if_not_set runs on the hosts that it is about: it needs process: ID in an action about the cluster, and cannot have at")
	}
	if t.use != "" {
		l.checkUse(c, a, t)
		return
	}
	rule, ok := stepRules[t.kind]
	if !ok {
		fault("a step needs a kind: exec, wait, list or manual (or use, another action)")
		return
	}
	if t.kind == Exec && !a.Class.Changing() || t.kind == Manual && !a.Class.Changing() {
		fault("an action of class %s cannot have a step of kind %s: what may change something is writes, disruptive or destructive", a.Class, t.kind)
	}
	l.checkList(a, t)
	has := map[string]bool{
		"run": len(t.run) > 0, "text": len(t.text) > 0, "until": t.until != "", "check": t.check != "",
		"timeout": t.timeout > 0, "within": t.within > 0, "list": t.list != "", "match": t.match != nil, "most": t.most > 0,
	}
	for _, key := range []string{"run", "text", "until", "check", "timeout", "within", "list", "match", "most"} {
		if key == "list" && t.until == Unchanged {
			continue
		}
		if wants := slices.Contains(rule, key); wants != has[key] {
			fault("a step of kind %s has the keys %s and no others of their sort; %s is %s", t.kind, strings.Join(rule, ", "), key,
				map[bool]string{true: "missing", false: "too many"}[wants])
		}
	}
	if t.kind == Wait && t.until.AboutProcess() && t.process == "" && a.Scope != AboutProcess {
		fault("a step that waits until %s needs a process to watch", t.until)
	}
	if t.until.aboutMember() && (t.on == "" || t.process != "" && t.process != a.single() || a.Scope != AboutProcess) {
		fault("a step that waits until %s is one of an action for a process, and needs at: the process beside which etcd can be asked", t.until)
	}
	l.checkRun(c, a, t)
}

// stepRules are the keys that make each kind of step complete.
var stepRules = map[StepKind][]string{
	Exec:   {"run", "check", "timeout"},
	Wait:   {"run", "until", "timeout", "within"},
	List:   {"run", "list", "match", "most", "timeout"},
	Manual: {"text"},
}

// checkList holds what belongs to lists to the steps that have one.
func (l *loader) checkList(a *Action, t *template) {
	fault := func(format string, args ...any) { l.report(t.at, "action "+a.Name+": "+format, args...) }
	switch {
	case t.until == Unchanged && a.listStep(t.list) == nil:
		fault("a step that waits for an unchanged list names it with list: the name of a list step")
	case t.kind != List && (t.last != 0 || t.mayBeEmpty || t.ignoreOthers):
		fault("last, may_be_empty and ignore_others are for steps of kind list")
	}
}

// single is the one process that an action is for, or "".
func (a *Action) single() string {
	if len(a.Processes) == 1 {
		return a.Processes[0]
	}
	return ""
}

func (l *loader) checkUse(c *Catalog, a *Action, t *template) {
	if t.kind != "" || len(t.run)+len(t.text) > 0 || t.process == "" || a.Scope == AboutProcess {
		l.report(t.at, "action %s: a step that uses another action has the keys use and process alone, in an action about a host or the cluster", a.Name)
		return
	}
	used, err := c.Action(t.use, t.process)
	switch {
	case err != nil:
		l.report(t.at, "action %s: %v", a.Name, err)
	case used.uses() || used.lists() || len(used.Params)+len(used.Minted) > 0:
		l.report(t.at, "action %s cannot use %s, which itself uses actions, lists something or has parameters", a.Name, used.Name)
	case used.Class.Changing() && !a.Class.Changing() || used.Class == Destructive && a.Class != Destructive:
		l.report(t.at, "action %s of class %s cannot use %s, which is %s", a.Name, a.Class, used.Name, used.Class)
	}
}

// checkRun holds a command to what Quote and Wrap rely on: a fixed first word,
// sudo nowhere else, and only placeholders that will be filled.
func (l *loader) checkRun(c *Catalog, a *Action, t *template) {
	known := func(ref string) bool { return l.known(c, a, t, ref) }
	for i, w := range t.run {
		l.checkRefs(a, w, t.at, known)
		literal := len(w) == 1 && w[0].ref == ""
		if i == 0 && !literal && w.whole() != "monit" {
			l.report(t.at, "action %s: a command begins with a fixed word or {monit}", a.Name)
		}
		if i == 0 && literal && (strings.HasPrefix(w[0].literal, "-") || strings.Contains(w[0].literal, "=")) {
			l.report(t.at, "action %s: a command cannot begin with an option or an assignment", a.Name)
		}
		if i > 0 && literal && w[0].literal == "sudo" || i > 0 && w.whole() == "monit" {
			l.report(t.at, "action %s: sudo and {monit} can only be the first word of a command", a.Name)
		}
		for _, p := range w {
			if splices(p.ref) && len(w) > 1 {
				l.report(t.at, "action %s: {%s} stands for several words and must be a word by itself", a.Name, p.ref)
			}
			if len(w) == 1 && a.droppable(t, p.ref) {
				l.report(t.at, "action %s: the optional {%s} must be part of a longer word, as in --flag={%s}, which is left out with it", a.Name, p.ref, p.ref)
			}
		}
	}
	l.checkRefs(a, t.text, t.at, known)
	for _, p := range t.text {
		if splices(p.ref) || a.droppable(t, p.ref) {
			l.report(t.at, "action %s: {%s} cannot stand in a text: it is a list, or may be absent", a.Name, p.ref)
		}
	}
}

// droppable says that a placeholder is a parameter that may be absent from a
// request for which the step is.
func (a *Action) droppable(t *template, ref string) bool {
	return slices.ContainsFunc(a.Params, func(p Param) bool {
		return "param."+p.Name == ref && p.Optional && p.Default == "" && !slices.Contains(t.given, p.Name)
	})
}

func (l *loader) known(c *Catalog, a *Action, t *template, ref string) bool {
	about := a.Scope == AboutProcess || t.process != ""
	kind, name, dotted := strings.Cut(ref, ".")
	switch {
	case !dotted:
		switch ref {
		case "monit", "host", "logs", "etcd_client", "etcd_endpoint":
			return true
		case "process", "service":
			return about
		case "app_logs", "log_slices", "log_dir", "stdout":
			return about && t.appLog
		case clientUpdateReload:
			return t.ifSet == ref
		case "log_files":
			return about
		default:
			return false
		}
	case kind == "param":
		return slices.ContainsFunc(a.Params, func(p Param) bool { return p.Name == name })
	case kind == "minted":
		return slices.Contains(a.Minted, name)
	case kind == "path":
		return c.Paths[name] != ""
	case kind == "listed":
		// A list may be made of another that stands before it.
		return slices.ContainsFunc(a.steps, func(s template) bool {
			return s.kind == List && s.list == name && (t.kind != List || before(s.at, t.at))
		})
	default:
		return false
	}
}

func (l *loader) checkRefs(a *Action, w words, at pos, known func(string) bool) {
	for _, p := range w {
		if p.ref != "" && !known(p.ref) {
			l.report(at, "action %s: {%s} stands for nothing here", a.Name, p.ref)
		}
	}
}

// sourceKeys are the keys by which the steps of the catalog name their source.
func (c *Catalog) sourceKeys() []string {
	var keys []string
	for _, a := range c.actions {
		for i := range a.steps {
			if key := a.steps[i].source; key != "" && !sourceLine.MatchString(key) {
				keys = append(keys, key)
			}
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// source looks a step's source up: a file and line by itself, or a key of the
// process's sources or the catalog's.
func (c *Catalog) sourceOf(p *Process, key string) source {
	if key == "" || sourceLine.MatchString(key) {
		return source{at: key}
	}
	if p != nil {
		if s, ok := p.sources[key]; ok {
			return s
		}
	}
	return c.sources[key]
}
