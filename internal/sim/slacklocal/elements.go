package slacklocal

// element checks an interactive element. The fields of each type are from
// Slack's reference of block elements.
func (c *checker) element(ptr string, e object) {
	c.str(ptr, e, "action_id", false, maxID)
	c.confirm(ptr, e)
	const base, confirm, focus = "action_id", "confirm", "focus_on_load"
	switch kind := e["type"]; kind {
	case "button":
		c.fields(ptr, e, base, confirm, "text", "value", "url", "style", "accessibility_label")
		c.text(ptr, e, "text", true, maxLabel, "plain_text")
		c.str(ptr, e, "value", false, maxValue)
		c.str(ptr, e, "url", false, 3000)
		c.str(ptr, e, "accessibility_label", false, maxLabel)
		c.oneOf(ptr, e, "style", false, "primary", "danger")
	case "overflow":
		c.fields(ptr, e, base, confirm, "options")
		c.options(ptr, e, 1, 5)
	case "static_select", "multi_static_select":
		c.fields(ptr, e, base, confirm, focus, "options", "option_groups", "placeholder",
			"initial_option", "initial_options", "max_selected_items")
		c.text(ptr, e, "placeholder", false, 150, "plain_text")
		if e["option_groups"] == nil {
			c.options(ptr, e, 1, 100)
		}
	case "radio_buttons", "checkboxes":
		c.fields(ptr, e, base, confirm, focus, "options", "initial_option", "initial_options")
		c.options(ptr, e, 1, 10)
	case "users_select", "multi_users_select", "conversations_select", "channels_select":
		c.fields(ptr, e, base, confirm, focus, "placeholder", "initial_user", "initial_users",
			"initial_conversation", "initial_channel", "max_selected_items", "filter", "default_to_current_conversation", "response_url_enabled")
		c.text(ptr, e, "placeholder", false, 150, "plain_text")
	case "datepicker", "timepicker", "datetimepicker":
		c.fields(ptr, e, base, confirm, focus, "placeholder", "initial_date", "initial_time", "initial_date_time", "timezone")
		c.text(ptr, e, "placeholder", false, 150, "plain_text")
	case "plain_text_input", "number_input":
		c.textInput(ptr, e)
	case nil:
		c.fail(ptr, "missing required field: type")
	default:
		c.fail(ptr+"/type", "unsupported type: %v", kind)
	}
}

func (c *checker) textInput(ptr string, e object) {
	if c.on == onMessage {
		c.fail(ptr+"/type", "unsupported type: %v", e["type"])
		return
	}
	c.fields(ptr, e, "action_id", "focus_on_load", "placeholder", "initial_value", "multiline", "min_length",
		"max_length", "dispatch_action_config", "is_decimal_allowed", "min_value", "max_value")
	c.text(ptr, e, "placeholder", false, 150, "plain_text")
	c.str(ptr, e, "initial_value", false, 3000)
	if n, ok := e["max_length"].(float64); ok && (n < 1 || n > 3000) {
		c.fail(ptr+"/max_length", "must be between 1 and 3000")
	}
}

// confirm checks a confirmation dialog.
func (c *checker) confirm(ptr string, e object) {
	d, ok := e["confirm"].(object)
	if !ok {
		return
	}
	ptr += "/confirm"
	c.fields(ptr, d, "title", "text", "confirm", "deny", "style")
	c.text(ptr, d, "title", true, 100, "plain_text")
	c.text(ptr, d, "text", true, 300, "plain_text", "mrkdwn")
	c.text(ptr, d, "confirm", true, 30, "plain_text")
	c.text(ptr, d, "deny", true, 30, "plain_text")
	c.oneOf(ptr, d, "style", false, "primary", "danger")
}

func (c *checker) options(ptr string, e object, low, high int) {
	c.list(ptr, e, "options", low, high, func(at string, o object) {
		c.fields(at, o, "text", "value", "description", "url")
		c.text(at, o, "text", true, maxLabel, "plain_text", "mrkdwn")
		c.str(at, o, "value", true, 150)
		c.text(at, o, "description", false, maxLabel, "plain_text", "mrkdwn")
	})
}

// richElement checks a top-level element of a rich_text block.
func (c *checker) richElement(ptr string, e object) {
	switch kind := e["type"]; kind {
	case "rich_text_section", "rich_text_quote":
		c.fields(ptr, e, "elements", "border")
		c.list(ptr, e, "elements", 0, 1000, c.richLeaf)
	case "rich_text_preformatted":
		c.fields(ptr, e, "elements", "border", "language")
		c.list(ptr, e, "elements", 0, 1000, func(at string, leaf object) {
			if t := leaf["type"]; t != "text" && t != "link" {
				c.fail(at+"/type", "unsupported type: %v", t)
				return
			}
			c.richLeaf(at, leaf)
		})
	case "rich_text_list":
		c.fields(ptr, e, "elements", "style", "indent", "offset", "border")
		c.oneOf(ptr, e, "style", true, "bullet", "ordered")
		c.list(ptr, e, "elements", 0, 1000, func(at string, item object) {
			if item["type"] != "rich_text_section" {
				c.fail(at+"/type", "unsupported type: %v", item["type"])
				return
			}
			c.richElement(at, item)
		})
	default:
		c.fail(ptr+"/type", "unsupported type: %v", kind)
	}
}

func (c *checker) richLeaf(ptr string, e object) {
	switch kind := e["type"]; kind {
	case "text":
		c.fields(ptr, e, "text", "style")
		c.str(ptr, e, "text", true, maxBlocksText)
	case "link":
		c.fields(ptr, e, "url", "text", "unsafe", "style")
		c.str(ptr, e, "url", true, 3000)
	case "emoji":
		c.fields(ptr, e, "name", "unicode", "skin_tone", "style")
		c.str(ptr, e, "name", true, 100)
	case "user":
		c.fields(ptr, e, "user_id", "style")
		c.str(ptr, e, "user_id", true, maxID)
	case "usergroup":
		c.fields(ptr, e, "usergroup_id", "style")
		c.str(ptr, e, "usergroup_id", true, maxID)
	case "channel":
		c.fields(ptr, e, "channel_id", "style")
		c.str(ptr, e, "channel_id", true, maxID)
	case "broadcast":
		c.fields(ptr, e, "range", "style")
		c.oneOf(ptr, e, "range", true, "here", "channel", "everyone")
	case "date":
		c.fields(ptr, e, "timestamp", "format", "fallback", "url", "style")
		if _, ok := e["timestamp"].(float64); !ok {
			c.fail(ptr+"/timestamp", "should be a number")
		}
		c.str(ptr, e, "format", true, 1000)
	default:
		c.fail(ptr+"/type", "unsupported type: %v", kind)
	}
}
