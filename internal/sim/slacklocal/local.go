package slacklocal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// mountLocal adds the endpoints for people:
//
//	POST /local/slash    {user, channel, command, text}
//	POST /local/mention  {user, channel, text, thread_ts}
//	POST /local/click    {user, channel, ts, action_id, block_id, value}, or view_id for a button of a view
//	POST /local/shortcut {user, channel, ts, callback_id}, without ts a global one
//	POST /local/submit   {user, view_id, values}
//	POST /local/close    {user, view_id}
//	POST /local/home     {user}
//	POST /local/person   {user, deleted, is_restricted, …}: changes a person
//	POST /local/channel  {channel, is_archived, restricted, is_ext_shared, without_bot}: changes a channel
//	POST /local/fault    see Fault
//	GET  /local/messages ?channel=&user=&limit=
//	GET  /local/people
//	GET  /local/views    ?user=
//	GET  /local/events   server-sent events
//	GET  /local/file/ID
//
// The fields user and channel are names or ids. Answers are JSON with the field ok. An action that
// is not possible in Slack's own window gets HTTP 400, and the field error explains why.
func (s *Server) mountLocal(mux *http.ServeMux) {
	post(s, mux, "slash", func(_ *http.Request, in SlashCommand) (any, error) { return s.Slash(in) })
	post(s, mux, "mention", func(_ *http.Request, in Mention) (any, error) { return s.Mention(in) })
	post(s, mux, "click", func(_ *http.Request, in Click) (any, error) { return s.Click(in) })
	post(s, mux, "shortcut", func(_ *http.Request, in ShortcutUse) (any, error) { return s.Shortcut(in) })
	post(s, mux, "submit", func(_ *http.Request, in Submission) (any, error) { return s.Submit(in) })
	post(s, mux, "close", func(_ *http.Request, in Submission) (any, error) { return s.CloseView(in.User, in.ViewID) })
	post(s, mux, "home", func(_ *http.Request, in struct {
		User string `json:"user"`
	}) (any, error) {
		return s.OpenHome(in.User)
	})
	post(s, mux, "person", func(_ *http.Request, in PersonChange) (any, error) { return s.ChangePerson(in) })
	post(s, mux, "channel", func(_ *http.Request, in ChannelChange) (any, error) { return s.ChangeChannel(in) })
	post(s, mux, "fault", s.serveFault)
	get := func(name string, h http.HandlerFunc) {
		mux.HandleFunc("GET /local/"+name, func(w http.ResponseWriter, r *http.Request) {
			if err := sameOrigin(r); err != nil {
				localError(w, http.StatusForbidden, err)
				return
			}
			h(w, r)
		})
	}
	get("messages", s.serveMessages)
	get("people", s.servePeople)
	get("views", s.serveViews)
	get("events", s.serveFeed)
	get("file/{id}", s.serveFile)
}

// sameOrigin returns an error for a request from a page of another origin.
func sameOrigin(r *http.Request) error {
	if o := r.Header.Get("Origin"); o != "" && o != "http://"+r.Host {
		return fmt.Errorf("a page of %s may not act here", o)
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" {
		return errors.New("a page of another site may not act here")
	}
	return nil
}

// post adds an endpoint that accepts JSON with any content type.
func post[T any](s *Server, mux *http.ServeMux, name string, do func(*http.Request, T) (any, error)) {
	mux.HandleFunc("POST /local/"+name, func(w http.ResponseWriter, r *http.Request) {
		if err := sameOrigin(r); err != nil {
			localError(w, http.StatusForbidden, err)
			return
		}
		var in T
		dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&in); err != nil && !errors.Is(err, io.EOF) {
			localError(w, http.StatusBadRequest, fmt.Errorf("/local/%s takes a JSON object: %w", name, err))
			return
		}
		out, err := do(r, in)
		if err != nil {
			localError(w, http.StatusBadRequest, err)
			return
		}
		if o, ok := out.(object); ok {
			o["ok"] = true
		}
		writeJSON(w, http.StatusOK, out)
	})
}

func localError(w http.ResponseWriter, status int, err error) {
	writeJSON(w, status, object{"ok": false, "error": err.Error()})
}

// Messages lists the messages of a channel that a person can see, oldest first. They include
// ephemeral messages for this person. If user is "", Messages lists the messages that everyone can
// see. Both arguments are names or ids.
func (s *Server) Messages(channel, user string) ([]Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, ok := s.ws.channel(channel)
	if !ok {
		return nil, fmt.Errorf("there is no channel %q", channel)
	}
	if user != "" {
		p, ok := s.ws.person(user)
		if !ok {
			return nil, fmt.Errorf("there is nobody called %q", user)
		}
		if !ch.has(p.ID) {
			return nil, fmt.Errorf("%s is not in #%s", p.Name, ch.Name)
		}
		user = p.ID
	}
	out := []Message{}
	for _, m := range s.room.seenBy(ch.ID, user) {
		out = append(out, *m)
	}
	return out, nil
}

func (s *Server) serveMessages(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	list, err := s.Messages(q.Get("channel"), q.Get("user"))
	if err != nil {
		localError(w, http.StatusBadRequest, err)
		return
	}
	if n, err := strconv.Atoi(q.Get("limit")); err == nil && n >= 0 && n < len(list) {
		list = list[len(list)-n:]
	}
	writeJSON(w, http.StatusOK, object{"ok": true, "messages": list})
}

func (s *Server) servePeople(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	writeJSON(w, http.StatusOK, object{
		"ok": true, "team": s.ws.Team, "others": s.ws.Others, "app": s.ws.App,
		"people": s.ws.People, "channels": s.ws.Channels, "groups": s.ws.Groups,
	})
}

// Views returns a user's open modals, the topmost last, and the user's Home tab. The Home tab is
// nil if none was published. Each view has the form of Slack's JSON.
func (s *Server) Views(user string) (modals []map[string]any, home map[string]any, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.ws.person(user)
	if !ok {
		return nil, nil, fmt.Errorf("there is nobody called %q", user)
	}
	modals = []object{}
	for _, x := range s.views.modals[p.ID] {
		modals = append(modals, x.wire)
	}
	if h := s.views.home[p.ID]; h != nil {
		home = h.wire
	}
	return modals, home, nil
}

func (s *Server) serveViews(w http.ResponseWriter, r *http.Request) {
	modals, home, err := s.Views(r.URL.Query().Get("user"))
	if err != nil {
		localError(w, http.StatusBadRequest, err)
		return
	}
	writeJSON(w, http.StatusOK, object{"ok": true, "modals": modals, "home": home})
}

// PersonChange is a change of a person. What a nil field describes stays unchanged.
type PersonChange struct {
	User            string  `json:"user"`
	TeamID          *string `json:"team_id,omitempty"`
	EnterpriseID    *string `json:"enterprise_id,omitempty"`
	EnterpriseUser  *string `json:"enterprise_user,omitempty"`
	TapTeam         *string `json:"tap_team,omitempty"`
	Deleted         *bool   `json:"deleted,omitempty"`
	Bot             *bool   `json:"is_bot,omitempty"`
	WorkflowBot     *bool   `json:"is_workflow_bot,omitempty"`
	Restricted      *bool   `json:"is_restricted,omitempty"`
	UltraRestricted *bool   `json:"is_ultra_restricted,omitempty"`
	Stranger        *bool   `json:"is_stranger,omitempty"`
	Away            *bool   `json:"away,omitempty"`
	DNDUntil        *int64  `json:"dnd_until,omitempty"`
}

// ChangePerson changes a person. For example, it deactivates them, or makes them a guest or a
// member of another organisation.
func (s *Server) ChangePerson(in PersonChange) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.ws.person(in.User)
	if !ok {
		return nil, fmt.Errorf("there is nobody called %q", in.User)
	}
	set := func(to *bool, from *bool) {
		if from != nil {
			*to = *from
		}
	}
	set(&p.Deleted, in.Deleted)
	set(&p.Bot, in.Bot)
	set(&p.WorkflowBot, in.WorkflowBot)
	set(&p.Restricted, in.Restricted)
	set(&p.UltraRestricted, in.UltraRestricted)
	set(&p.Stranger, in.Stranger)
	set(&p.Away, in.Away)
	if in.DNDUntil != nil {
		p.DNDUntil = *in.DNDUntil
	}
	setText := func(to *string, from *string) {
		if from != nil {
			*to = *from
		}
	}
	setText(&p.TeamID, in.TeamID)
	setText(&p.EnterpriseID, in.EnterpriseID)
	setText(&p.EnterpriseUser, in.EnterpriseUser)
	setText(&p.TapTeam, in.TapTeam)
	if _, ok := s.ws.team(p.TeamID); !ok && (p.TeamID != "" || p.EnterpriseID == "") {
		return nil, fmt.Errorf("there is no team %q; only people of an organisation (enterprise_id) need none", p.TeamID)
	}
	for i := range s.ws.People {
		if s.ws.People[i].ID == p.ID {
			s.ws.People[i] = p
		}
	}
	return object{"person": p}, nil
}
