package catalogs

import (
	"regexp"
	"strings"
	"time"

	"dhbot/internal/strictyaml"
	"dhbot/internal/suggest"
	"dhbot/runbooks"
)

func (a *Action) readParams(v strictyaml.Value) {
	for _, item := range v.Items() {
		var p Param
		item.Read(strictyaml.Fields{
			"name":     strictyaml.Into(&p.Name, text),
			"type":     strictyaml.Into(&p.Type, strictyaml.OneOf(paramTypes()...)),
			"help":     strictyaml.Into(&p.Help, text),
			"optional": strictyaml.Into(&p.Optional, yes),
			"default":  strictyaml.Into(&p.Default, text),
			"choices":  strictyaml.Into(&p.Choices, words),
			"min":      strictyaml.Into(&p.Min, number),
			"max":      strictyaml.Into(&p.Max, number),
			"today":    strictyaml.Into(&p.Today, text),
		})
		for _, why := range p.faults() {
			item.Problem("the parameter "+suggest.Short(p.Name)+" "+why, "")
		}
		a.Params = append(a.Params, p)
	}
}

// number reads a whole number of at most nine digits, which is a bound of a number parameter, or
// the key most or last of a list step.
func number(v strictyaml.Value) int { return v.Number(0, 999_999_999, 0) }

// seconds reads a duration in whole seconds, because runbooks.Wrap accepts no other time-out.
func seconds(v strictyaml.Value) runbooks.Duration {
	d := v.Duration(time.Second, 24*time.Hour, 15*time.Second)
	if d%time.Second != 0 {
		v.Problem("this is not a whole number of seconds", "write a time such as 15s or 3m")
	}
	return runbooks.Duration(d)
}

var paramName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,31}$`)

// faults lists what is wrong with the definition of a parameter.
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

func readStep(v strictyaml.Value) StepTemplate {
	t := StepTemplate{at: v.Place()}
	v.Read(strictyaml.Fields{
		"kind":      strictyaml.Into(&t.Kind, strictyaml.OneOf(runbooks.Exec, runbooks.Wait, runbooks.List, runbooks.Manual)),
		"title":     strictyaml.Into(&t.title, text),
		"run":       strictyaml.Into(&t.Run, templates),
		"text":      strictyaml.Into(&t.text, instruction),
		"until":     strictyaml.Into(&t.Until, strictyaml.OneOf(runbooks.Conditions()...)),
		"check":     strictyaml.Into(&t.check, strictyaml.OneOf(runbooks.ExitZero, runbooks.Silent)),
		"timeout":   strictyaml.Into(&t.timeout, seconds),
		"within":    strictyaml.Into(&t.within, seconds),
		"source":    strictyaml.Into(&t.Source, text),
		"corrected": strictyaml.Into(&t.Corrected, text),
		"main":      strictyaml.Into(&t.main, yes),
		"process":   strictyaml.Into(&t.Process, text),
		"at":        strictyaml.Into(&t.On, text),
		"app_log":   strictyaml.Into(&t.AppLog, yes),
		"once":      strictyaml.Into(&t.Once, strictyaml.OneOf("first", "last")),
		"list":      strictyaml.Into(&t.List, text),
		"match":     t.readMatch,
		"most":      strictyaml.Into(&t.Most, number),
		"last":      strictyaml.Into(&t.Last, number),

		"may_be_empty":  strictyaml.Into(&t.mayBeEmpty, yes),
		"ignore_others": strictyaml.Into(&t.ignoreOthers, yes),
		"beside":        strictyaml.Into(&t.beside, text),
		"not_beside":    strictyaml.Into(&t.notBeside, text),
		"given":         strictyaml.Into(&t.Given, words),
		"not_given":     strictyaml.Into(&t.NotGiven, words),
		"if_set":        strictyaml.Into(&t.ifSet, strictyaml.OneOf(clientUpdateReload)),
		"if_not_set":    strictyaml.Into(&t.ifNotSet, strictyaml.OneOf(clientUpdateReload)),

		"use": strictyaml.Into(&t.Use, text),
	})
	return t
}

// instruction reads the text of a manual step. An empty text counts as missing.
func instruction(v strictyaml.Value) Words {
	if v.Word() == "" {
		return nil
	}
	return template(v)
}

// readMatch reads and checks the pattern of a list. The placeholders in the pattern have no values
// yet.
func (t *StepTemplate) readMatch(v strictyaml.Value) {
	t.matchAt, t.pattern = v.Place(), v.Word()
	if _, err := wholeLine(placeholder.ReplaceAllString(t.pattern, "/")); err != nil {
		v.Problem(err.Error(), "")
	}
}

// matches compiles the pattern of a list. This happens after all files are read, because a later
// layer may change a directory that the pattern uses.
func (l *loader) matches(c *Catalog, t *StepTemplate) {
	if t.pattern == "" {
		return
	}
	rooted := placeholder.ReplaceAllStringFunc(t.pattern, func(ref string) string {
		name, is := strings.CutPrefix(strings.Trim(ref, "{}"), "path.")
		dir := c.Paths[name]
		if !is || dir == "" {
			l.report(t.matchAt, "match: %s has no value here; only {path.NAME} of the catalog's paths has one", ref)
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

// lookAgain gives a wait step with until: unchanged the command of the list that it repeats.
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

// ListStep returns the list step with this name, or nil.
func (a *Action) ListStep(name string) *StepTemplate {
	for i := range a.Steps {
		if t := &a.Steps[i]; t.Kind == runbooks.List && t.List == name {
			return t
		}
	}
	return nil
}
