package catalogs

import (
	"slices"

	"dhbot/internal/suggest"
)

// Match is the result of Find. If the spelling is not an id or alias, Process is nil, and
// Suggestions has up to three similar ids.
type Match struct {
	Process     *Process
	Suggestions []string
}

// Find returns the process with this id or alias. Case does not matter, and "-" equals "_". For any
// other spelling, the Match has only suggestions.
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
