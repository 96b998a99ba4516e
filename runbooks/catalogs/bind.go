package catalogs

import (
	"fmt"
	"slices"
	"strings"

	"dhbot/internal/suggest"
	"dhbot/runbooks"
)

// Step turns a template into a step. Placeholders without a value stay.
func (s *Binding) Step(t *StepTemplate) (runbooks.Step, error) {
	step := runbooks.Step{
		Kind: t.Kind, Title: t.title, Until: t.Until, Check: t.check,
		Timeout: t.timeout, Within: t.within,
	}
	if s.Process != nil {
		step.Process = s.Process.ID
		step.Manager = s.Process.Manager
		step.Service = s.Process.Service
	}
	src := s.Catalog.SourceOf(s.Process, t.Source)
	step.Source, step.Corrected = src.At, src.Corrected
	if t.Corrected != "" {
		step.Corrected = strings.TrimPrefix(step.Corrected+"; "+t.Corrected, "; ")
	}
	if t.Kind == runbooks.Manual {
		f, _ := s.One(t.text)
		step.Command, step.Check = f.Text, runbooks.Ticked
		return step, nil
	}
	if t.Kind == runbooks.List {
		step.Check = runbooks.Lines
	}
	line, argv, err := command(s.Fill(t.Run))
	if err != nil {
		return runbooks.Step{}, err
	}
	step.Command = line
	if argv != nil {
		step.Sent, err = runbooks.Wrap(s.Host, argv, t.timeout.D())
	}
	return step, err
}

// ValueGroup is the name of a group in a list's pattern, (?P<value>…). The group holds the value of
// a line. Without such a group, the whole line is the value.
const ValueGroup = "value"

// Values extracts the values from a list's lines. The result want is empty, or is a text that says
// what is wrong with the lines.
func (t *StepTemplate) Values(lines []string) (values []string, want string) {
	if len(lines) > t.Most {
		return nil, fmt.Sprintf("has %d lines; the limit is %d", len(lines), t.Most)
	}
	values = []string{}
	for _, line := range lines {
		m := t.Match.FindStringSubmatch(line)
		if m == nil && t.ignoreOthers {
			continue
		}
		value := ""
		if m != nil {
			value = m[max(0, t.Match.SubexpIndex(ValueGroup))]
		}
		if value == "" || strings.HasPrefix(value, "-") || runbooks.Printable(value) != nil {
			return nil, "has the line " + suggest.Short(line) + ", which does not match this list's pattern (" + t.Match.String() + ")"
		}
		values = append(values, value)
	}
	if len(values) == 0 && !t.mayBeEmpty {
		return nil, "is empty: there is nothing to act on"
	}
	slices.Sort(values)
	if t.Last > 0 && len(values) > t.Last {
		values = values[len(values)-t.Last:]
	}
	return values, ""
}

// NeedsNone reports whether the command uses a list that turned out to be empty.
func (t *StepTemplate) NeedsNone(listed map[string][]string) bool {
	return slices.ContainsFunc(t.Run, func(w Words) bool {
		name, is := strings.CutPrefix(w.Whole(), "listed.")
		lines, bound := listed[name]
		return is && bound && len(lines) == 0
	})
}
