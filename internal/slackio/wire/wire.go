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

// Token is one of the bot's two Slack tokens.
type Token string

// Each token is named by its environment variable.
const (
	BotToken Token = "SLACK_BOT_TOKEN"
	AppToken Token = "SLACK_APP_TOKEN"
)

// Refusal is a token that Slack refuses.
type Refusal struct {
	Token Token
	Code  string // Slack's code
	Since time.Time
}

// String describes the problem and the fix.
func (r Refusal) String() string {
	name := "bot token"
	if r.Token == AppToken {
		name = "app-level token"
	}
	return fmt.Sprintf("Slack refuses the %s (%s) with %s: %s", name, r.Token, r.Code, codes.Advice(r.Code))
}

// maxAnswer limits the size of an answer of the Web API, in bytes.
const maxAnswer = 32 << 20

// Watcher collects data from the answers of the Web API. Its methods are safe for concurrent use.
type Watcher struct {
	client *http.Client
	api    string // prefix of the Web API's addresses
	now    func() time.Time

	mu      sync.Mutex
	refused map[Token]Refusal
	scopes  map[Token][]string
	clock   clock
}

// New returns a Watcher for the answers that client gets from the Web API. The argument api is the
// prefix of the Web API's addresses.
func New(client *http.Client, api string, now func() time.Time) *Watcher {
	return &Watcher{client: client, api: api, now: now, refused: map[Token]Refusal{}, scopes: map[Token][]string{}}
}

// Refused lists the tokens that Slack has refused and not accepted since.
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

// Scopes returns the scopes of a token from the last answer that named them. The result ok is false
// if there was no such answer.
func (w *Watcher) Scopes(t Token) (scopes []string, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	scopes, ok = w.scopes[t]
	return slices.Clone(scopes), ok
}

// Ahead returns how far this machine's clock is ahead of Slack's clock. It is negative if the clock
// is behind, and 0 if the difference is below two seconds or unknown.
func (w *Watcher) Ahead() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock.ahead()
}

// Client is an HTTP client for calls with one of the tokens. slack-go can use it.
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
		return resp, err // a file upload, or a response URL
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

// limitedWithOK changes the status of an answer to 429 if Slack reported a rate limit with status
// 200.
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

// withoutMessage replaces the field "message" of a JSON object by null. Slack's answer repeats a
// sent message with all its blocks, which slack-go would parse without need. Parsing them costs
// more than the rest of the call. If slack-go did not know a kind of block, a successful call would
// look failed.
func withoutMessage(body []byte) []byte {
	var echo struct{ Message json.RawMessage }
	if json.Unmarshal(body, &echo) != nil || !bytes.HasPrefix(echo.Message, []byte("{")) {
		return body
	}
	// If another field of the object has an identical value, that field becomes null instead.
	// slack-go needs neither field.
	return bytes.Replace(body, echo.Message, []byte("null"), 1)
}
