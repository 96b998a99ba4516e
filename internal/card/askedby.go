package card

import "slices"

// AskedBy adds the requester to the footer of an answer, because a slash command or a tap leaves
// no message in the channel.
func AskedBy(c Card, person string) Card {
	c.Foot = slices.Clone(c.Foot)
	if n := len(c.Foot); n > 0 {
		c.Foot[n-1] = append(slices.Clone(c.Foot[n-1]), T(" · asked by "+person))
	} else {
		c.Foot = []Line{{T("asked by " + person)}}
	}
	return c
}
