package catalogs

import (
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"dhbot/internal/suggest"
	"dhbot/runbooks"
)

func (l *loader) params(a *Action, n ast.Node) {
	l.items(n, "params", func(n ast.Node) {
		var p Param
		l.mapping(n, "a parameter", fields{
			"name":     l.str(&p.Name, "name"),
			"type":     oneOf(&l.yamlFile, &p.Type, "type", paramTypes()...),
			"help":     l.str(&p.Help, "help"),
			"optional": l.boolean(&p.Optional, "optional"),
			"default":  l.str(&p.Default, "default"),
			"choices":  l.strs(&p.Choices, "choices"),
			"min":      l.integer(&p.Min, "min"),
			"max":      l.integer(&p.Max, "max"),
			"today":    l.str(&p.Today, "today"),
		})
		for _, why := range p.faults() {
			l.report(l.at(n), "the parameter %s %s", suggest.Short(p.Name), why)
		}
		a.Params = append(a.Params, p)
	})
}

var paramName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,31}$`)

// faults lists the errors in the definition of a parameter.
func (p *Param) faults() (out []string) {
	if !paramName.MatchString(p.Name) {
		out = append(out, "needs a name of letters, digits and _")
	}
	if p.Type == "" {
		out = append(out, "needs a type")
	}
	if (p.Type == ChoiceParam || p.Type == FlagsParam) != (len(p.Choices) > 0) {
		out = append(out, "must have choices exactly if its type is choice or flags")
	}
	if p.Today != "" && p.Type != DateParam {
		out = append(out, "can have today only if its type is date")
	}
	for _, c := range p.Choices {
		if c == "" || c[0] == '-' || runbooks.Printable(c) != nil || p.Type == FlagsParam && strings.Contains(c, ",") {
			out = append(out, "cannot have the choice "+suggest.Short(c))
		}
	}
	if p.Type == IntParam && (p.Max <= p.Min || p.Min < 0) {
		out = append(out, "needs a min of 0 or more and a max above it")
	}
	if p.Default != "" {
		if want := p.Check(p.Default); want != "" {
			out = append(out, "has the default "+suggest.Short(p.Default)+", which "+want)
		}
	}
	return out
}

func (l *loader) step(n ast.Node) StepTemplate {
	t := StepTemplate{at: l.at(n)}
	var run []string
	var text string
	runAt, textAt := t.at, t.at
	l.mapping(n, "a step", fields{
		"kind":      oneOf(&l.yamlFile, &t.Kind, "kind", runbooks.Exec, runbooks.Wait, runbooks.List, runbooks.Manual),
		"title":     l.str(&t.title, "title"),
		"run":       func(n ast.Node) { runAt = l.at(n); l.strs(&run, "run")(n) },
		"text":      func(n ast.Node) { textAt = l.at(n); l.str(&text, "text")(n) },
		"until":     oneOf(&l.yamlFile, &t.Until, "until", runbooks.Conditions()...),
		"check":     oneOf(&l.yamlFile, &t.check, "check", runbooks.ExitZero, runbooks.Silent),
		"timeout":   l.seconds(&t.timeout, "timeout"),
		"within":    l.seconds(&t.within, "within"),
		"source":    l.str(&t.Source, "source"),
		"corrected": l.str(&t.Corrected, "corrected"),
		"main":      l.boolean(&t.main, "main"),
		"process":   l.str(&t.Process, "process"),
		"at":        l.str(&t.On, "at"),
		"app_log":   l.boolean(&t.AppLog, "app_log"),
		"once":      oneOf(&l.yamlFile, &t.Once, "once", "first", "last"),
		"list":      l.str(&t.List, "list"),
		"match":     func(n ast.Node) { t.matchAt = l.at(n); l.str(&t.pattern, "match")(n) },
		"most":      l.integer(&t.Most, "most"),
		"last":      l.integer(&t.Last, "last"),

		"may_be_empty":  l.boolean(&t.mayBeEmpty, "may_be_empty"),
		"ignore_others": l.boolean(&t.ignoreOthers, "ignore_others"),
		"beside":        l.str(&t.beside, "beside"),
		"not_beside":    l.str(&t.notBeside, "not_beside"),
		"given":         l.strs(&t.Given, "given"),
		"not_given":     l.strs(&t.NotGiven, "not_given"),
		"if_set":        oneOf(&l.yamlFile, &t.ifSet, "if_set", clientUpdateReload),
		"if_not_set":    oneOf(&l.yamlFile, &t.ifNotSet, "if_not_set", clientUpdateReload),

		"use": l.str(&t.Use, "use"),
	})
	t.Run = l.words(run, runAt)
	if text != "" {
		if all := l.words([]string{text}, textAt); len(all) == 1 {
			t.text = all[0]
		}
	}
	if _, err := wholeLine(placeholder.ReplaceAllString(t.pattern, "/")); err != nil {
		l.report(t.matchAt, "match: %v", err)
	}
	return t
}

// matches compiles the pattern of a list after all files are read, since a later layer may
// move a directory in it.
func (l *loader) matches(c *Catalog, t *StepTemplate) {
	if t.pattern == "" {
		return
	}
	rooted := placeholder.ReplaceAllStringFunc(t.pattern, func(ref string) string {
		name, is := strings.CutPrefix(strings.Trim(ref, "{}"), "path.")
		dir := c.Paths[name]
		if !is || dir == "" {
			l.report(t.matchAt, "match: %s stands for nothing here; it is for {path.NAME} of the catalog's paths", ref)
		}
		return regexp.QuoteMeta(dir)
	})
	re, err := wholeLine(rooted)
	if err != nil {
		l.report(t.matchAt, "match: %v", err)
		return
	}
	t.Match = re
}

func wholeLine(pattern string) (*regexp.Regexp, error) {
	return regexp.Compile(`^(?:` + pattern + `)$`)
}

// lookAgain copies the command of a list to the wait for Unchanged that checks it.
func (a *Action) lookAgain() {
	for i := range a.Steps {
		t := &a.Steps[i]
		if t.Kind != runbooks.Wait || t.Until != runbooks.Unchanged || len(t.Run) > 0 {
			continue
		}
		if l := a.ListStep(t.List); l != nil {
			t.Run = l.Run
			t.Source = l.Source
			t.Corrected = l.Corrected
		}
	}
}

// ListStep returns the list step of that name, or nil.
func (a *Action) ListStep(name string) *StepTemplate {
	for i := range a.Steps {
		if t := &a.Steps[i]; t.Kind == runbooks.List && t.List == name {
			return t
		}
	}
	return nil
}
