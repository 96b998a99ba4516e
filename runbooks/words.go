package runbooks

import (
	"fmt"
	"maps"
	"regexp"
	"strings"

	"dhbot/internal/fleet"
)

// words is one word of a command template, or a text: literal parts and
// placeholders. A whole word {monit}, {app_logs}, {log_slices}, {log_files} or
// {listed.NAME} stands for several words.
type words []part

type part struct {
	literal string
	ref     string // a placeholder's name, "" for a literal
}

var placeholder = regexp.MustCompile(`\{([a-z_]+(?:\.[A-Za-z][A-Za-z0-9_]*)?)\}`)

// parseWords splits a template at its placeholders. Braces stand for nothing
// else in a catalog.
func parseWords(s string) (words, error) {
	var out words
	literal := func(l string) error {
		if strings.ContainsAny(l, "{}") {
			return fmt.Errorf("%s: braces are for placeholders such as {service} or {param.NAME}", short(s))
		}
		if err := printable(l); err != nil {
			return fmt.Errorf("%s %w", short(s), err)
		}
		if l != "" {
			out = append(out, part{literal: l})
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
		out = append(out, part{ref: rest[m[2]:m[3]]})
		rest = rest[m[1]:]
	}
	if err := literal(rest); err != nil {
		return nil, err
	}
	if len(out) == 0 {
		out = words{{}} // the empty word
	}
	return out, nil
}

// whole is the placeholder that makes up the whole word, or "".
func (w words) whole() string {
	if len(w) == 1 {
		return w[0].ref
	}
	return ""
}

// splices says whether a placeholder stands for several words.
func splices(ref string) bool {
	return ref == "monit" || ref == "app_logs" || ref == "log_slices" || ref == "log_files" || strings.HasPrefix(ref, "listed.")
}

// scope is what the placeholders of one step stand for.
type scope struct {
	catalog *Catalog
	process *Process
	cluster *fleet.Cluster // nil, as is host, where only a catalog is shown
	host    *fleet.Host
	// values are parameters and minted values, under "param.NAME" and
	// "minted.NAME"; absent are the optional parameters that were not given.
	values map[string]string
	absent map[string]bool
	listed map[string][]string
	// flags are the parameters of several values: a word with one of them is
	// repeated for each.
	flags map[string][]string
}

// filled is a word with what is known put in. An open word still holds a
// placeholder.
type filled struct {
	text string
	open bool
}

// fill expands a template to words. A word that holds an absent optional
// parameter is left out.
func (s *scope) fill(template []words) []filled {
	var out []filled
	for _, w := range template {
		if ref := w.whole(); splices(ref) {
			out = append(out, s.several(ref)...)
			continue
		}
		for _, s := range s.each(w) {
			if f, drop := s.one(w); !drop {
				out = append(out, f)
			}
		}
	}
	return out
}

// each is the scope once for every value of the flags in a word.
func (s *scope) each(w words) []*scope {
	for _, p := range w {
		flags, several := s.flags[p.ref]
		if !several {
			continue
		}
		out := make([]*scope, len(flags))
		for i, flag := range flags {
			one := *s
			one.flags = nil
			one.values = maps.Clone(s.values)
			one.values[p.ref] = flag
			out[i] = &one
		}
		return out
	}
	return []*scope{s}
}

func (s *scope) one(w words) (f filled, drop bool) {
	var b strings.Builder
	for _, p := range w {
		if p.ref == "" {
			b.WriteString(p.literal)
			continue
		}
		if s.absent[p.ref] {
			return filled{}, true
		}
		v, ok := s.value(p.ref)
		if !ok {
			f.open = true
			v = "{" + p.ref + "}"
		}
		b.WriteString(v)
	}
	f.text = b.String()
	return f, false
}

// value is what a placeholder for one word stands for.
func (s *scope) value(ref string) (string, bool) {
	switch ref {
	case "process":
		if s.process != nil {
			return s.process.ID, true
		}
	case "service":
		if s.process != nil {
			return s.process.Service, true
		}
	case "host":
		if s.host != nil {
			return s.host.Name, true
		}
	case "logs":
		return s.logRoot(), true
	case "log_dir":
		if s.process != nil && s.process.Logs.Dir != "" {
			return s.logRoot() + "/" + s.process.Logs.Dir, true
		}
	case "stdout":
		if s.process != nil && s.process.Logs.Stdout != "" {
			return s.process.Logs.Stdout, true
		}
	case clientUpdateReload:
		if s.host != nil && s.host.ClientUpdateReload != "" {
			return s.host.ClientUpdateReload, true
		}
	case "etcd_endpoint":
		if s.host != nil && s.cluster != nil {
			at := s.cluster.EtcdEndpoint(s.host)
			return at, at != ""
		}
	case "etcd_client":
		if s.host != nil && s.host.EtcdClientDir != "" {
			return s.host.EtcdClientDir, true
		}
		return s.catalog.EtcdClientDir, true
	default:
		if name, is := strings.CutPrefix(ref, "path."); is {
			dir, ok := s.catalog.Paths[name]
			return dir, ok
		}
		v, ok := s.values[ref]
		return v, ok
	}
	return "", false
}

// several is what a placeholder for a list of words stands for.
func (s *scope) several(ref string) []filled {
	var list []string
	switch ref {
	case "monit":
		list = s.catalog.Monit
		if s.host != nil && len(s.host.Monit) > 0 {
			list = s.host.Monit
		}
	case "app_logs":
		list = s.process.AppLogs(s.logRoot())
	case "log_slices":
		list = s.process.slices()
	case "log_files":
		list = s.process.Logs.Files
	default:
		var ok bool
		if list, ok = s.listed[strings.TrimPrefix(ref, "listed.")]; !ok {
			return []filled{{text: "{" + ref + "}", open: true}}
		}
	}
	out := make([]filled, len(list))
	for i, v := range list {
		out[i] = filled{text: v}
	}
	return out
}

func (s *scope) logRoot() string {
	if s.host != nil && s.host.LogRoot != "" {
		return s.host.LogRoot
	}
	return s.catalog.LogRoot
}

// command is the line that a person would type, and the argv, which is nil
// while a word is open.
func command(fill []filled) (line string, argv []string, err error) {
	open := false
	shown := make([]string, len(fill))
	for i, f := range fill {
		argv = append(argv, f.text)
		shown[i] = f.text
		if f.open {
			open = true
			continue
		}
		if shown[i], err = Quote([]string{"x", f.text}); err != nil {
			return "", nil, err
		}
		shown[i] = strings.TrimPrefix(shown[i], "x ")
	}
	if open {
		return strings.Join(shown, " "), nil, nil
	}
	line, err = Quote(argv)
	return line, argv, err
}
