package slacklocal

import (
	"regexp"
	"slices"
)

var (
	mentionToken = regexp.MustCompile(`<(@[UW][A-Z0-9]+|!subteam\^S[A-Z0-9]+|!(?:here|channel|everyone))(?:\|[^<>]*)?>`)
	bareMention  = regexp.MustCompile(`(?:^|[^\w&])@(here|channel|everyone)\b`)
)

// notified lists everyone whom a message notifies, intentionally or not. A message notifies by
// mention tokens in its text and mrkdwn, and by elements of rich text. A literal @here in mrkdwn
// also notifies, unless the text object has verbatim:true.
func notified(text string, blocks []any) []string {
	var out []string
	add := func(who string) {
		if !slices.Contains(out, who) {
			out = append(out, who)
		}
	}
	tokens := func(s string) {
		for _, m := range mentionToken.FindAllStringSubmatch(s, -1) {
			add(m[1])
		}
	}
	tokens(text)
	walk(blocks, func(o object) {
		s, _ := o["text"].(string)
		switch o["type"] {
		case "mrkdwn", "markdown":
			tokens(s)
			if verbatim, _ := o["verbatim"].(bool); !verbatim {
				for _, m := range bareMention.FindAllStringSubmatch(s, -1) {
					add("!" + m[1])
				}
			}
		case "user":
			id, _ := o["user_id"].(string)
			add("@" + id)
		case "usergroup":
			id, _ := o["usergroup_id"].(string)
			add("!subteam^" + id)
		case "broadcast":
			r, _ := o["range"].(string)
			add("!" + r)
		default: // nothing else notifies people
		}
	})
	return out
}

// walk visits every object inside a JSON value, parents first.
func walk(v any, visit func(object)) {
	switch v := v.(type) {
	case object:
		visit(v)
		for _, child := range v {
			walk(child, visit)
		}
	case []any:
		for _, child := range v {
			walk(child, visit)
		}
	default: // strings, numbers, booleans: nothing inside
	}
}
