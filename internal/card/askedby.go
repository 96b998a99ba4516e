package card

import "slices"

// AskedBy is an answer that says in its small print who asked: a slash command or
// a tap leaves nothing in the channel that would.
func AskedBy(c Card, person string) Card {
	c.Foot = slices.Clone(c.Foot)
	if n := len(c.Foot); n > 0 {
		c.Foot[n-1] = append(slices.Clone(c.Foot[n-1]), T(" · asked by "+person))
	} else {
		c.Foot = []Line{{T("asked by " + person)}}
	}
	return c
}
