package catalogs

import (
	"slices"
	"strings"

	"dhbot/internal/strictyaml"
	"dhbot/internal/suggest"
	"dhbot/runbooks"
)

// checkStep checks a step against the rules of its kind.
func (l *loader) checkStep(c *Catalog, a *Action, t *StepTemplate) {
	fault := func(format string, args ...any) { l.report(t.at, "action "+a.Name+": "+format, args...) }
	if t.Process != "" {
		if _, ok := c.Process(t.Process); !ok {
			fault("the step is about an unknown process: %v", c.unknownProcess(t.Process))
			return
		}
	}
	for _, id := range []string{t.On, t.beside, t.notBeside} {
		if _, ok := c.Process(id); id != "" && !ok {
			fault("the step names an unknown process: %v", c.unknownProcess(id))
		}
	}
	for _, name := range slices.Concat(t.Given, t.NotGiven) {
		if !slices.ContainsFunc(a.Params, func(p Param) bool { return p.Name == name }) {
			fault("the step depends on the parameter %s, which the action does not have", suggest.Short(name))
		}
	}
	if t.ifSet+t.ifNotSet != "" && (t.On != "" || t.Process == "" && a.Scope == AboutCluster) {
		fault("a step with if_set or if_not_set cannot have `at:`; in an action about the cluster it needs `process: ID`")
	}
	if t.Use != "" {
		l.checkUse(c, a, t)
		return
	}
	rule, ok := stepRules[t.Kind]
	if !ok {
		fault("a step needs a kind: exec, wait, list or manual (or use, another action)")
		return
	}
	if t.Kind == runbooks.Exec && !a.Class.Changing() || t.Kind == runbooks.Manual && !a.Class.Changing() {
		fault("an action of class %s cannot have a step of kind %s: an action that may change something is of class writes, disruptive or destructive", a.Class, t.Kind)
	}
	l.checkList(a, t)
	has := map[string]bool{
		"run": len(t.Run) > 0, "text": len(t.text) > 0, "until": t.Until != "", "check": t.check != "",
		"timeout": t.timeout > 0, "within": t.within > 0, "list": t.List != "", "match": t.Match != nil, "most": t.Most > 0,
	}
	for _, key := range []string{"run", "text", "until", "check", "timeout", "within", "list", "match", "most"} {
		if key == "list" && t.Until == runbooks.Unchanged {
			continue
		}
		if wants := slices.Contains(rule, key); wants != has[key] {
			fault("a step of kind %s needs the keys %s; %s is %s", t.Kind, strings.Join(rule, ", "), key,
				map[bool]string{true: "missing", false: "not allowed"}[wants])
		}
	}
	if t.Kind == runbooks.Wait && t.Until.AboutProcess() && t.Process == "" && a.Scope != AboutProcess {
		fault("a step that waits until %s needs a process to watch", t.Until)
	}
	if t.Until.AboutMember() && (t.On == "" || t.Process != "" && t.Process != a.single() || a.Scope != AboutProcess) {
		fault("a step that waits until %s belongs to an action for one process, and needs at: the process on whose host etcd can be queried", t.Until)
	}
	l.checkRun(c, a, t)
}

// stepRules has the keys that each kind of step requires.
var stepRules = map[runbooks.StepKind][]string{
	runbooks.Exec:   {"run", "check", "timeout"},
	runbooks.Wait:   {"run", "until", "timeout", "within"},
	runbooks.List:   {"run", "list", "match", "most", "timeout"},
	runbooks.Manual: {"text"},
}

// checkList checks the keys of list steps.
func (l *loader) checkList(a *Action, t *StepTemplate) {
	fault := func(format string, args ...any) { l.report(t.at, "action "+a.Name+": "+format, args...) }
	switch {
	case t.Until == runbooks.Unchanged && a.ListStep(t.List) == nil:
		fault("a step that waits for an unchanged list needs list: the name of a list step")
	case t.Kind != runbooks.List && (t.Last != 0 || t.mayBeEmpty || t.ignoreOthers):
		fault("last, may_be_empty and ignore_others are for steps of kind list")
	}
}

// single returns the process of the action if there is exactly one, or else "".
func (a *Action) single() string {
	if len(a.Processes) == 1 {
		return a.Processes[0]
	}
	return ""
}

func (l *loader) checkUse(c *Catalog, a *Action, t *StepTemplate) {
	if t.Kind != "" || len(t.Run)+len(t.text) > 0 || t.Process == "" || a.Scope == AboutProcess {
		l.report(t.at, "action %s: a step that uses another action has only the keys use and process, and belongs to an action about a host or the cluster", a.Name)
		return
	}
	used, err := c.Action(t.Use, t.Process)
	switch {
	case err != nil:
		l.report(t.at, "action %s: %v", a.Name, err)
	case used.uses() || used.lists() || len(used.Params)+len(used.Minted) > 0:
		l.report(t.at, "action %s cannot use %s, which itself uses actions, lists something or has parameters", a.Name, used.Name)
	case used.Class.Changing() && !a.Class.Changing() || used.Class == runbooks.Destructive && a.Class != runbooks.Destructive:
		l.report(t.at, "action %s of class %s cannot use %s, which is %s", a.Name, a.Class, used.Name, used.Class)
	}
}

// checkRun checks a command against the rules of Quote and Wrap. The first word must be fixed or
// {monit}, sudo and {monit} may only be the first word, and all placeholders must be known.
func (l *loader) checkRun(c *Catalog, a *Action, t *StepTemplate) {
	known := func(ref string) bool { return l.known(c, a, t, ref) }
	for i, w := range t.Run {
		l.checkRefs(a, w, t.at, known)
		literal := len(w) == 1 && w[0].Ref == ""
		if i == 0 && !literal && w.Whole() != "monit" {
			l.report(t.at, "action %s: a command begins with a fixed word or {monit}", a.Name)
		}
		if i == 0 && literal && (strings.HasPrefix(w[0].Literal, "-") || strings.Contains(w[0].Literal, "=")) {
			l.report(t.at, "action %s: a command cannot begin with an option or an assignment", a.Name)
		}
		if i > 0 && literal && w[0].Literal == "sudo" || i > 0 && w.Whole() == "monit" {
			l.report(t.at, "action %s: sudo and {monit} can only be the first word of a command", a.Name)
		}
		for _, p := range w {
			if Splices(p.Ref) && len(w) > 1 {
				l.report(t.at, "action %s: {%s} stands for several words, so nothing else may be part of the same word", a.Name, p.Ref)
			}
			if len(w) == 1 && a.droppable(t, p.Ref) {
				l.report(t.at, "action %s: the optional {%s} must be part of a longer word, as in --flag={%s}; that word is left out if the parameter is not given", a.Name, p.Ref, p.Ref)
			}
		}
	}
	l.checkRefs(a, t.text, t.at, known)
	for _, p := range t.text {
		if Splices(p.Ref) || a.droppable(t, p.Ref) {
			l.report(t.at, "action %s: {%s} cannot stand in a text: it is a list, or may be absent", a.Name, p.Ref)
		}
	}
}

// droppable reports whether a placeholder is an optional parameter that may be missing, even if the
// step is part of the plan.
func (a *Action) droppable(t *StepTemplate, ref string) bool {
	return slices.ContainsFunc(a.Params, func(p Param) bool {
		return "param."+p.Name == ref && p.Optional && p.Default == "" && !slices.Contains(t.Given, p.Name)
	})
}

func (l *loader) known(c *Catalog, a *Action, t *StepTemplate, ref string) bool {
	about := a.Scope == AboutProcess || t.Process != ""
	kind, name, dotted := strings.Cut(ref, ".")
	switch {
	case !dotted:
		switch ref {
		case "monit", "host", "logs", "etcd_client", "etcd_endpoint":
			return true
		case "process", "service":
			return about
		case "app_logs", "log_slices", "log_dir", "stdout":
			return about && t.AppLog
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
		// A list may use the result of an earlier list.
		return slices.ContainsFunc(a.Steps, func(s StepTemplate) bool {
			return s.Kind == runbooks.List && s.List == name && (t.Kind != runbooks.List || before(s.at, t.at))
		})
	default:
		return false
	}
}

func (l *loader) checkRefs(a *Action, w Words, at strictyaml.Place, known func(string) bool) {
	for _, p := range w {
		if p.Ref != "" && !known(p.Ref) {
			l.report(at, "action %s: {%s} has no value here", a.Name, p.Ref)
		}
	}
}

// sourceKeys returns all source keys that the steps of the catalog use.
func (c *Catalog) sourceKeys() []string {
	var keys []string
	for _, a := range c.actions {
		for i := range a.Steps {
			if key := a.Steps[i].Source; key != "" && !sourceLine.MatchString(key) {
				keys = append(keys, key)
			}
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// SourceOf returns where a step comes from. The argument key is a file and line, or a key in the
// sources of the process or of the catalog.
func (c *Catalog) SourceOf(p *Process, key string) Origin {
	if key == "" || sourceLine.MatchString(key) {
		return Origin{At: key}
	}
	if p != nil {
		if s, ok := p.sources[key]; ok {
			return s
		}
	}
	return c.sources[key]
}
