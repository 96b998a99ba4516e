package slacklocal

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Limits of views.
const (
	maxTitle    = 24   // characters of the title and of each button of a modal
	maxMetadata = 3000 // characters of private_metadata
	maxStack    = 3    // modals on top of each other
)

// view is an open modal or a published Home tab.
type view struct {
	user string
	wire object // as sent by Slack, with id, hash and state
}

// views holds everyone's open modals and Home tabs. The caller locks.
type views struct {
	modals map[string][]*view // by user; the topmost modal is the last
	home   map[string]*view
}

func newViews() *views {
	return &views{modals: map[string][]*view{}, home: map[string]*view{}}
}

// find finds a view by id or external id.
func (v *views) find(id, external string) *view {
	match := func(x *view) bool {
		return id != "" && x.wire["id"] == id || external != "" && x.wire["external_id"] == external
	}
	for _, stack := range v.modals {
		for _, x := range stack {
			if match(x) {
				return x
			}
		}
	}
	for _, x := range v.home {
		if match(x) {
			return x
		}
	}
	return nil
}

// close removes a modal and all modals above it from the user's stack.
func (v *views) close(x *view) {
	if i := slices.Index(v.modals[x.user], x); i >= 0 {
		v.modals[x.user] = v.modals[x.user][:i]
	}
}

// readView reads and checks the view of a call. An error has one of Slack's codes.
func readView(v any, kind string) (object, error) {
	o, ok := v.(object)
	if !ok {
		return nil, apiErr("invalid_arguments", "[ERROR] missing required field: view [json-pointer:/view]")
	}
	c := &checker{}
	c.fields("/view", o, "title", "blocks", "submit", "close", "private_metadata", "callback_id",
		"clear_on_close", "notify_on_close", "external_id", "submit_disabled")
	c.oneOf("/view", o, "type", true, kind)
	c.str("/view", o, "callback_id", false, maxID)
	c.str("/view", o, "external_id", false, maxID)
	c.str("/view", o, "private_metadata", false, maxMetadata)
	on := onHome
	if kind == "modal" {
		on = onModal
		for _, name := range []string{"title", "submit", "close"} {
			c.text("/view", o, name, name == "title", maxTitle, "plain_text")
		}
	}
	blocks, ok := o["blocks"].([]any)
	if !ok {
		c.fail("/view", "missing required field: blocks")
	}
	var bad *apiError
	if errors.As(checkBlocks(blocks, on, "/view/blocks"), &bad) {
		c.problems = append(c.problems, bad.messages...)
	}
	asks := slices.ContainsFunc(blocks, func(b any) bool { o, ok := b.(object); return ok && o["type"] == "input" })
	if asks && kind == "modal" && o["submit"] == nil {
		c.fail("/view", "missing required field: submit")
	}
	if c.problems != nil {
		return nil, apiErr("invalid_arguments", c.problems...)
	}
	fillIDs(blocks)
	return o, nil
}

// newView opens a checked view. The caller locks.
func (s *Server) newView(user string, checked object, below *view) *view {
	id := "V" + secret()
	w := object{
		"id": id, "team_id": s.ws.Team.ID, "app_id": s.ws.App.ID, "bot_id": s.ws.App.BotID,
		"app_installed_team_id": s.ws.Team.ID, "root_view_id": id, "previous_view_id": nil,
		"external_id": "", "callback_id": "", "private_metadata": "", "title": nil, "submit": nil, "close": nil,
		"clear_on_close": false, "notify_on_close": false,
		"state": object{"values": object{}}, "hash": s.room.stamp(),
	}
	maps.Copy(w, checked)
	if below != nil {
		w["root_view_id"], w["previous_view_id"] = below.wire["root_view_id"], below.wire["id"]
	}
	return &view{user: user, wire: w}
}

// change gives a view new content and a new hash. The caller locks.
func (s *Server) change(x *view, checked object) {
	next := maps.Clone(x.wire)
	maps.Copy(next, checked)
	next["hash"] = s.room.stamp()
	x.wire = next
	s.feed.view(x.user)
}

func viewOpen(c *call) (object, error) { return c.showModal(false) }

func viewPush(c *call) (object, error) { return c.showModal(true) }

// showModal implements views.open and views.push.
func (c *call) showModal(push bool) (object, error) {
	v, err := c.tree("view")
	if err != nil {
		return nil, apiErr("invalid_arguments", "[ERROR] "+err.Error())
	}
	checked, err := readView(v, "modal")
	if err != nil {
		return nil, err
	}
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	user, err := s.passes.pull(c.str("trigger_id"), s.cfg.Now())
	if err != nil {
		return nil, err
	}
	stack := s.views.modals[user]
	var below *view
	switch {
	case push && len(stack) == 0:
		return nil, apiErr("not_found")
	case push && len(stack) >= maxStack:
		return nil, apiErr("push_limit_reached")
	case push:
		below = stack[len(stack)-1]
	default: // views.open replaces the open modals
		stack = nil
	}
	x := s.newView(user, checked, below)
	s.views.modals[user] = append(stack, x)
	s.feed.view(user)
	return object{"view": x.wire}, nil
}

func viewUpdate(c *call) (object, error) {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.views.find(c.str("view_id"), c.str("external_id"))
	if x == nil {
		return nil, apiErr("not_found")
	}
	if h := c.str("hash"); h != "" && h != x.wire["hash"] {
		return nil, apiErr("hash_conflict")
	}
	checked, err := c.viewArg(x.wire["type"].(string))
	if err != nil {
		return nil, err
	}
	s.change(x, checked)
	return object{"view": x.wire}, nil
}

func viewPublish(c *call) (object, error) {
	checked, err := c.viewArg("home")
	if err != nil {
		return nil, err
	}
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	user := c.str("user_id")
	if p, ok := s.ws.person(user); !ok || p.ID != user {
		return nil, apiErr("user_not_found")
	}
	x := s.views.home[user]
	if x == nil {
		x = s.newView(user, checked, nil)
		s.views.home[user] = x
		s.feed.view(user)
	} else if h := c.str("hash"); h != "" && h != x.wire["hash"] {
		return nil, apiErr("hash_conflict")
	} else {
		s.change(x, checked)
	}
	return object{"view": x.wire}, nil
}

func (c *call) viewArg(kind string) (object, error) {
	v, err := c.tree("view")
	if err != nil {
		return nil, apiErr("invalid_arguments", "[ERROR] "+err.Error())
	}
	return readView(v, kind)
}

// answerSubmission executes the answer in the ack of a submission. It returns the errors to show
// next to the inputs.
func (s *Server) answerSubmission(x *view, answer json.RawMessage) (map[string]string, error) {
	var a struct {
		Action string            `json:"response_action"`
		Errors map[string]string `json:"errors"`
		View   object            `json:"view"`
	}
	if len(answer) > 0 {
		if err := json.Unmarshal(answer, &a); err != nil {
			return nil, fmt.Errorf("the app's answer to the form cannot be parsed: %w", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.feed.view(x.user)
	switch a.Action {
	case "":
		s.views.close(x)
	case "clear":
		delete(s.views.modals, x.user)
	case "errors":
		if len(a.Errors) == 0 {
			return nil, fmt.Errorf("the app answered the form with response_action errors, but without errors")
		}
		return a.Errors, nil
	case "update", "push":
		checked, err := readView(a.View, "modal")
		if err != nil {
			return nil, fmt.Errorf("the app answered the form with an invalid view: %w", err)
		}
		if a.Action == "update" {
			s.change(x, checked)
			return nil, nil
		}
		s.views.modals[x.user] = append(s.views.modals[x.user], s.newView(x.user, checked, x))
	default:
		return nil, fmt.Errorf("the app answered the form with the unknown response_action %q", a.Action)
	}
	return nil, nil
}
