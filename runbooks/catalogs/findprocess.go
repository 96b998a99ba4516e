package catalogs

import (
	"slices"

	"dhbot/internal/suggest"
)

// Match is the result of Find. Process is nil if the spelling is neither an id nor an
// alias. Suggestions then holds up to three similar ids.
type Match struct {
	Process     *Process
	Suggestions []string
}

// Find returns the process with an id or alias, ignoring case and the difference between
// "-" and "_". Any other spelling returns only suggestions.
func (c *Catalog) Find(spelling string) Match {
	if id, ok := c.names[suggest.Fold(spelling)]; ok {
		p, _ := c.Process(id)
		return Match{Process: p}
	}
	names := make([]string, 0, len(c.names))
	for name := range c.names {
		names = append(names, name)
	}
	var ids []string
	for _, name := range suggest.UpTo(spelling, names, len(names)) {
		if id := c.names[name]; !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return Match{Suggestions: ids[:min(len(ids), suggest.Most)]}
}
