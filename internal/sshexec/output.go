package sshexec

import (
	"bytes"
	"sync"

	"dhbot/internal/remote"
)

// capture keeps the beginning and the end of a stream, at most keep bytes each, and counts all
// bytes. It is safe for concurrent use.
type capture struct {
	keep int

	mu    sync.Mutex
	head  []byte
	ring  []byte // the bytes after head; when full, the oldest byte is at next
	next  int
	total int64
}

// Write implements io.Writer. It accepts all of p and never fails.
func (c *capture) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(p)
	c.total += int64(n)
	if room := c.keep - len(c.head); room > 0 {
		room = min(room, len(p))
		c.head = append(c.head, p[:room]...)
		p = p[room:]
	}
	if room := c.keep - len(c.ring); room > 0 {
		room = min(room, len(p))
		c.ring = append(c.ring, p[:room]...)
		p = p[room:]
	}
	if len(p) > c.keep {
		p = p[len(p)-c.keep:]
	}
	for len(p) > 0 {
		copied := copy(c.ring[c.next:], p)
		c.next = (c.next + copied) % c.keep
		p = p[copied:]
	}
	return n, nil
}

// ends reports whether the kept beginning of the output (head) ends with a text.
func (c *capture) ends(with string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.HasSuffix(c.head, []byte(with))
}

// output returns a copy of the current content, which later writes do not change.
func (c *capture) output() remote.Output {
	c.mu.Lock()
	defer c.mu.Unlock()
	return remote.Output{
		Head:  append([]byte(nil), c.head...),
		Tail:  append(append([]byte(nil), c.ring[c.next:]...), c.ring[:c.next]...),
		Total: c.total,
	}
}
