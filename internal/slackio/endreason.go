package slackio

import (
	"bytes"
	"fmt"
)

// DisconnectedError is the end of a connection that Slack announced. slack-go reads the
// announcement, but reports neither the announcement nor the reason.
type DisconnectedError struct {
	Reason string // Slack's reason code
}

func (e *DisconnectedError) Error() string {
	switch e.Reason {
	case "link_disabled":
		return "Slack ended the connection (link_disabled): Socket Mode was switched off on the app's page"
	case "too_many_websockets":
		return "Slack ended the connection (too_many_websockets): the app has more than 10 connections; stop other programs that use the app-level token of this app"
	case "refresh_requested", "warning":
		return fmt.Sprintf("Slack ended the connection (%s): it renews each connection every few hours", e.Reason)
	default:
		return fmt.Sprintf("Slack ended the connection (%s)", e.Reason)
	}
}

// These texts are in the message by which Slack announces the end of a connection. They never match
// what a person typed, because its quotes are escaped.
var (
	disconnectMessage = []byte(`"type":"disconnect"`)
	disconnectReason  = []byte(`"reason":"`)
)

// announcement is how many of the last received bytes are kept, because Slack's message may arrive
// in parts.
const announcement = 512

// scan searches received bytes for Slack's announcement.
func (c *watchedConn) scan(b []byte) {
	window := append(c.tail, b...)
	if bytes.Contains(window, disconnectMessage) {
		if _, after, found := bytes.Cut(window, disconnectReason); found {
			if reason, _, whole := bytes.Cut(after, []byte{'"'}); whole && len(reason) < 64 {
				c.state.announce(string(reason))
			}
		}
	}
	c.tail = append(c.tail[:0], window[max(0, len(window)-announcement):]...)
}

func (p *connectionState) announce(reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reason = reason
}

// takeReason returns why Slack ended the connection, nil if it gave no reason.
func (p *connectionState) takeReason() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	reason := p.reason
	if p.reason = ""; reason == "" {
		return nil
	}
	return &DisconnectedError{reason}
}
