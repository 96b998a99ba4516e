package runbooks

import (
	"fmt"
	"slices"
	"strings"
)

// step fills a template in, as far as the scope knows.
func (s *scope) step(t *template) (Step, error) {
	step := Step{
		Kind: t.kind, Title: t.title, Until: t.until, Check: t.check,
		Timeout: t.timeout, Within: t.within,
	}
	if s.process != nil {
		step.Process = s.process.ID
		step.Manager = s.process.Manager
		step.Service = s.process.Service
	}
	src := s.catalog.sourceOf(s.process, t.source)
	step.Source, step.Corrected = src.at, src.corrected
	if t.corrected != "" {
		step.Corrected = strings.TrimPrefix(step.Corrected+"; "+t.corrected, "; ")
	}
	if t.kind == Manual {
		f, _ := s.one(t.text)
		step.Command, step.Check = f.text, Ticked
		return step, nil
	}
	if t.kind == List {
		step.Check = Lines
	}
	line, argv, err := command(s.fill(t.run))
	if err != nil {
		return Step{}, err
	}
	step.Command = line
	if argv != nil {
		step.Sent, err = Wrap(s.host, argv, t.timeout.D())
	}
	return step, err
}

// valueGroup is the group of a list's pattern, (?P<value>…), that is the value
// of a line; without it the whole line is.
const valueGroup = "value"

// values are the words that the lines of an answer stand for, or what is
// wrong with them.
func (t *template) values(lines []string) (values []string, want string) {
	if len(lines) > t.most {
		return nil, fmt.Sprintf("came back with %d lines; the limit is %d", len(lines), t.most)
	}
	values = []string{}
	for _, line := range lines {
		m := t.match.FindStringSubmatch(line)
		if m == nil && t.ignoreOthers {
			continue
		}
		value := ""
		if m != nil {
			value = m[max(0, t.match.SubexpIndex(valueGroup))]
		}
		if value == "" || strings.HasPrefix(value, "-") || printable(value) != nil {
			return nil, "has the line " + short(line) + ", which this list may not hold (" + t.match.String() + ")"
		}
		values = append(values, value)
	}
	if len(values) == 0 && !t.mayBeEmpty {
		return nil, "came back empty: there is nothing to act on"
	}
	slices.Sort(values)
	if t.last > 0 && len(values) > t.last {
		values = values[len(values)-t.last:]
	}
	return values, ""
}

// needsNone says that the command is about the lines of a list that has none.
func (t *template) needsNone(listed map[string][]string) bool {
	return slices.ContainsFunc(t.run, func(w words) bool {
		name, is := strings.CutPrefix(w.whole(), "listed.")
		lines, bound := listed[name]
		return is && bound && len(lines) == 0
	})
}
