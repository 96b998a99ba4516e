package planner

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"dhbot/internal/fleet"
	"dhbot/internal/suggest"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// HostCommand is one command that a catalog can send to a host, with its variable parts.
// Every command of a plan matches a HostCommand, so the HostCommands define the required
// sudo rights.
type HostCommand struct {
	Action  string
	Process string // "" if the command is about no process
	Class   runbooks.Class
	Kind    runbooks.StepKind // Exec, Wait or List
	Words   []HostWord
	// Source is the file and line in the runbooks. Corrected is how the command differs
	// from the source, and why.
	Source, Corrected string
}

// HostWord is one word of a HostCommand.
type HostWord struct {
	Parts []HostPart
	// Optional means that the word is absent if an optional parameter is not given.
	Optional bool
	// Most is the maximum number of words of this form. It is 1 except for the results of a list
	// step, and for flags.
	Most int
}

// HostPart is a part of a word. Exactly one of its fields is set. An empty word has no parts.
type HostPart struct {
	Text    string   // fixed text
	OneOf   []string // one of these
	Pattern string   // a regular expression (RE2) for the whole part
}

// Fixed returns the word's text, and whether it is constant.
func (w HostWord) Fixed() (string, bool) {
	var b strings.Builder
	for _, p := range w.Parts {
		if p.Text == "" {
			return "", false
		}
		b.WriteString(p.Text)
	}
	return b.String(), !w.Optional && w.Most == 1
}

// HostCommands returns the commands that the catalog can send to the host, from every action
// available in the cluster, and from the reads of monit and the thread dumps. A step about a
// process is included only if it can run on this host. Manual steps send nothing.
func HostCommands(c *catalogs.Catalog, cl *fleet.Cluster, h *fleet.Host) ([]HostCommand, error) {
	var out []HostCommand
	processes := c.Processes()
	for i := range processes {
		p := &processes[i]
		if len(cl.HostsOf(p.ID)) == 0 {
			continue
		}
		for _, name := range p.Actions {
			a, err := c.Action(name, p.ID)
			if err != nil {
				return nil, err
			}
			if out, err = hostSteps(c, out, a, p, cl, h); err != nil {
				return nil, err
			}
		}
	}
	if slices.ContainsFunc(processes, func(p catalogs.Process) bool { return p.Manager == runbooks.Monit && h.Runs(p.ID) }) {
		out = append(out, ReadsOf(c, h).monitCommand())
	}
	out = append(out, ReadsOf(c, h).threadDumps()...)
	for _, a := range c.Actions() {
		if a.Scope == catalogs.AboutProcess {
			continue
		}
		var err error
		if out, err = hostSteps(c, out, a, nil, cl, h); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// hostSteps adds the commands of one action. If a step includes another action, it adds nothing
// for this step, since HostCommands handles the included action itself.
func hostSteps(
	c *catalogs.Catalog,
	out []HostCommand,
	a *catalogs.Action,
	p *catalogs.Process,
	cl *fleet.Cluster,
	h *fleet.Host,
) ([]HostCommand, error) {
	for i := range a.Steps {
		t := &a.Steps[i]
		about := p
		if t.Process != "" {
			about, _ = c.Process(t.Process)
		}
		elsewhere := about != nil && !h.Runs(about.ID) || !t.SuitsHost(h)
		if t.On != "" {
			first := cl.HostsOf(t.On)
			elsewhere = len(first) == 0 || first[0].Name != h.Name || t.Process != "" && len(cl.HostsOf(t.Process)) == 0
		}
		if t.Use != "" || t.Kind == runbooks.Manual || elsewhere || t.AppLog && (about == nil || len(about.Logs.App) == 0) {
			continue
		}
		words, err := hostWords(a, t, &catalogs.Binding{Catalog: c, Process: about, Cluster: cl, Host: h})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.Name, err)
		}
		cmd := HostCommand{Action: a.Name, Class: a.Class, Kind: t.Kind, Words: words}
		if about != nil {
			cmd.Process = about.ID
		}
		src := c.SourceOf(about, t.Source)
		cmd.Source, cmd.Corrected = src.At, src.Corrected
		if t.Corrected != "" {
			cmd.Corrected = strings.TrimPrefix(cmd.Corrected+"; "+t.Corrected, "; ")
		}
		out = append(out, cmd)
	}
	return out, nil
}

func hostWords(a *catalogs.Action, t *catalogs.StepTemplate, s *catalogs.Binding) ([]HostWord, error) {
	var out []HostWord
	for _, w := range t.Run {
		ref := w.Whole()
		if name, listed := strings.CutPrefix(ref, "listed."); listed {
			word, err := listedWord(a, name)
			if err != nil {
				return nil, err
			}
			out = append(out, word)
			continue
		}
		if catalogs.Splices(ref) {
			for _, f := range s.Several(ref) {
				out = append(out, HostWord{Parts: []HostPart{{Text: f.Text}}, Most: 1})
			}
			continue
		}
		word, err := hostWord(a, w, s)
		if err != nil {
			return nil, err
		}
		out = append(out, word)
	}
	return out, nil
}

// listedWord returns the word for the values of a list step.
func listedWord(a *catalogs.Action, name string) (HostWord, error) {
	l := a.ListStep(name)
	if l == nil {
		return HostWord{}, fmt.Errorf("no step lists %s", suggest.Short(name))
	}
	most := l.Most
	if l.Last > 0 {
		most = min(most, l.Last)
	}
	value, err := group(l.Match.String())
	return HostWord{Parts: []HostPart{{Pattern: value}}, Most: most}, err
}

// group returns the part of a list's pattern that matches the value. If the pattern marks no
// such part, group returns the whole pattern.
func group(pattern string) (string, error) {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return "", err
	}
	var find func(*syntax.Regexp) *syntax.Regexp
	find = func(re *syntax.Regexp) *syntax.Regexp {
		if re.Op == syntax.OpCapture && re.Name == catalogs.ValueGroup {
			return re.Sub[0]
		}
		for _, sub := range re.Sub {
			if found := find(sub); found != nil {
				return found
			}
		}
		return nil
	}
	if found := find(tree); found != nil {
		return "^(?:" + found.String() + ")$", nil
	}
	return pattern, nil
}

func hostWord(a *catalogs.Action, w catalogs.Words, s *catalogs.Binding) (HostWord, error) {
	out := HostWord{Most: 1}
	for _, p := range w {
		part := HostPart{Text: p.Literal}
		if p.Ref != "" {
			if text, known := s.Value(p.Ref); known {
				part.Text = text
			} else {
				var optional bool
				var err error
				if part, optional, err = hostPart(a, p.Ref); err != nil {
					return HostWord{}, err
				}
				out.Optional = out.Optional || optional
				out.Most = max(out.Most, flagCount(a, p.Ref))
			}
		}
		if part.Text != "" || part.OneOf != nil || part.Pattern != "" {
			out.Parts = append(out.Parts, part)
		}
	}
	return out, nil
}

// flagCount returns the maximum number of values of a parameter.
func flagCount(a *catalogs.Action, ref string) int {
	for _, p := range a.Params {
		if p.Type == catalogs.FlagsParam && ref == "param."+p.Name {
			return len(p.Choices)
		}
	}
	return 1
}

// hostPart returns the possible values of the parameter or minted value that ref names. optional
// is true if the parameter may be left out and has no default.
func hostPart(a *catalogs.Action, ref string) (part HostPart, optional bool, err error) {
	if name, ok := strings.CutPrefix(ref, "minted."); ok && slices.Contains(a.Minted, name) {
		return HostPart{Pattern: catalogs.Stamp.String()}, false, nil
	}
	name, _ := strings.CutPrefix(ref, "param.")
	for i := range a.Params {
		if p := &a.Params[i]; p.Name == name {
			optional = p.Optional && p.Default == ""
			switch p.Type {
			case catalogs.ChoiceParam, catalogs.FlagsParam:
				return HostPart{OneOf: p.Choices}, optional, nil
			case catalogs.IntParam:
				return HostPart{Pattern: intPattern(p.Min, p.Max)}, optional, nil
			default:
				shape, ok := catalogs.ParamShape[p.Type]
				if !ok {
					return HostPart{}, false, fmt.Errorf("the parameter %s has the unknown type %q", name, p.Type)
				}
				return HostPart{Pattern: shape.Re.String()}, optional, nil
			}
		}
	}
	return HostPart{}, false, fmt.Errorf("{%s} has no value here", ref)
}

// intPattern matches exactly the whole numbers from lo to hi (0 ≤ lo ≤ hi), without
// leading zeros: 1 to 500 is [1-9]|[1-9][0-9]|[1-4][0-9][0-9]|500.
func intPattern(lo, hi int) string {
	// Between two adjacent stops each digit varies independently.
	stops := []int{hi}
	for k := 10; lo/k*k+k-1 < hi; k *= 10 {
		stops = append(stops, lo/k*k+k-1)
	}
	for k := 10; (hi+1)/k*k-1 > lo; k *= 10 {
		stops = append(stops, (hi+1)/k*k-1)
	}
	var alternatives []string
	for _, stop := range slices.Compact(slices.Sorted(slices.Values(stops))) {
		alternatives = append(alternatives, digits(strconv.Itoa(lo), strconv.Itoa(stop)))
		lo = stop + 1
	}
	return "^(" + strings.Join(alternatives, "|") + ")$"
}

// digits returns a pattern in which each digit is between the digits of lo and hi at this
// position. Both numbers have the same length.
func digits(lo, hi string) string {
	var b strings.Builder
	for i := range lo {
		if lo[i] == hi[i] {
			b.WriteByte(lo[i])
		} else {
			fmt.Fprintf(&b, "[%c-%c]", lo[i], hi[i])
		}
	}
	return b.String()
}
