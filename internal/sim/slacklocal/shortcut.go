package slacklocal

import (
	"fmt"
)

// AppShortcut is a shortcut of the app. Slack offers it on every message. If its type is "global",
// Slack offers it next to the message input instead.
type AppShortcut struct {
	Name       string `json:"name"`
	Type       string `json:"type"` // message or global
	CallbackID string `json:"callback_id"`
}

// ShortcutUse is the use of a shortcut of the app. It is used on the message TS in Channel, unless
// the shortcut is global.
type ShortcutUse struct {
	User       string `json:"user"`
	Channel    string `json:"channel"`
	TS         string `json:"ts"`
	CallbackID string `json:"callback_id"` // "" selects the only shortcut of this type
}

// Shortcut sends a shortcut to the app and waits for the ack.
func (s *Server) Shortcut(in ShortcutUse) (*Answer, error) {
	payload, p, ch, thread, name, err := s.shortcut(in)
	if err != nil {
		return nil, err
	}
	if _, how := s.hub.deliver(envelope{kind: "interactive", payload: payload}); how != acked {
		return s.unanswered(p, ch, thread, fmt.Sprintf("Using %q", name)), nil
	}
	return &Answer{OK: true}, nil
}

// shortcut returns the payload for the use of a shortcut.
func (s *Server) shortcut(in ShortcutUse) (payload object, p Person, ch Channel, thread, name string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kind, wire := "global", "shortcut"
	if in.TS != "" {
		kind, wire = "message", "message_action"
	}
	id := ""
	for _, have := range s.ws.App.Shortcuts {
		if have.Type == kind && (in.CallbackID == "" || have.CallbackID == in.CallbackID) {
			id, name = have.CallbackID, have.Name
			break
		}
	}
	if id == "" {
		return nil, p, ch, "", "", fmt.Errorf("the app has no %s shortcut %q", kind, in.CallbackID)
	}
	if in.TS == "" {
		var ok bool
		if p, ok = s.ws.person(in.User); !ok {
			return nil, p, ch, "", "", fmt.Errorf("the workspace has no person %q", in.User)
		}
		payload = s.interaction(wire, p)
		payload["callback_id"], payload["action_ts"] = id, s.room.stamp()
		return payload, p, Channel{ID: dmID(p.ID)}, "", name, nil
	}
	if p, ch, err = s.inChannel(in.User, in.Channel); err != nil {
		return nil, p, ch, "", "", err
	}
	m := s.room.find(ch.ID, in.TS)
	if m == nil || m.Ephemeral { // Slack offers no shortcut on ephemeral messages
		return nil, p, ch, "", "", fmt.Errorf("%s sees no message %s in #%s that has shortcuts", p.Name, in.TS, ch.Name)
	}
	payload = s.interaction(wire, p)
	payload["callback_id"], payload["action_ts"] = id, s.room.stamp()
	payload["channel"] = object{"id": ch.ID, "name": slashChannel(ch)}
	payload["message_ts"], payload["message"] = m.TS, m.wire(s.ws.App, s.ws.Team.ID)
	payload["response_url"] = s.hookURL(hook{user: p.ID, channel: ch.ID, thread: m.ThreadTS})
	return payload, p, ch, m.ThreadTS, name, nil
}
