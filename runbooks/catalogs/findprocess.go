package catalogs

import (
	"slices"

	"dhbot/internal/suggest"
)

// Match is what a person's spelling of a process came to. Process is nil
// where the spelling is neither an id nor an alias; Suggestions then holds up
// to three ids that may have been meant, and nothing is guessed.
type Match struct {
	Process     *Process
	Suggestions []string
}

// Find reads a person's spelling of a process: its id or one of its aliases,
// whatever the capitals, with "-" and "_" alike. Everything else only earns
// suggestions.
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
