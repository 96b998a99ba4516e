package slackio

import "unicode/utf8"

// meter counts an upper bound of the size of blocks as JSON, so that every message is within
// Slack's limit: what does not fit is cut.
type meter struct {
	left int
	cut  bool // something was left out
}

// part is a meter for at most n of the remaining bytes; return it with join.
func (m *meter) part(n int) *meter { return &meter{left: max(0, min(n, m.left))} }

// join subtracts the bytes that a part has used of n.
func (m *meter) join(p *meter, n int) {
	m.left -= max(0, min(n, m.left)) - p.left
	m.cut = m.cut || p.cut
}

// take uses n bytes, or returns false if fewer remain.
func (m *meter) take(n int) bool {
	if n > m.left {
		m.cut = true
		return false
	}
	m.left -= n
	return true
}

// text uses s and a fixed overhead, and cuts s if needed; "" means that nothing fits.
func (m *meter) text(s string, overhead int) string {
	room := m.left - overhead
	size := 0
	const ellipsis = 3
	end := -1 // where to cut if s is too long
	for i, r := range s {
		n := jsonSize(r)
		if end < 0 && size+n+ellipsis > room {
			end = i
		}
		if size += n; size > room {
			break
		}
	}
	if size <= room {
		m.left -= size + overhead
		return s
	}
	m.cut = true
	if end <= 0 {
		return ""
	}
	short := s[:end] + "…"
	m.left -= overhead + jsonLen(short)
	return short
}

// jsonLen is the size of s in a JSON string as encoding/json writes it.
func jsonLen(s string) int {
	n := 0
	for _, r := range s {
		n += jsonSize(r)
	}
	return n
}

func jsonSize(r rune) int {
	switch {
	case r == '"', r == '\\', r == '\n', r == '\r', r == '\t', r == '\b', r == '\f':
		return 2
	case r < 0x20, r == '<', r == '>', r == '&', r == '\u2028', r == '\u2029', r == utf8.RuneError:
		return 6
	default:
		return utf8.RuneLen(r)
	}
}
