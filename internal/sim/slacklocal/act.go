package slacklocal

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// SlashCommand is a typed command such as "/dh status". Command defaults to "/"
// and the bot's name.
type SlashCommand struct {
	User    string `json:"user"`
	Channel string `json:"channel"`
	Command string `json:"command"`
	Text    string `json:"text"`
}

// Mention is a message such as "@dh status" in a channel or thread. If the text does not
// contain the bot's name, the name is prepended.
type Mention struct {
	User     string `json:"user"`
	Channel  string `json:"channel"`
	Text     string `json:"text"`
	ThreadTS string `json:"thread_ts"`
}

// Click is the use of a button, a menu or an overflow menu. The element is in the message TS of
// Channel, or in the view ViewID. If several elements have the action id, BlockID or Value must
// select one. For a menu, Value is the value of the chosen option.
type Click struct {
	User     string `json:"user"`
	Channel  string `json:"channel"`
	TS       string `json:"ts"`
	ViewID   string `json:"view_id"`
	ActionID string `json:"action_id"`
	BlockID  string `json:"block_id"`
	Value    string `json:"value"`
}

// Answer is what Slack shows a person right after an action.
type Answer struct {
	// OK is false if Slack shows the text in Error, for example operation_timeout.
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
	// Message is the message that this person sees after the action. It is either the answer in the
	// ack, or Slack's message that the app did not answer.
	Message *Message `json:"message,omitempty"`
	TS      string   `json:"ts,omitempty"` // of the person's message
	Note    string   `json:"note,omitempty"`
	// Errors are the texts that Slack shows next to the inputs of a form that the app rejected.
	Errors map[string]string `json:"errors,omitempty"`
	View   object            `json:"view,omitempty"`
}

// inChannel finds a person and one of their channels. The caller locks.
func (s *Server) inChannel(user, channel string) (Person, Channel, error) {
	p, ok := s.ws.person(user)
	if !ok {
		return p, Channel{}, fmt.Errorf("the workspace has no person %q", user)
	}
	ch, ok := s.ws.channel(channel)
	switch {
	case !ok:
		return p, ch, fmt.Errorf("there is no channel %q", channel)
	case !ch.has(p.ID):
		return p, ch, fmt.Errorf("%s is not in #%s", p.Name, ch.Name)
	}
	return p, ch, nil
}

// Slash sends a slash command, and waits for its ack for as long as Slack would.
func (s *Server) Slash(in SlashCommand) (*Answer, error) {
	if in.Command == "" {
		in.Command = "/" + s.ws.App.Name
	}
	if !strings.HasPrefix(in.Command, "/") || strings.ContainsAny(in.Command, " \n") {
		return nil, fmt.Errorf("%q is not a slash command: write one word that starts with /", in.Command)
	}
	s.mu.Lock()
	p, ch, err := s.inChannel(in.User, in.Channel)
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	h := hook{user: p.ID, channel: ch.ID}
	team := s.ws.typedIn(p)
	payload := object{
		"token": "local", "team_id": team.ID, "team_domain": team.Domain,
		"channel_id": ch.ID, "channel_name": slashChannel(ch), "user_id": p.ID, "user_name": p.Name,
		"command": in.Command, "text": in.Text, "api_app_id": s.ws.App.ID, "is_enterprise_install": strconv.FormatBool(s.ws.App.OrgWide),
		"response_url": s.hookURL(h), "trigger_id": s.passes.trigger(p.ID, s.cfg.Now().Add(s.cfg.Clocks.Ack)),
	}
	if team.EnterpriseID != "" {
		payload["enterprise_id"], payload["enterprise_name"] = team.EnterpriseID, team.Name
	}
	s.mu.Unlock()
	answer, how := s.hub.deliver(envelope{kind: "slash_commands", payload: payload, accepts: true})
	if how != acked {
		return s.unanswered(p, ch, "", in.Command), nil
	}
	return s.inAck(h, in.Command, answer)
}

// slashChannel returns the channel name in a slash command.
func slashChannel(ch Channel) string {
	switch {
	case ch.IM:
		return "directmessage"
	case ch.Private:
		return "privategroup"
	default:
		return ch.Name
	}
}

// unanswered shows the person a message that the app did not send an ack in time.
func (s *Server) unanswered(p Person, ch Channel, thread, what string) *Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.room.add(Message{Channel: ch.ID, ThreadTS: thread, User: slackbot, Ephemeral: true, For: p.ID},
		plainContent(fmt.Sprintf("%s failed with the error %q", what, operationTimeout)))
	s.feed.message(m)
	return &Answer{Error: operationTimeout, Message: m}
}

// inAck shows the person the answer that an ack contains, if any.
func (s *Server) inAck(h hook, command string, raw json.RawMessage) (*Answer, error) {
	args := object{}
	var text string
	switch {
	case len(raw) == 0 || string(raw) == "null":
	case json.Unmarshal(raw, &text) == nil:
		args["text"] = text
	case json.Unmarshal(raw, &args) != nil:
		return nil, fmt.Errorf("the ack of %s contains neither an object nor a text", command)
	}
	if len(args) == 0 {
		return &Answer{OK: true}, nil
	}
	c := &call{s: s, method: "ack", args: args}
	said, err := readContent(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	var shown *Message
	if err == nil {
		shown, err = s.respond(&h, c, said)
	}
	if err != nil {
		m := s.room.add(Message{Channel: h.channel, User: slackbot, Ephemeral: true, For: h.user},
			plainContent(fmt.Sprintf("%s failed with the error %q", command, slackError(err))))
		s.feed.message(m)
		return &Answer{Error: err.Error(), Message: m}, nil
	}
	return &Answer{OK: true, Message: shown}, nil
}

// token matches the tokens that Slack itself writes in angle brackets: links, people and
// channels. Other text in angle brackets was typed by a person, and is escaped.
var token = regexp.MustCompile(`<(?:https?://|mailto:|@[UW]|#C)[^<>]*>`)

// escapeTyped escapes a typed text as Slack does. It leaves Slack's own tokens unchanged.
func escapeTyped(s string) string {
	esc := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	var b strings.Builder
	last := 0
	for _, at := range token.FindAllStringIndex(s, -1) {
		b.WriteString(esc.Replace(s[last:at[0]]))
		b.WriteString(s[at[0]:at[1]])
		last = at[1]
	}
	b.WriteString(esc.Replace(s[last:]))
	return b.String()
}

// mentionText replaces @dh in a text with the token of the bot, or prepends the token.
func mentionText(app App, text string) string {
	id := "<@" + app.UserID + ">"
	name := regexp.MustCompile(`(^|\s)@` + regexp.QuoteMeta(app.Name) + `\b`)
	text = name.ReplaceAllString(text, "${1}"+id)
	if !strings.Contains(text, id) {
		text = id + " " + text
	}
	return escapeTyped(text)
}

// Mention posts a message that names the bot. The event is sent in the background, and sent again
// if the app does not acknowledge it.
func (s *Server) Mention(in Mention) (*Answer, error) {
	if n := utf8.RuneCountInString(in.Text); n > maxText {
		return nil, fmt.Errorf("a message holds at most %d characters, this one has %d", maxText, n)
	}
	s.mu.Lock()
	p, ch, err := s.inChannel(in.User, in.Channel)
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	parent, err := s.thread(ch.ID, in.ThreadTS)
	if err != nil {
		s.mu.Unlock()
		return nil, fmt.Errorf("there is no message %s in #%s, so it has no thread", in.ThreadTS, ch.Name)
	}
	m := s.room.add(Message{Channel: ch.ID, ThreadTS: parent, User: p.ID}, plainContent(mentionText(s.ws.App, in.Text)))
	s.feed.message(m)
	event := object{
		"type": "app_mention", "user": p.ID, "text": m.Text, "ts": m.TS, "event_ts": m.TS, "channel": ch.ID,
		"client_msg_id": secret(), "team": s.ws.typedIn(p).ID,
	}
	if parent != "" {
		event["thread_ts"] = parent
	}
	if ch.ExtShared {
		event["user_team"], event["source_team"] = p.TeamID, p.TeamID
		event["user_profile"] = object{"name": p.Name, "real_name": p.RealName, "team": p.TeamID, "is_restricted": p.Restricted, "is_ultra_restricted": p.UltraRestricted}
	}
	bot := ch.has(s.ws.App.UserID)
	s.mu.Unlock()
	if !bot {
		return &Answer{OK: true, TS: m.TS, Note: "the bot is not in #" + ch.Name + " and receives no events from there"}, nil
	}
	s.publish(event, ch.ExtShared)
	return &Answer{OK: true, TS: m.TS}, nil
}

// Click uses an element of a message or view that the person can see, and waits for the ack. It
// shows no confirmation dialog, because the page does that.
func (s *Server) Click(in Click) (*Answer, error) {
	if in.ActionID == "" {
		return nil, errors.New("a click needs an action_id")
	}
	s.mu.Lock()
	t, err := s.target(in)
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	action, err := s.use(t.block, t.element, in)
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	payload := s.interaction("block_actions", t.person)
	payload["actions"] = []object{action}
	if t.view != nil {
		payload["view"] = t.view.wire
		payload["container"] = object{"type": "view", "view_id": t.view.wire["id"]}
	} else {
		s.aimAtMessage(payload, t)
	}
	s.mu.Unlock()
	if _, how := s.hub.deliver(envelope{kind: "interactive", payload: payload}); how != acked {
		ch := t.channel
		if t.view != nil {
			ch = Channel{ID: dmID(t.person.ID)}
		}
		return s.unanswered(t.person, ch, t.thread(), fmt.Sprintf("Using %q", label(t.element))), nil
	}
	return &Answer{OK: true}, nil
}

// aimAtMessage adds the clicked message to the payload. The caller locks.
func (s *Server) aimAtMessage(payload object, t *target) {
	m := t.message
	container := object{"type": "message", "message_ts": m.TS, "channel_id": m.Channel, "is_ephemeral": m.Ephemeral}
	if m.ThreadTS != "" {
		container["thread_ts"] = m.ThreadTS
	}
	payload["container"] = container
	payload["channel"] = object{"id": t.channel.ID, "name": slashChannel(t.channel)}
	payload["state"] = object{"values": object{}}
	payload["response_url"] = s.hookURL(hook{user: t.person.ID, channel: m.Channel, message: m.TS, thread: m.ThreadTS})
	if !m.Ephemeral { // Slack does not send ephemeral messages back to the app
		payload["message"] = m.wire(s.ws.App, s.ws.Team.ID)
	}
}

// interaction returns the common fields of interactive payloads. The fields user.team_id and team
// name the person's team, which may belong to another organisation. For a person of an Enterprise
// Grid, they name the workspace in which the person acts. If the person acts in the organisation
// itself, user.team_id names the organisation and team is null. The caller locks.
func (s *Server) interaction(kind string, p Person) object {
	team := s.ws.typedIn(p)
	if p.TapTeam != "" {
		team = Team{ID: p.TapTeam, EnterpriseID: p.EnterpriseID}
	}
	o := object{
		"type": kind, "token": "local", "api_app_id": s.ws.App.ID,
		"user":       object{"id": p.ID, "username": p.Name, "name": p.Name, "team_id": team.ID},
		"team":       object{"id": team.ID, "domain": team.Domain},
		"enterprise": nil, "is_enterprise_install": s.ws.App.OrgWide,
		"trigger_id": s.passes.trigger(p.ID, s.cfg.Now().Add(s.cfg.Clocks.Ack)),
	}
	if strings.HasPrefix(team.ID, "E") {
		o["team"] = nil
	}
	if team.EnterpriseID != "" {
		o["enterprise"] = object{"id": team.EnterpriseID, "name": team.Name}
	}
	return o
}
