package slacklocal

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// Limits of a message's text, in characters.
const (
	maxText   = 40_000 // longer texts are cut
	maxUpdate = 4000   // longer texts are refused
)

// content is the checked content of a message.
type content struct {
	text     string
	blocks   json.RawMessage
	notifies []string
	metadata any
}

// plainContent returns content with text only.
func plainContent(text string) content { return content{text: text, notifies: notified(text, nil)} }

// readContent reads the text, blocks and metadata that were sent to a method or to a response URL.
func readContent(c *call) (content, error) {
	out := content{text: c.str("text")}
	v, err := c.tree("blocks")
	if err != nil {
		return out, apiErr("invalid_blocks_format", "[ERROR] "+err.Error())
	}
	list, ok := v.([]any)
	if v != nil && !ok {
		return out, apiErr("invalid_blocks_format", "[ERROR] blocks is not a list")
	}
	if err := checkBlocks(list, onMessage, "/blocks"); err != nil {
		return out, err
	}
	fillIDs(list)
	if len(list) > 0 {
		if out.blocks, err = json.Marshal(list); err != nil {
			return out, err
		}
	}
	if out.metadata, err = c.tree("metadata"); err != nil {
		return out, apiErr("invalid_metadata_format", "[ERROR] "+err.Error())
	}
	if n := utf8.RuneCountInString(out.text); n > maxText {
		out.text = string([]rune(out.text)[:maxText])
	}
	out.notifies = notified(out.text, list)
	return out, nil
}

// fillIDs adds missing block and element ids.
func fillIDs(blocks []any) {
	for _, b := range blocks {
		o, ok := b.(object)
		if !ok {
			continue
		}
		if id, _ := o["block_id"].(string); id == "" {
			o["block_id"] = secret()[:5]
		}
		for _, e := range interactive(o) {
			if id, _ := e["action_id"].(string); id == "" {
				e["action_id"] = secret()[:5]
			}
		}
	}
}

// interactive lists the interactive elements of one block.
func interactive(block object) []object {
	var candidates []any
	switch block["type"] {
	case "actions":
		candidates, _ = block["elements"].([]any)
	case "section":
		candidates = []any{block["accessory"]}
	case "input":
		candidates = []any{block["element"]}
	default: // all other blocks have no interactive elements
	}
	var out []object
	for _, v := range candidates {
		if e, ok := v.(object); ok && e["type"] != "image" {
			out = append(out, e)
		}
	}
	return out
}

// postTo finds the channel to post to; a user id means that person's direct
// messages. The caller locks.
func (s *Server) postTo(ref string) (Channel, error) {
	if p, ok := s.ws.person(ref); ok && p.ID == ref {
		ref = dmID(ref)
	}
	ch, ok := s.ws.channel(ref)
	bot := s.ws.App.UserID
	switch {
	case !ok || ch.ID != ref, ch.Private && !ch.has(bot):
		return Channel{}, apiErr("channel_not_found")
	case ch.Archived:
		return Channel{}, apiErr("is_archived")
	case !ch.has(bot):
		return Channel{}, apiErr("not_in_channel")
	case ch.Restricted:
		return Channel{}, apiErr("restricted_action")
	}
	return ch, nil
}

// thread returns the ts of the parent message for a thread_ts, which may also be the ts of a reply.
func (s *Server) thread(channel, ts string) (string, error) {
	if ts == "" {
		return "", nil
	}
	m := s.room.find(channel, ts)
	if m == nil || m.Ephemeral {
		return "", apiErr("thread_not_found")
	}
	if m.ThreadTS != "" {
		return m.ThreadTS, nil
	}
	return m.TS, nil
}

// say stores a message of the bot and notifies the page. The caller locks.
func (s *Server) say(m Message, said content) *Message {
	m.User, m.BotID = s.ws.App.UserID, s.ws.App.BotID
	stored := s.room.add(m, said)
	s.feed.message(stored)
	return stored
}

// readMessage reads the content of a call, which must not be empty.
func readMessage(c *call) (content, error) {
	said, err := readContent(c)
	if err == nil && said.text == "" && said.blocks == nil {
		err = apiErr("no_text")
	}
	return said, err
}

func chatPost(c *call) (object, error) {
	said, err := readMessage(c)
	if err != nil {
		return nil, err
	}
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, err := s.postTo(c.str("channel"))
	if err != nil {
		return nil, err
	}
	parent, err := s.thread(ch.ID, c.str("thread_ts"))
	if err != nil {
		return nil, err
	}
	m := s.say(Message{Channel: ch.ID, ThreadTS: parent, Broadcast: parent != "" && c.str("reply_broadcast") == "true"}, said)
	return object{"channel": ch.ID, "ts": m.TS, "message": m.wire(s.ws.App, s.ws.Team.ID)}, nil
}

func chatEphemeral(c *call) (object, error) {
	said, err := readMessage(c)
	if err != nil {
		return nil, err
	}
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, err := s.postTo(c.str("channel"))
	if err != nil {
		return nil, err
	}
	user := c.str("user")
	if !ch.has(user) {
		return nil, apiErr("user_not_in_channel")
	}
	parent, err := s.thread(ch.ID, c.str("thread_ts"))
	if err != nil {
		return nil, err
	}
	m := s.say(Message{Channel: ch.ID, ThreadTS: parent, Ephemeral: true, For: user}, said)
	return object{"message_ts": m.TS}, nil
}

// own finds a message that the bot may change. It must be a message of the bot, and must not be
// ephemeral, because only a response URL can change an ephemeral message. The parameter
// otherwise is the error code for a message of someone else. The caller locks.
func (s *Server) own(c *call, otherwise string) (*Message, error) {
	ch, ok := s.ws.channel(c.str("channel"))
	if !ok || ch.ID != c.str("channel") {
		return nil, apiErr("channel_not_found")
	}
	m := s.room.find(ch.ID, c.str("ts"))
	switch {
	case m == nil || m.Ephemeral:
		return nil, apiErr("message_not_found")
	case m.User != s.ws.App.UserID:
		return nil, apiErr(otherwise)
	}
	return m, nil
}

func chatUpdate(c *call) (object, error) {
	if n := utf8.RuneCountInString(c.str("text")); n > maxUpdate {
		return nil, apiErr("msg_too_long", fmt.Sprintf("[ERROR] text has %d characters, %d are allowed in an update", n, maxUpdate))
	}
	said, err := readMessage(c)
	if err != nil {
		return nil, err
	}
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.own(c, "cant_update_message")
	if err != nil {
		return nil, err
	}
	// If a call has only text, said.blocks is nil, and the message loses its blocks.
	m = s.room.edit(m, said)
	s.feed.message(m)
	return object{"channel": m.Channel, "ts": m.TS, "text": m.Text, "message": m.wire(s.ws.App, s.ws.Team.ID)}, nil
}

func chatDelete(c *call) (object, error) {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.own(c, "cant_delete_message")
	if err != nil {
		return nil, err
	}
	s.room.remove(m)
	s.feed.message(m)
	return object{"channel": m.Channel, "ts": m.TS}, nil
}

func chatPermalink(c *call) (object, error) {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, ok := s.ws.channel(c.str("channel"))
	if !ok || ch.ID != c.str("channel") {
		return nil, apiErr("channel_not_found")
	}
	m := s.room.find(ch.ID, c.str("message_ts"))
	if m == nil || m.Ephemeral {
		return nil, apiErr("message_not_found")
	}
	return object{"channel": ch.ID, "permalink": "http://" + c.host + "/?channel=" + ch.ID + "&ts=" + m.TS}, nil
}

func reactionAdd(c *call) (object, error)    { return react(c, "reaction_added", "already_reacted") }
func reactionRemove(c *call) (object, error) { return react(c, "reaction_removed", "no_reaction") }

// react sets or removes the bot's reaction, and sends the event to the app, as Slack does for every
// reaction. The argument noChange is the error code for a call that would change nothing.
func react(c *call, event, noChange string) (object, error) {
	s := c.s
	wire, err := s.react(c, event == "reaction_added", noChange)
	if err != nil {
		return nil, err
	}
	wire["type"] = event
	s.publish(wire, false)
	return nil, nil
}

// react changes the message and sends the event.
func (s *Server) react(c *call, set bool, noChange string) (object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, err := s.postTo(c.str("channel"))
	if err != nil {
		return nil, err
	}
	m := s.room.find(ch.ID, c.str("timestamp"))
	name := c.str("name")
	switch {
	case m == nil || m.Ephemeral:
		return nil, apiErr("message_not_found")
	case name == "":
		return nil, apiErr("invalid_name")
	case slices.Contains(m.Reactions, name) == set:
		return nil, apiErr(noChange)
	}
	next := *m
	next.Reactions = slices.DeleteFunc(slices.Clone(m.Reactions), func(r string) bool { return r == name })
	if set {
		next.Reactions = append(next.Reactions, name)
	}
	s.room.replace(m, &next)
	s.feed.message(&next)
	return object{
		"user": s.ws.App.UserID, "reaction": name, "item_user": m.User, "event_ts": s.room.stamp(),
		"item": object{"type": "message", "channel": ch.ID, "ts": m.TS},
	}, nil
}

// slackError returns Slack's error code for an error, for an answer outside the Web API.
func slackError(err error) string {
	var e *apiError
	if errors.As(err, &e) {
		return e.code
	}
	return "internal_error"
}
