package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// people acts for the people of a local Slack. It makes the same HTTP calls as the page.
type people struct {
	base string
	http *http.Client
}

// message is a message as one person sees it.
type message struct {
	TS        string     `json:"ts"`
	User      string     `json:"user"`
	Text      string     `json:"text"`
	Blocks    []any      `json:"blocks"`
	Ephemeral bool       `json:"ephemeral"`
	At        time.Time  `json:"at"`
	EditedAt  *time.Time `json:"edited_at"`
	History   []form     `json:"history"`
}

// form is a version of a message, and when this version was first shown.
type form struct {
	At     time.Time `json:"at"`
	Text   string    `json:"text"`
	Blocks []any     `json:"blocks"`
}

// forms returns all versions of the message, oldest first.
func (m message) forms() []form {
	now := form{At: m.At, Text: m.Text, Blocks: m.Blocks}
	if m.EditedAt != nil {
		now.At = *m.EditedAt
	}
	return append(m.History, now)
}

func (p *people) do(ctx context.Context, path string, body any, out any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.base+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	return p.send(req, out)
}

func (p *people) get(ctx context.Context, path string, q url.Values, out any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base+path+"?"+q.Encode(), nil)
	if err != nil {
		return err
	}
	return p.send(req, out)
}

func (p *people) send(req *http.Request, out any) error {
	resp, err := p.http.Do(req)
	if err != nil {
		return fmt.Errorf("local Slack: %w", err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("local Slack: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("local Slack: %s: %s", resp.Status, strings.TrimSpace(string(b)))
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(b, out)
}

func (p *people) messages(ctx context.Context, channel, user string) ([]message, error) {
	var out struct {
		Messages []message `json:"messages"`
	}
	err := p.get(ctx, "/local/messages", url.Values{"channel": {channel}, "user": {user}}, &out)
	return out.Messages, err
}

// button finds the newest message that shows this person a button for which ok returns true. It
// returns the click on this button.
func (p *people) button(ctx context.Context, channel, user string, ok func(action, label string) bool) (click, error) {
	list, err := p.messages(ctx, channel, user)
	if err != nil {
		return click{}, err
	}
	for i := len(list) - 1; i >= 0; i-- {
		for _, v := range list[i].Blocks {
			b, _ := v.(map[string]any)
			elements, _ := b["elements"].([]any)
			for _, e := range elements {
				el, _ := e.(map[string]any)
				if el["type"] != "button" {
					continue
				}
				action, _ := el["action_id"].(string)
				if label := textOf(el["text"]); ok(action, label) {
					block, _ := b["block_id"].(string)
					value, _ := el["value"].(string)
					return click{User: user, Channel: channel, TS: list[i].TS, Action: action, Block: block, Value: value}, nil
				}
			}
		}
	}
	return click{}, fmt.Errorf("%s sees no such button in %s", user, channel)
}

type click struct {
	User    string `json:"user"`
	Channel string `json:"channel"`
	TS      string `json:"ts"`
	Action  string `json:"action_id"`
	Block   string `json:"block_id"`
	Value   string `json:"value"`
}

// textOf collects all text in a block or element, in order.
func textOf(v any) string {
	var parts []string
	collect(v, &parts)
	return strings.Join(parts, "")
}

func collect(v any, parts *[]string) {
	switch x := v.(type) {
	case []any:
		for _, e := range x {
			collect(e, parts)
		}
	case map[string]any:
		kind, _ := x["type"].(string)
		if kind == "rich_text_section" || kind == "section" || kind == "context" || kind == "header" || kind == "rich_text_preformatted" {
			defer func() { *parts = append(*parts, "\n") }()
		}
		if s, ok := x["text"].(string); ok {
			*parts = append(*parts, s)
		} else {
			collect(x["text"], parts)
		}
		if kind == "user" {
			if id, ok := x["user_id"].(string); ok {
				*parts = append(*parts, "<@"+id+">")
			}
		}
		if kind == "date" {
			if s, ok := x["fallback"].(string); ok {
				*parts = append(*parts, s)
			}
		}
		collect(x["fields"], parts)
		collect(x["elements"], parts)
	}
}

// visible returns all text that a version of a message shows.
func visible(f form) string {
	parts := []string{f.Text, "\n"}
	for _, b := range f.Blocks {
		collect(b, &parts)
	}
	return strings.Join(parts, "")
}
