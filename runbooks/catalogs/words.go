package catalogs

import (
	"fmt"
	"maps"
	"regexp"
	"strings"

	"dhbot/internal/fleet"
	"dhbot/internal/suggest"
	"dhbot/runbooks"
)

// Words is one word of a command template, or a text, split into literal parts and placeholders. If
// the whole word is {monit}, {app_logs}, {log_slices}, {log_files} or {listed.NAME}, it stands for
// several words.
type Words []part

type part struct {
	Literal string
	Ref     string // a placeholder's name, "" for a literal
}

var placeholder = regexp.MustCompile(`\{([a-z_]+(?:\.[A-Za-z][A-Za-z0-9_]*)?)\}`)

// parseWords splits a template at its placeholders. In a catalog, braces always mark a placeholder.
func parseWords(s string) (Words, error) {
	var out Words
	literal := func(l string) error {
		if strings.ContainsAny(l, "{}") {
			return fmt.Errorf("%s: braces are for placeholders such as {service} or {param.NAME}", suggest.Short(s))
		}
		if err := runbooks.Printable(l); err != nil {
			return fmt.Errorf("%s %w", suggest.Short(s), err)
		}
		if l != "" {
			out = append(out, part{Literal: l})
		}
		return nil
	}
	rest := s
	for {
		m := placeholder.FindStringSubmatchIndex(rest)
		if m == nil {
			break
		}
		if err := literal(rest[:m[0]]); err != nil {
			return nil, err
		}
		out = append(out, part{Ref: rest[m[2]:m[3]]})
		rest = rest[m[1]:]
	}
	if err := literal(rest); err != nil {
		return nil, err
	}
	if len(out) == 0 {
		out = Words{{}} // the empty word
	}
	return out, nil
}

// Whole returns the placeholder if it is the whole word, or else "".
func (w Words) Whole() string {
	if len(w) == 1 {
		return w[0].Ref
	}
	return ""
}

// Splices reports whether a placeholder stands for several words.
func Splices(ref string) bool {
	return ref == "monit" || ref == "app_logs" || ref == "log_slices" || ref == "log_files" || strings.HasPrefix(ref, "listed.")
}

// Binding holds the values for the placeholders of one step.
type Binding struct {
	Catalog *Catalog
	Process *Process
	Cluster *fleet.Cluster // nil, like Host, to show a catalog without a fleet
	Host    *fleet.Host
	// Values has the values of parameters, as "param.NAME", and of stamps, as "minted.NAME". Absent
	// has the optional parameters that the request lacks.
	Values map[string]string
	Absent map[string]bool
	Listed map[string][]string
	// Flags has the parameters with several values. A word with such a parameter is repeated for
	// each value.
	Flags map[string][]string
}

// Filled is a word after the known values were inserted. An open word still has a placeholder.
type Filled struct {
	Text string
	Open bool
}

// Fill turns a template into words. It leaves out a word if the word has an optional parameter that
// is absent.
func (s *Binding) Fill(template []Words) []Filled {
	var out []Filled
	for _, w := range template {
		if ref := w.Whole(); Splices(ref) {
			out = append(out, s.Several(ref)...)
			continue
		}
		for _, s := range s.each(w) {
			if f, drop := s.One(w); !drop {
				out = append(out, f)
			}
		}
	}
	return out
}

// each returns one binding for each value that the flags in w can have. If w has no flags, it
// returns only s.
func (s *Binding) each(w Words) []*Binding {
	for _, p := range w {
		flags, several := s.Flags[p.Ref]
		if !several {
			continue
		}
		out := make([]*Binding, len(flags))
		for i, flag := range flags {
			one := *s
			one.Flags = nil
			one.Values = maps.Clone(s.Values)
			one.Values[p.Ref] = flag
			out[i] = &one
		}
		return out
	}
	return []*Binding{s}
}

func (s *Binding) One(w Words) (f Filled, drop bool) {
	var b strings.Builder
	for _, p := range w {
		if p.Ref == "" {
			b.WriteString(p.Literal)
			continue
		}
		if s.Absent[p.Ref] {
			return Filled{}, true
		}
		v, ok := s.Value(p.Ref)
		if !ok {
			f.Open = true
			v = "{" + p.Ref + "}"
		}
		b.WriteString(v)
	}
	f.Text = b.String()
	return f, false
}

// Value returns the value of a placeholder that stands for one value.
func (s *Binding) Value(ref string) (string, bool) {
	switch ref {
	case "process":
		if s.Process != nil {
			return s.Process.ID, true
		}
	case "service":
		if s.Process != nil {
			return s.Process.Service, true
		}
	case "host":
		if s.Host != nil {
			return s.Host.Name, true
		}
	case "logs":
		return s.LogRoot(), true
	case "log_dir":
		if s.Process != nil && s.Process.Logs.Dir != "" {
			return s.LogRoot() + "/" + s.Process.Logs.Dir, true
		}
	case "stdout":
		if s.Process != nil && s.Process.Logs.Stdout != "" {
			return s.Process.Logs.Stdout, true
		}
	case clientUpdateReload:
		if s.Host != nil && s.Host.ClientUpdateReload != "" {
			return s.Host.ClientUpdateReload, true
		}
	case "etcd_endpoint":
		if s.Host != nil && s.Cluster != nil {
			at := s.Cluster.EtcdEndpoint(s.Host)
			return at, at != ""
		}
	case "etcd_client":
		if s.Host != nil && s.Host.EtcdClientDir != "" {
			return s.Host.EtcdClientDir, true
		}
		return s.Catalog.EtcdClientDir, true
	default:
		if name, is := strings.CutPrefix(ref, "path."); is {
			dir, ok := s.Catalog.Paths[name]
			return dir, ok
		}
		v, ok := s.Values[ref]
		return v, ok
	}
	return "", false
}

// Several returns the values of a placeholder that stands for several words.
func (s *Binding) Several(ref string) []Filled {
	var list []string
	switch ref {
	case "monit":
		list = s.Catalog.Monit
		if s.Host != nil && len(s.Host.Monit) > 0 {
			list = s.Host.Monit
		}
	case "app_logs":
		list = s.Process.AppLogs(s.LogRoot())
	case "log_slices":
		list = s.Process.Slices()
	case "log_files":
		list = s.Process.Logs.Files
	default:
		var ok bool
		if list, ok = s.Listed[strings.TrimPrefix(ref, "listed.")]; !ok {
			return []Filled{{Text: "{" + ref + "}", Open: true}}
		}
	}
	out := make([]Filled, len(list))
	for i, v := range list {
		out[i] = Filled{Text: v}
	}
	return out
}

func (s *Binding) LogRoot() string {
	if s.Host != nil && s.Host.LogRoot != "" {
		return s.Host.LogRoot
	}
	return s.Catalog.LogRoot
}

// command returns a command as one line, and as argv. The argv is nil if a word is still open.
func command(fill []Filled) (line string, argv []string, err error) {
	open := false
	shown := make([]string, len(fill))
	for i, f := range fill {
		argv = append(argv, f.Text)
		shown[i] = f.Text
		if f.Open {
			open = true
			continue
		}
		if shown[i], err = runbooks.Quote([]string{"x", f.Text}); err != nil {
			return "", nil, err
		}
		shown[i] = strings.TrimPrefix(shown[i], "x ")
	}
	if open {
		return strings.Join(shown, " "), nil, nil
	}
	line, err = runbooks.Quote(argv)
	return line, argv, err
}
