package slacklocal

import (
	"errors"
	"fmt"
	"strings"
)

// target is the element that a person uses, with its block and its message or view.
type target struct {
	person  Person
	channel Channel
	message *Message
	view    *view
	block   object
	element object
}

func (t *target) thread() string {
	if t.message == nil {
		return ""
	}
	return t.message.ThreadTS
}

// target finds the element of a click. It returns an error if the person cannot see the element.
// The caller locks.
func (s *Server) target(in Click) (*target, error) {
	t := &target{}
	var blocks []any
	if in.ViewID != "" {
		p, ok := s.ws.person(in.User)
		if !ok {
			return nil, fmt.Errorf("the workspace has no person %q", in.User)
		}
		t.person = p
		if t.view = s.views.find(in.ViewID, ""); t.view == nil || t.view.user != p.ID {
			return nil, fmt.Errorf("%s has no view %s open", p.Name, in.ViewID)
		}
		blocks, _ = t.view.wire["blocks"].([]any)
	} else {
		var err error
		if t.person, t.channel, err = s.inChannel(in.User, in.Channel); err != nil {
			return nil, err
		}
		t.message = s.room.find(t.channel.ID, in.TS)
		if m := t.message; m == nil || m.Ephemeral && m.For != t.person.ID {
			return nil, fmt.Errorf("%s sees no message %s in #%s", t.person.Name, in.TS, t.channel.Name)
		}
		blocks = t.message.blocks()
	}
	return t, t.pick(blocks, in)
}

// pick finds the single element that a click refers to.
func (t *target) pick(blocks []any, in Click) error {
	found := 0
	var there []string
	for _, b := range blocks {
		block, ok := b.(object)
		if !ok {
			continue
		}
		for _, e := range interactive(block) {
			there = append(there, fmt.Sprintf("%v (%s)", e["action_id"], label(e)))
			wrongValue := e["type"] == "button" && in.Value != "" && e["value"] != in.Value
			if e["action_id"] == in.ActionID && (in.BlockID == "" || block["block_id"] == in.BlockID) && !wrongValue {
				found++
				t.block, t.element = block, e
			}
		}
	}
	switch {
	case found == 1:
		return nil
	case found > 1:
		return fmt.Errorf("%q is there %d times: name its block_id or value", in.ActionID, found)
	case len(there) == 0:
		return errors.New("this message or view has no element to click on")
	default:
		return fmt.Errorf("there is no such %q to click on; the elements are %s", in.ActionID, strings.Join(there, ", "))
	}
}

// Button is a button as a person sees it.
type Button struct {
	Label, ActionID, BlockID, Value string
	Confirm                         bool // the button asks for a confirmation first
}

// Buttons lists the message's buttons in the order shown.
func (m Message) Buttons() []Button {
	var out []Button
	for _, b := range m.blocks() {
		block, ok := b.(object)
		if !ok {
			continue
		}
		for _, e := range interactive(block) {
			if e["type"] != "button" {
				continue
			}
			str := func(o object, k string) string { s, _ := o[k].(string); return s }
			out = append(out, Button{Label: label(e), ActionID: str(e, "action_id"), BlockID: str(block, "block_id"),
				Value: str(e, "value"), Confirm: e["confirm"] != nil})
		}
	}
	return out
}

// label returns the text of an element, or the element's type if it has no text.
func label(e object) string {
	if t, ok := e["text"].(object); ok {
		if s, ok := t["text"].(string); ok {
			return s
		}
	}
	kind, _ := e["type"].(string)
	return kind
}

// use returns the action that the payload of a click contains. The caller locks.
func (s *Server) use(block, e object, in Click) (object, error) {
	a := object{"type": e["type"], "action_id": e["action_id"], "block_id": block["block_id"], "action_ts": s.room.stamp()}
	switch e["type"] {
	case "button":
		for _, k := range []string{"text", "value", "style", "url"} {
			if e[k] != nil {
				a[k] = e[k]
			}
		}
		return a, nil
	case "overflow", "static_select", "radio_buttons":
		o, err := choose(e, in.Value)
		if err != nil {
			return nil, err
		}
		a["selected_option"] = o
		return a, nil
	default:
		return nil, fmt.Errorf("the local Slack cannot use a %v", e["type"])
	}
}
