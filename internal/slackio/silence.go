package slackio

// ping is an empty WebSocket ping of a client: final, masked, no payload.
// Slack answers with a pong, as every WebSocket server must.
var ping = []byte{0x89, 0x80, 0, 0, 0, 0}

// silent reports whether nothing has come over the connection for too long, and
// asks for a sign of life before that. slack-go only waits for Slack's own
// pings; Slack promises no interval. The frame goes to the connection
// below slack-go, which writes each of its own frames at once.
func (p *connectionState) silent() bool {
	h := p.health()
	if !h.Up {
		return false // it is being opened, which has a time limit of its own
	}
	quiet := p.now().Sub(h.Read)
	if quiet >= pingAfter {
		p.mu.Lock()
		conn := p.conn
		p.mu.Unlock()
		_, _ = conn.Write(ping) // what does not arrive is noticed by the silence
	}
	return quiet >= maxSilence
}
