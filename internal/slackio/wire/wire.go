// Package wire watches the answers of Slack's Web API for what each of them
// says beside its own matter: whether Slack still takes the token, what scopes
// the token has, and what time it is at Slack's.
package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"dhbot/internal/slackio/codes"
)

// Token is one of the two tokens.
type Token string

// The two tokens, by the variable that each comes from.
const (
	BotToken Token = "SLACK_BOT_TOKEN"
	AppToken Token = "SLACK_APP_TOKEN"
)

// Refusal is a token that Slack does not take.
type Refusal struct {
	Token Token
	Code  string // Slack's
	Since time.Time
}

// String says what is wrong and what to do.
func (r Refusal) String() string {
	name := "bot token"
	if r.Token == AppToken {
		name = "app-level token"
	}
	return fmt.Sprintf("Slack refuses the %s (%s): %s: %s", name, r.Token, r.Code, codes.Advice(r.Code))
}

// maxAnswer bounds an answer of the Web API that is read.
const maxAnswer = 32 << 20

// Watcher is what the answers so far have said. Its methods may be called from
// several goroutines.
type Watcher struct {
	client *http.Client
	api    string // prefix of the Web API's addresses
	now    func() time.Time

	mu      sync.Mutex
	refused map[Token]Refusal
	scopes  map[Token][]string
	clock   clock
}

// New watches the answers that client gets from the Web API at api.
func New(client *http.Client, api string, now func() time.Time) *Watcher {
	return &Watcher{client: client, api: api, now: now, refused: map[Token]Refusal{}, scopes: map[Token][]string{}}
}

// Refused are the tokens that Slack refused at the last call with them.
func (w *Watcher) Refused() []Refusal {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []Refusal
	for _, t := range []Token{BotToken, AppToken} {
		if r, ok := w.refused[t]; ok {
			out = append(out, r)
		}
	}
	return out
}

// Scopes are the scopes of a token by its last answer; ok is false before one.
func (w *Watcher) Scopes(t Token) (scopes []string, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	scopes, ok = w.scopes[t]
	return slices.Clone(scopes), ok
}

// Ahead is how far this machine's clock is ahead of Slack's, negative where it
// is behind, and 0 where the two agree as well as Slack's whole seconds tell.
func (w *Watcher) Ahead() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock.ahead()
}

// Client is the HTTP client for calls with one of the tokens, in the form that
// slack-go takes.
type Client struct {
	watcher *Watcher
	token   Token
}

// Client returns the client for calls with a token.
func (w *Watcher) Client(t Token) Client { return Client{w, t} }

// Do implements slack-go's HTTP client.
func (c Client) Do(r *http.Request) (*http.Response, error) {
	sent := c.watcher.now()
	resp, err := c.watcher.client.Do(r)
	if err != nil || !strings.HasPrefix(r.URL.String(), c.watcher.api) {
		return resp, err // a file's upload, or an address to answer at
	}
	got := c.watcher.now()
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	var answer struct {
		OK    bool
		Error string
	}
	if json.Unmarshal(body, &answer) == nil {
		c.watcher.note(c.token, answer.OK, answer.Error, resp.Header, sent, got)
		limitedWithOK(resp, answer.Error)
		body = withoutMessage(body)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.ContentLength = int64(len(body))
	return resp, nil
}

// limitedWithOK makes a limit that came with HTTP 200 the 429 that it is.
func limitedWithOK(resp *http.Response, code string) {
	if resp.StatusCode != http.StatusOK || codes.Of(code) != codes.Limited {
		return
	}
	resp.StatusCode = http.StatusTooManyRequests
	if resp.Header.Get("Retry-After") == "" {
		resp.Header.Set("Retry-After", "1")
	}
}

func (w *Watcher) note(t Token, ok bool, code string, h http.Header, sent, got time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if scopes := h.Get("X-OAuth-Scopes"); scopes != "" {
		w.scopes[t] = strings.FieldsFunc(scopes, func(r rune) bool { return r == ',' || r == ' ' })
	}
	if at, err := http.ParseTime(h.Get("Date")); err == nil {
		w.clock.note(at, sent, got)
	}
	switch {
	case ok:
		delete(w.refused, t)
	case codes.Of(code) == codes.Token:
		if old, known := w.refused[t]; !known || old.Code != code {
			w.refused[t] = Refusal{t, code, got}
		}
	}
}

// withoutMessage is a JSON object whose field "message" is null. Slack repeats
// a message that was sent, with all its blocks, and slack-go would build them
// again only to return the id that stands beside them: that costs more than all
// else about sending it, and a block of a kind that slack-go does not know
// would make a message that stands there look as if it had failed.
func withoutMessage(body []byte) []byte {
	var echo struct{ Message json.RawMessage }
	if json.Unmarshal(body, &echo) != nil || !bytes.HasPrefix(echo.Message, []byte("{")) {
		return body
	}
	// Where another field of the object has the very same object, that is null
	// instead: to slack-go both say as little.
	return bytes.Replace(body, echo.Message, []byte("null"), 1)
}
