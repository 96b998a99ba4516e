package planner

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"slices"
	"strings"

	"dhbot/internal/suggest"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// ListLines returns the lines of a list step's standard output in the form for
// Inputs.Listed.
func ListLines(stdout string) []string {
	lines := []string{}
	for line := range strings.Lines(stdout) {
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// ListHash returns the SHA-256, in hex, of the result of a list step. The order of the lines
// does not matter.
func ListHash(lines []string) string {
	sum := sha256.Sum256([]byte(strings.Join(slices.Sorted(slices.Values(lines)), "\n")))
	return hex.EncodeToString(sum[:])
}

// listedFor stores, in the binding s, the list results for its host. It first checks each result
// against the pattern of its list step, so unchecked output never becomes part of a command. It
// returns the lines as received.
func (r *resolution) listedFor(s *catalogs.Binding) (map[string][]string, error) {
	raw := map[string][]string{}
	s.Listed = map[string][]string{}
	for i := range r.action.Steps {
		t := &r.action.Steps[i]
		if t.Kind != runbooks.List || !r.wanted(t) {
			continue
		}
		lines, ok := r.in.Listed[t.List+"@"+s.Host.Name]
		if !ok {
			continue
		}
		values, want := t.Values(lines)
		if want == "" {
			command := s.Fill(t.Run)
			if want = unasked(asked(command), values); want == "" {
				want = elsewhere(searched(command), values)
			}
		}
		if want != "" {
			return nil, &runbooks.ParamError{Action: r.action.Name, Param: t.List + " on " + s.Host.Name, Want: want}
		}
		raw[t.List], s.Listed[t.List] = lines, values
	}
	return raw, nil
}

// asked returns the -path patterns by which a find selects files. It omits patterns before
// -prune, which only limit the directories that find enters.
func asked(command []catalogs.Filled) (globs []string) {
	finds := false
	for i, w := range command {
		switch {
		case w.Text == "find":
			finds = true
		case w.Text == "-prune":
			globs = nil
		case finds && w.Text == "-path" && i+1 < len(command) && !command[i+1].Open:
			globs = append(globs, command[i+1].Text)
		}
	}
	return globs
}

// unasked returns a text about the first listed value that matches none of the patterns. It returns
// "" if every value matches, or if there are no patterns. The values must match, because the plan
// acts on them.
func unasked(globs, values []string) string {
	for _, v := range values {
		inside := len(globs) == 0 ||
			slices.ContainsFunc(globs, func(g string) bool { ok, err := path.Match(g, v); return ok && err == nil })
		if !inside {
			return "has the line " + suggest.Short(v) + ", which was not requested: the host listed something other than " + strings.Join(globs, " or ")
		}
	}
	return ""
}

// searched returns the directories that a find searches.
func searched(command []catalogs.Filled) (roots []string) {
	i := slices.IndexFunc(command, func(w catalogs.Filled) bool { return w.Text == "find" })
	if i < 0 {
		return nil
	}
	for _, w := range command[i+1:] {
		if w.Open || w.Text == "" || strings.ContainsAny(w.Text[:1], "-(!") {
			break
		}
		roots = append(roots, w.Text)
	}
	return roots
}

// elsewhere returns why a listed full path is refused: it is outside the searched directories, or
// not in its simplest form. It returns "" if none is refused.
func elsewhere(roots, values []string) string {
	for _, v := range values {
		inside := len(roots) == 0 || !path.IsAbs(v) ||
			slices.ContainsFunc(roots, func(r string) bool { return v == r || strings.HasPrefix(v, strings.TrimSuffix(r, "/")+"/") })
		if !inside || path.IsAbs(v) && path.Clean(v) != v {
			return "has the line " + suggest.Short(v) + ", which is outside the searched directories: the host listed something other than " + strings.Join(roots, " or ")
		}
	}
	return ""
}
