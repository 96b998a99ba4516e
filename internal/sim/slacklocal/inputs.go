package slacklocal

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// fillState makes the state.values of a submission from the values that a person entered. The
// result has the states by block id and action id. The keys of given are action ids or block ids,
// or given has the form {block: {action: value}}. A value is a text, or a list of texts for several
// choices. fillState returns an error for input that Slack's form refuses, because it is too short,
// too long, or missing, and for a key that belongs to no input.
func fillState(blocks []any, given object) (object, error) {
	values, used := object{}, map[string]bool{}
	var names []string
	for _, b := range blocks {
		block, ok := b.(object)
		if !ok {
			continue
		}
		blockID, _ := block["block_id"].(string)
		for _, e := range interactive(block) {
			actionID, _ := e["action_id"].(string)
			if block["type"] != "input" && (e["type"] == "button" || e["type"] == "overflow") {
				continue
			}
			names = append(names, actionID)
			v, key := lookUp(given, blockID, actionID)
			used[key] = true
			state, empty, err := inputValue(e, v)
			if err != nil {
				return nil, fmt.Errorf("input %s: %w", actionID, err)
			}
			if optional, _ := block["optional"].(bool); empty && block["type"] == "input" && !optional {
				return nil, fmt.Errorf("input %s must be filled in", actionID)
			}
			inner, _ := values[blockID].(object)
			if inner == nil {
				inner = object{}
				values[blockID] = inner
			}
			inner[actionID] = state
		}
	}
	for _, k := range slices.Sorted(maps.Keys(given)) {
		if !used[k] {
			return nil, fmt.Errorf("the form has no input %q; its inputs are %s", k, strings.Join(names, ", "))
		}
	}
	return values, nil
}

// lookUp finds the value that a person entered for one input, and the key of that value.
func lookUp(given object, blockID, actionID string) (value any, key string) {
	if inner, ok := given[blockID].(object); ok {
		return inner[actionID], blockID
	}
	if v, ok := given[actionID]; ok {
		return v, actionID
	}
	if v, ok := given[blockID]; ok {
		return v, blockID
	}
	return nil, ""
}

// inputValue returns one entry of state.values. If given is nil, the person did not touch
// the input.
func inputValue(e object, given any) (state object, empty bool, err error) {
	kind, _ := e["type"].(string)
	state = object{"type": kind}
	text, _ := given.(string)
	switch kind {
	case "plain_text_input", "number_input":
		if given == nil {
			text, _ = e["initial_value"].(string)
		}
		state["value"] = nil
		if text != "" {
			state["value"] = text
		}
		return state, text == "", checkLength(e, text)
	case "static_select", "radio_buttons":
		state["selected_option"] = e["initial_option"]
		if text != "" {
			o, err := choose(e, text)
			if err != nil {
				return nil, false, err
			}
			state["selected_option"] = o
		}
		return state, state["selected_option"] == nil, nil
	case "checkboxes", "multi_static_select":
		chosen := []any{}
		for _, t := range texts(given) {
			o, err := choose(e, t)
			if err != nil {
				return nil, false, err
			}
			chosen = append(chosen, o)
		}
		state["selected_options"] = chosen
		return state, len(chosen) == 0, nil
	case "users_select":
		state["selected_user"] = given
	case "conversations_select":
		state["selected_conversation"] = given
	case "channels_select":
		state["selected_channel"] = given
	case "datepicker":
		state["selected_date"] = given
	case "timepicker":
		state["selected_time"] = given
	default:
		return nil, false, fmt.Errorf("the local Slack cannot fill in a %s", kind)
	}
	return state, given == nil || given == "", nil
}

func checkLength(e object, text string) error {
	n := utf8.RuneCountInString(text)
	if low, ok := e["min_length"].(float64); ok && text != "" && n < int(low) {
		return fmt.Errorf("needs at least %d characters", int(low))
	}
	high := 3000
	if h, ok := e["max_length"].(float64); ok {
		high = int(h)
	}
	if n > high {
		return fmt.Errorf("takes at most %d characters", high)
	}
	return nil
}

// texts converts a value to a list of texts.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, x := range v {
			out = append(out, fmt.Sprint(x))
		}
		return out
	default:
		return nil
	}
}

// choose finds an option by its value or its label.
func choose(e object, want string) (object, error) {
	var known []string
	options, _ := e["options"].([]any)
	for _, v := range options {
		o, _ := v.(object)
		label, _ := o["text"].(object)
		if o["value"] == want || label["text"] == want {
			return o, nil
		}
		known = append(known, fmt.Sprint(o["value"]))
	}
	return nil, fmt.Errorf("there is no option %q; the options are %s", want, strings.Join(known, ", "))
}
