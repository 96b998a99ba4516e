package slacklocal

import (
	"encoding/json"
	"net/http"
)

// hookURL creates a response URL. The caller locks.
func (s *Server) hookURL(h hook) string {
	h.until = s.cfg.Now().Add(hookLife)
	return s.URL() + "/hook/" + s.passes.hook(h)
}

// serveHook accepts posts to a response URL. Each URL accepts five posts within thirty minutes.
// Further posts get 404.
func (s *Server) serveHook(w http.ResponseWriter, r *http.Request) {
	c := &call{s: s, method: "response_url", host: r.Host, args: object{}}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := json.NewDecoder(r.Body).Decode(&c.args); err != nil {
		http.Error(w, "invalid_payload", http.StatusBadRequest)
		return
	}
	s.faults.stalled(r.Context())
	said, err := readContent(c)
	if err != nil {
		writeJSON(w, http.StatusBadRequest, object{"ok": false, "error": slackError(err)})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	h, err := s.passes.call(r.PathValue("id"), s.cfg.Now())
	if err != nil {
		writeJSON(w, http.StatusNotFound, object{"ok": false, "error": slackError(err)})
		return
	}
	if _, err := s.respond(h, c, said); err != nil {
		writeJSON(w, http.StatusBadRequest, object{"ok": false, "error": slackError(err)})
		return
	}
	writeJSON(w, http.StatusOK, object{"ok": true})
}

// respond executes a post to a response URL, or the answer in the ack of a slash command. It
// replaces or deletes the original message, or posts a new message. A new message is ephemeral
// unless response_type is in_channel. respond returns the resulting message, or nil after a
// deletion. The caller locks.
func (s *Server) respond(h *hook, c *call, said content) (*Message, error) {
	old := s.room.find(h.channel, h.message)
	if c.str("delete_original") == "true" {
		if old == nil {
			return nil, apiErr("message_not_found")
		}
		s.room.remove(old)
		s.feed.message(old)
		return nil, nil
	}
	if said.text == "" && said.blocks == nil {
		return nil, apiErr("no_text")
	}
	if c.str("replace_original") == "true" && old != nil {
		next := s.room.edit(old, said)
		s.feed.message(next)
		return next, nil
	}
	thread := h.thread
	if c.has("thread_ts") {
		parent, err := s.thread(h.channel, c.str("thread_ts"))
		if err != nil {
			return nil, err
		}
		thread = parent
	}
	m := Message{Channel: h.channel, ThreadTS: thread}
	if c.str("response_type") != "in_channel" {
		m.Ephemeral, m.For = true, h.user
	}
	stored := s.say(m, said)
	if h.message == "" {
		h.message = stored.TS
	}
	return stored, nil
}
