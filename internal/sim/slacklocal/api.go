package slacklocal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxBody limits a call's body, in bytes.
const maxBody = 4 << 20

// method is one method of the Web API.
type method struct {
	open  bool   // needs no token
	app   bool   // takes the app-level token
	scope string // of the bot token; "" none
	rate  rate
	// perChannel means that the rate applies to each channel separately.
	perChannel bool
	call       func(*call) (object, error)
}

// methods returns the supported methods of the Web API.
func methods() map[string]method {
	return map[string]method{
		"api.test":                     {open: true, rate: tier4, call: apiTest},
		"apps.connections.open":        {app: true, rate: tier4, call: openSocket},
		"auth.test":                    {rate: rate{600, time.Minute}, call: authTest},
		"bots.info":                    {scope: "users:read", rate: tier3, call: botsInfo},
		"chat.delete":                  {scope: "chat:write", rate: tier3, call: chatDelete},
		"chat.getPermalink":            {rate: rate{600, time.Minute}, call: chatPermalink},
		"chat.postEphemeral":           {scope: "chat:write", rate: tier4, call: chatEphemeral},
		"chat.postMessage":             {scope: "chat:write", rate: posted, perChannel: true, call: chatPost},
		"chat.update":                  {scope: "chat:write", rate: tier3, call: chatUpdate},
		"conversations.history":        {scope: "channels:history", rate: tier3, call: conversationHistory},
		"conversations.info":           {scope: "channels:read", rate: tier3, call: conversationInfo},
		"conversations.list":           {scope: "channels:read", rate: tier2, call: conversationList},
		"conversations.members":        {scope: "channels:read", rate: tier4, call: conversationMembers},
		"conversations.open":           {scope: "im:write", rate: tier3, call: conversationOpen},
		"conversations.replies":        {scope: "channels:history", rate: tier3, call: conversationReplies},
		"dnd.teamInfo":                 {scope: "dnd:read", rate: tier2, call: dndTeamInfo},
		"files.completeUploadExternal": {scope: "files:write", rate: tier4, call: fileComplete},
		"files.getUploadURLExternal":   {scope: "files:write", rate: tier4, call: fileURL},
		"reactions.add":                {scope: "reactions:write", rate: tier3, call: reactionAdd},
		"reactions.remove":             {scope: "reactions:write", rate: tier2, call: reactionRemove},
		"team.info":                    {scope: "team:read", rate: tier3, call: teamInfo},
		"usergroups.list":              {scope: "usergroups:read", rate: tier2, call: groupList},
		"usergroups.users.list":        {scope: "usergroups:read", rate: tier2, call: groupUsers},
		"users.getPresence":            {scope: "users:read", rate: tier3, call: userPresence},
		"users.info":                   {scope: "users:read", rate: tier4, call: userInfo},
		"users.list":                   {scope: "users:read", rate: tier2, call: userList},
		"views.open":                   {rate: tier4, call: viewOpen},
		"views.publish":                {rate: tier4, call: viewPublish},
		"views.push":                   {rate: tier4, call: viewPush},
		"views.update":                 {rate: tier4, call: viewUpdate},
	}
}

// apiError is an answer with ok:false. It has Slack's error code, details, and additional fields.
type apiError struct {
	code     string
	messages []string
	extra    object
}

func (e *apiError) Error() string {
	if len(e.messages) == 0 {
		return e.code
	}
	return e.code + ": " + strings.Join(e.messages, "; ")
}

func apiErr(code string, messages ...string) *apiError {
	return &apiError{code: code, messages: messages}
}

// call is one call of the Web API.
type call struct {
	s      *Server
	method string
	host   string // the host name with which the client reached this server
	args   object
}

// serveAPI serves /api/METHOD.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("method")
	w.Header().Set("Date", s.cfg.Now().UTC().Format(http.TimeFormat))
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	c := &call{s: s, method: name, host: r.Host}
	var err error
	if c.args, err = readArgs(r); err != nil {
		writeAPI(w, nil, apiErr("invalid_arguments", "[ERROR] "+err.Error()))
		return
	}
	s.faults.stalled(r.Context())
	m, known := s.methods[name]
	if !known {
		writeAPI(w, nil, &apiError{code: "unknown_method", extra: object{"req_method": name}})
		return
	}
	if err := s.authorise(w, r, c, m); err != nil {
		writeAPI(w, nil, err)
		return
	}
	if wait, ok := s.admit(c, m); !ok {
		writeLimited(w, wait)
		return
	} else if err := s.faulty(r, c); err != nil {
		var limited *limitedError
		if errors.As(err, &limited) {
			writeLimited(w, limited.after)
			return
		}
		writeAPI(w, nil, err)
		return
	}
	out, err := m.call(c)
	writeAPI(w, out, err)
}

// authorise checks the token of a call. The Python and Node clients send it in a header, and
// slack-go in a field.
func (s *Server) authorise(w http.ResponseWriter, r *http.Request, c *call, m method) error {
	token := c.str("token")
	if h, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		token = h
	}
	if m.open {
		return nil
	}
	if token == "" {
		return apiErr("not_authed")
	}
	app, bot := strings.HasPrefix(token, "xapp-"), strings.HasPrefix(token, "xoxb-")
	want := s.ws.App.BotToken
	if app {
		want = s.ws.App.AppToken
	}
	switch {
	case !app && !bot, want != "" && token != want:
		return apiErr("invalid_auth")
	case s.faults.refusal(app) != "":
		return apiErr(s.faults.refusal(app))
	case app != m.app:
		return apiErr("not_allowed_token_type")
	case m.app:
		return nil
	}
	provided := strings.Join(s.scopes, ",")
	w.Header().Set("X-OAuth-Scopes", provided)
	if m.scope != "" && !slices.Contains(s.scopes, m.scope) {
		return &apiError{code: "missing_scope", extra: object{"needed": m.scope, "provided": provided}}
	}
	return nil
}

// everyScope lists the scopes that any method needs.
func everyScope(all map[string]method) []string {
	set := map[string]bool{}
	for _, s := range []string{"app_mentions:read", "commands", "groups:read", "im:history", "im:read", "mpim:read", "reactions:read"} {
		set[s] = true // scopes for events and for other kinds of channels
	}
	for _, m := range all {
		if m.scope != "" {
			set[m.scope] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// admit counts the call against the method's rate limit. It returns false and the time to wait if
// the call exceeds the limit.
func (s *Server) admit(c *call, m method) (time.Duration, bool) {
	if s.cfg.Unlimited {
		return 0, true
	}
	key := c.method
	if m.perChannel {
		key += " " + c.str("channel")
	}
	return s.limits.take(key, m.rate)
}

// limitedError is an injected 429.
type limitedError struct{ after time.Duration }

func (e *limitedError) Error() string { return "ratelimited" }

// faulty applies the injected faults to the call.
func (s *Server) faulty(r *http.Request, c *call) error {
	for _, f := range s.faults.onCall(c.method) {
		switch {
		case f.slow > 0:
			t := time.NewTimer(f.slow)
			select {
			case <-t.C:
			case <-r.Context().Done():
			case <-s.life.Done():
			}
			t.Stop()
		case f.limit > 0:
			return &limitedError{after: f.limit}
		default:
			return apiErr(f.err)
		}
	}
	return nil
}

// readArgs reads the arguments of a call from the URL and a JSON or form body.
func readArgs(r *http.Request) (object, error) {
	args := object{}
	for k, v := range r.URL.Query() {
		args[k] = v[len(v)-1]
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch kind {
	case "application/json":
		dec := json.NewDecoder(r.Body)
		if err := dec.Decode(&args); err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("the body is not a JSON object: %w", err)
		}
	case "multipart/form-data":
		if err := r.ParseMultipartForm(maxBody); err != nil {
			return nil, fmt.Errorf("cannot read the form: %w", err)
		}
		for k, v := range r.MultipartForm.Value {
			args[k] = v[len(v)-1]
		}
	default:
		if err := r.ParseForm(); err != nil {
			return nil, fmt.Errorf("cannot read the form: %w", err)
		}
		for k, v := range r.PostForm {
			args[k] = v[len(v)-1]
		}
	}
	return args, nil
}

// has reports whether an argument was given, even if empty.
func (c *call) has(name string) bool {
	v, ok := c.args[name]
	return ok && v != nil
}

// str returns an argument as text, or "" if it is missing.
func (c *call) str(name string) string {
	switch v := c.args[name].(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	default:
		return ""
	}
}

func (c *call) number(name string, fallback int) int {
	n, err := strconv.Atoi(c.str(name))
	if err != nil {
		return fallback
	}
	return n
}

// tree returns a JSON argument. In a form, the argument is JSON text, which tree parses.
func (c *call) tree(name string) (any, error) {
	s, isText := c.args[name].(string)
	if !isText {
		return c.args[name], nil
	}
	if s == "" {
		return nil, nil
	}
	var v any
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		return nil, fmt.Errorf("%s is not JSON: %w", name, err)
	}
	return v, nil
}

// writeAPI answers a call, always with status 200, like Slack.
func writeAPI(w http.ResponseWriter, out object, err error) {
	var e *apiError
	switch {
	case err == nil:
		if out == nil {
			out = object{}
		}
		out["ok"] = true
	case errors.As(err, &e):
		out = object{"ok": false, "error": e.code}
		maps.Copy(out, e.extra)
		if e.messages != nil {
			var bare []string
			for _, m := range e.messages {
				bare = append(bare, strings.TrimPrefix(m, "[ERROR] "))
			}
			out["errors"] = bare
			out["response_metadata"] = object{"messages": e.messages}
		}
	default:
		out = object{"ok": false, "error": "internal_error", "response_metadata": object{"messages": []string{"[ERROR] " + err.Error()}}}
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	writeJSON(w, http.StatusOK, out)
}

func writeLimited(w http.ResponseWriter, after time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(after/time.Second)))
	writeJSON(w, http.StatusTooManyRequests, object{"ok": false, "error": "ratelimited"})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(data) // the client may have disconnected
}
