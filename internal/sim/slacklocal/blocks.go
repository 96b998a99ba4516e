package slacklocal

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// These are Slack's limits of Block Kit. Lengths are in characters.
const (
	maxMessageBlocks = 50
	maxViewBlocks    = 100
	maxBlocksText    = 13_000 // of a whole message: approximate, see msg_blocks_too_long
	maxSection       = 3000
	maxField         = 2000
	maxHeader        = 150
	maxLabel         = 75
	maxValue         = 2000
	maxID            = 255
	maxTableRows     = 100
	maxTableCells    = 20
)

// surface is a kind of place that shows blocks.
type surface uint8

const (
	onMessage surface = iota
	onModal
	onHome
)

// checkBlocks checks blocks against Slack's rules and returns Slack's error. The error has a
// message for each problem, with Slack's wording and a JSON pointer. The argument root is the JSON
// pointer of the list: "/blocks" or "/view/blocks".
func checkBlocks(blocks []any, on surface, root string) error {
	c := &checker{on: on, blockIDs: map[string]bool{}}
	limit := maxMessageBlocks
	if on != onMessage {
		limit = maxViewBlocks
	}
	if len(blocks) > limit {
		c.fail(root, "no more than %d items allowed", limit)
	}
	tables := 0
	for i, b := range blocks {
		ptr := fmt.Sprintf("%s/%d", root, i)
		o, ok := b.(object)
		if !ok {
			c.fail(ptr, "must be an object")
			continue
		}
		if o["type"] == "table" {
			tables++
		}
		c.block(ptr, o)
	}
	if tables > 1 {
		c.fail(root, "only one table allowed")
	}
	if c.problems != nil {
		return apiErr("invalid_blocks", c.problems...)
	}
	if n := textSize(blocks); on == onMessage && n > maxBlocksText {
		return apiErr("msg_blocks_too_long", fmt.Sprintf("[ERROR] the blocks have %d characters of text, but only about %d are allowed", n, maxBlocksText))
	}
	return nil
}

// textSize counts the characters of all text in blocks.
func textSize(blocks []any) int {
	n := 0
	walk(blocks, func(o object) {
		if s, ok := o["text"].(string); ok {
			n += utf8.RuneCountInString(s)
		}
	})
	return n
}

// checker collects problems.
type checker struct {
	on       surface
	blockIDs map[string]bool
	problems []string
}

func (c *checker) fail(ptr, format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf("[ERROR] "+format+" [json-pointer:%s]", append(args, ptr)...))
}

// fields reports fields of an object that are not allowed. The field "type" is always allowed.
func (c *checker) fields(ptr string, o object, allowed ...string) {
	for k := range o {
		if k != "type" && !slices.Contains(allowed, k) {
			c.fail(ptr, "invalid additional property: %s", k)
		}
	}
}

// str checks a string field of at most limit characters.
func (c *checker) str(ptr string, o object, name string, required bool, limit int) {
	v, there := o[name]
	if !there || v == nil {
		if required {
			c.fail(ptr, "missing required field: %s", name)
		}
		return
	}
	s, ok := v.(string)
	switch n := utf8.RuneCountInString(s); {
	case !ok:
		c.fail(ptr+"/"+name, "should be a string")
	case required && n == 0:
		c.fail(ptr+"/"+name, "must be more than 0 characters")
	case n > limit:
		c.fail(ptr+"/"+name, "must be less than %d characters", limit+1)
	}
}

// oneOf checks that a string field has one of the allowed values.
func (c *checker) oneOf(ptr string, o object, name string, required bool, values ...string) {
	v, there := o[name]
	if !there || v == nil {
		if required {
			c.fail(ptr, "missing required field: %s", name)
		}
		return
	}
	if s, ok := v.(string); !ok || !slices.Contains(values, s) {
		c.fail(ptr+"/"+name, "must be one of %q", values)
	}
}

// list checks an array field and returns its objects.
func (c *checker) list(ptr string, o object, name string, low, high int, each func(string, object)) {
	ptr += "/" + name
	items, ok := o[name].([]any)
	if !ok {
		c.fail(ptr, "missing required field: %s", name)
		return
	}
	if len(items) < low {
		c.fail(ptr, "no less than %d items allowed", low)
	}
	if len(items) > high {
		c.fail(ptr, "no more than %d items allowed", high)
	}
	for i, item := range items {
		at := fmt.Sprintf("%s/%d", ptr, i)
		if x, ok := item.(object); ok {
			each(at, x)
		} else {
			c.fail(at, "must be an object")
		}
	}
}

// text checks a field that holds a text object. The argument kinds lists the allowed types of text.
func (c *checker) text(ptr string, o object, name string, required bool, limit int, kinds ...string) {
	v, there := o[name]
	if !there || v == nil {
		if required {
			c.fail(ptr, "missing required field: %s", name)
		}
		return
	}
	t, ok := v.(object)
	if !ok {
		c.fail(ptr+"/"+name, "must be an object")
		return
	}
	c.textObject(ptr+"/"+name, t, limit, kinds...)
}

func (c *checker) textObject(ptr string, t object, limit int, kinds ...string) {
	kind, _ := t["type"].(string)
	if !slices.Contains(kinds, kind) {
		c.fail(ptr, "failed to match all allowed schemas")
		c.fail(ptr+"/type", "must be one of %q", kinds)
		return
	}
	extra := "emoji"
	if kind == "mrkdwn" {
		extra = "verbatim"
	}
	c.fields(ptr, t, "text", extra)
	c.str(ptr, t, "text", true, limit)
}

// block checks one block.
func (c *checker) block(ptr string, o object) {
	c.str(ptr, o, "block_id", false, maxID)
	if id, _ := o["block_id"].(string); id != "" {
		if c.blockIDs[id] {
			c.fail(ptr+"/block_id", "`block_id` %q already exists", id)
		}
		c.blockIDs[id] = true
	}
	switch kind := o["type"]; kind {
	case "section":
		c.section(ptr, o)
	case "header":
		c.fields(ptr, o, "block_id", "text", "level")
		c.text(ptr, o, "text", true, maxHeader, "plain_text")
	case "divider":
		c.fields(ptr, o, "block_id")
	case "context":
		c.fields(ptr, o, "block_id", "elements")
		c.list(ptr, o, "elements", 1, 10, c.contextElement)
	case "actions":
		c.fields(ptr, o, "block_id", "elements")
		c.actions(ptr, o)
	case "input":
		c.input(ptr, o)
	case "image":
		c.fields(ptr, o, "block_id", "image_url", "slack_file", "alt_text", "title")
		c.image(ptr, o)
		c.text(ptr, o, "title", false, 2000, "plain_text")
	case "rich_text":
		c.fields(ptr, o, "block_id", "elements")
		c.list(ptr, o, "elements", 0, 1000, c.richElement)
	case "markdown":
		c.fields(ptr, o, "block_id", "text")
		c.str(ptr, o, "text", true, 12_000)
	case "table":
		c.table(ptr, o)
	case nil:
		c.fail(ptr, "missing required field: type")
	default:
		c.fail(ptr+"/type", "unsupported type: %v", kind)
	}
}

func (c *checker) section(ptr string, o object) {
	c.fields(ptr, o, "block_id", "text", "fields", "accessory", "expand")
	c.text(ptr, o, "text", false, maxSection, "plain_text", "mrkdwn")
	if o["fields"] != nil {
		c.list(ptr, o, "fields", 1, 10, func(at string, f object) {
			c.textObject(at, f, maxField, "plain_text", "mrkdwn")
		})
	}
	if o["text"] == nil && o["fields"] == nil {
		c.fail(ptr, "missing required field: text")
	}
	if a, ok := o["accessory"].(object); ok {
		if a["type"] == "image" {
			c.fields(ptr+"/accessory", a, "image_url", "slack_file", "alt_text")
			c.image(ptr+"/accessory", a)
		} else {
			c.element(ptr+"/accessory", a)
		}
	}
}

func (c *checker) actions(ptr string, o object) {
	ids := map[string]bool{}
	c.list(ptr, o, "elements", 1, 25, func(at string, e object) {
		c.element(at, e)
		if id, _ := e["action_id"].(string); id != "" {
			if ids[id] {
				c.fail(at+"/action_id", "`action_id` %q already exists for this block", id)
			}
			ids[id] = true
		}
	})
}

func (c *checker) contextElement(ptr string, e object) {
	if e["type"] == "image" {
		c.fields(ptr, e, "image_url", "slack_file", "alt_text")
		c.image(ptr, e)
		return
	}
	c.textObject(ptr, e, maxField, "plain_text", "mrkdwn")
}

func (c *checker) image(ptr string, o object) {
	if o["slack_file"] == nil {
		c.str(ptr, o, "image_url", true, 3000)
	}
	c.str(ptr, o, "alt_text", true, 2000)
}

func (c *checker) input(ptr string, o object) {
	c.fields(ptr, o, "block_id", "label", "element", "hint", "optional", "dispatch_action")
	c.text(ptr, o, "label", true, 2000, "plain_text")
	c.text(ptr, o, "hint", false, 2000, "plain_text")
	e, ok := o["element"].(object)
	if !ok {
		c.fail(ptr, "missing required field: element")
		return
	}
	if e["type"] == "button" {
		c.fail(ptr+"/element/type", "unsupported type: button")
		return
	}
	c.element(ptr+"/element", e)
}

// table checks a table block, whose first row is the header.
func (c *checker) table(ptr string, o object) {
	c.fields(ptr, o, "block_id", "rows", "column_settings")
	rows, ok := o["rows"].([]any)
	if !ok || len(rows) == 0 {
		c.fail(ptr, "missing required field: rows")
		return
	}
	if len(rows) > maxTableRows {
		c.fail(ptr+"/rows", "no more than %d items allowed", maxTableRows)
	}
	for i, row := range rows {
		at := fmt.Sprintf("%s/rows/%d", ptr, i)
		c.list(ptr+"/rows", object{fmt.Sprint(i): row}, fmt.Sprint(i), 1, maxTableCells, c.cell)
		if cells, ok := row.([]any); ok {
			if first, _ := rows[0].([]any); len(cells) != len(first) {
				c.fail(at, "all rows need the same number of cells")
			}
		}
	}
	if o["column_settings"] != nil {
		c.list(ptr, o, "column_settings", 0, maxTableCells, func(at string, s object) {
			c.fields(at, s, "align", "is_wrapped")
			c.oneOf(at, s, "align", false, "left", "center", "right")
		})
	}
}

func (c *checker) cell(ptr string, o object) {
	switch o["type"] {
	case "raw_text":
		c.fields(ptr, o, "text")
		c.str(ptr, o, "text", true, maxSection)
	case "rich_text":
		c.list(ptr, o, "elements", 1, 100, c.richElement)
	default:
		c.fail(ptr+"/type", "unsupported type: %v", o["type"])
	}
}
