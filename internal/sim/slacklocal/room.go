package slacklocal

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// object is a JSON object of the Slack API.
type object = map[string]any

// Message is one message in /local/messages. Blocks include the block and action ids that Slack
// adds. They stay encoded, because the server keeps many messages and few are read.
type Message struct {
	TS       string `json:"ts"` // "1700000000.000100", unique and rising in the workspace
	ThreadTS string `json:"thread_ts,omitempty"`
	// Broadcast means that a reply in a thread is also shown in the channel.
	Broadcast bool            `json:"broadcast,omitempty"`
	Channel   string          `json:"channel"`
	User      string          `json:"user"` // author's id; "USLACKBOT" for Slack's own messages
	BotID     string          `json:"bot_id,omitempty"`
	Text      string          `json:"text"` // for push notifications and screen readers
	Blocks    json.RawMessage `json:"blocks,omitempty"`
	Files     []FileInfo      `json:"files,omitempty"`
	Reactions []string        `json:"reactions,omitempty"`
	// Notifies are the people, groups and channels ("@here") that the message
	// notifies, intentionally or not.
	Notifies []string `json:"notifies,omitempty"`
	// An ephemeral message is visible only to the person in For, and cannot be edited by ts.
	Ephemeral bool       `json:"ephemeral,omitempty"`
	For       string     `json:"for,omitempty"`
	At        time.Time  `json:"at"`
	EditedAt  *time.Time `json:"edited_at,omitempty"`
	// History has the earlier versions of an edited message, oldest first.
	History  []Revision `json:"history,omitempty"`
	Metadata any        `json:"metadata,omitempty"`
}

// Revision is a former state of a message.
type Revision struct {
	Text   string          `json:"text"`
	Blocks json.RawMessage `json:"blocks,omitempty"`
	At     time.Time       `json:"at"` // when this version was posted
}

// room holds the messages. Its caller locks.
type room struct {
	now      func() time.Time
	last     int64 // the last ts, in microseconds
	channels map[string][]*Message
}

func newRoom(now func() time.Time) *room {
	return &room{now: now, channels: map[string][]*Message{}}
}

// stamp returns a new ts: the current time, or a later time if that ts was already used.
func (r *room) stamp() string {
	r.last = max(r.last+1, r.now().UnixMicro())
	return fmt.Sprintf("%d.%06d", r.last/1e6, r.last%1e6)
}

// add stores a message and sets its ts.
func (r *room) add(m Message, said content) *Message {
	m.TS = r.stamp()
	m.At = r.now()
	m.Text, m.Blocks, m.Notifies, m.Metadata = said.text, said.blocks, said.notifies, said.metadata
	r.channels[m.Channel] = append(r.channels[m.Channel], &m)
	return &m
}

// index returns the position of a message in its channel, or -1. It searches from the newest
// message, because most look-ups are for recent messages.
func (r *room) index(channel, ts string) int {
	list := r.channels[channel]
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].TS == ts {
			return i
		}
	}
	return -1
}

func (r *room) find(channel, ts string) *Message {
	if i := r.index(channel, ts); i >= 0 {
		return r.channels[channel][i]
	}
	return nil
}

// edit gives a message new text and blocks, and keeps the old version in its history. It stores a
// new Message instead of changing m, because readers may still use m without a lock.
func (r *room) edit(m *Message, said content) *Message {
	now := r.now()
	next := *m
	was := m.At
	if m.EditedAt != nil {
		was = *m.EditedAt
	}
	next.History = append(slices.Clone(m.History), Revision{Text: m.Text, Blocks: m.Blocks, At: was})
	next.Text, next.Blocks, next.Notifies, next.EditedAt = said.text, said.blocks, said.notifies, &now
	r.replace(m, &next)
	return &next
}

// replace replaces m by next.
func (r *room) replace(m, next *Message) {
	if i := r.index(m.Channel, m.TS); i >= 0 {
		r.channels[m.Channel][i] = next
	}
}

func (r *room) remove(m *Message) {
	if i := r.index(m.Channel, m.TS); i >= 0 {
		r.channels[m.Channel] = slices.Delete(r.channels[m.Channel], i, i+1)
	}
}

// seenBy lists the messages of a channel that a person can see, oldest first. If user is "", it
// lists the messages that everyone can see.
func (r *room) seenBy(channel, user string) []*Message {
	var out []*Message
	for _, m := range r.channels[channel] {
		if !m.Ephemeral || m.For == user && user != "" {
			out = append(out, m)
		}
	}
	return out
}

// blocks decodes the message's blocks.
func (m *Message) blocks() []any {
	var list []any
	if m.Blocks == nil || json.Unmarshal(m.Blocks, &list) != nil { // encoded by this package
		return nil
	}
	return list
}

// wire returns the message in the Web API's form.
func (m *Message) wire(app App, team string) object {
	o := object{"type": "message", "user": m.User, "text": m.Text, "ts": m.TS, "team": team}
	if m.BotID != "" {
		o["bot_id"], o["app_id"] = m.BotID, app.ID
		o["bot_profile"] = object{"id": app.BotID, "app_id": app.ID, "name": app.Name, "team_id": team, "deleted": false}
	}
	if m.ThreadTS != "" {
		o["thread_ts"] = m.ThreadTS
	}
	if m.Broadcast {
		o["subtype"] = "thread_broadcast"
	}
	if m.Blocks != nil {
		o["blocks"] = m.Blocks
	}
	if m.EditedAt != nil {
		o["edited"] = object{"user": m.User, "ts": fmt.Sprintf("%d.000000", m.EditedAt.Unix())}
	}
	if m.Files != nil {
		o["files"] = m.Files
	}
	if m.Metadata != nil {
		o["metadata"] = m.Metadata
	}
	return o
}
