package slackio

// ping is an empty WebSocket ping of a client: final, masked, no payload. Slack answers with a
// pong, like every WebSocket server.
var ping = []byte{0x89, 0x80, 0, 0, 0, 0}

// silent reports whether no bytes have arrived for too long; after a shorter silence it sends a
// ping. slack-go only waits for Slack's own pings, and Slack guarantees no interval. The frame goes
// to the connection below slack-go, which writes each of its own frames at once.
func (p *connectionState) silent(s Silence) bool {
	h := p.health()
	if !h.Up {
		return false // connecting has its own time limit
	}
	quiet := p.now().Sub(h.Read)
	if quiet >= s.PingAfter {
		p.mu.Lock()
		conn := p.conn
		p.mu.Unlock()
		_, _ = conn.Write(ping) // a failed ping shows as silence
	}
	return quiet >= s.Most
}
