package blockkit

import "unicode/utf8"

// Meter counts an upper bound of the size of blocks as JSON. Content that does not fit is cut,
// so that every message is within Slack's limit.
type Meter struct {
	Left int
	Cut  bool // something was left out
}

// part returns a meter for at most n of the remaining bytes. After its use, pass it to join with
// the same n.
func (m *Meter) part(n int) *Meter { return &Meter{Left: max(0, min(n, m.Left))} }

// join subtracts the bytes that p, a part of n bytes, has used.
func (m *Meter) join(p *Meter, n int) {
	m.Left -= max(0, min(n, m.Left)) - p.Left
	m.Cut = m.Cut || p.Cut
}

// take uses n bytes, or returns false if fewer remain.
func (m *Meter) take(n int) bool {
	if n > m.Left {
		m.Cut = true
		return false
	}
	m.Left -= n
	return true
}

// Text reserves space for s and for overhead bytes. It returns s, cut if needed, or "" if
// nothing fits.
func (m *Meter) Text(s string, overhead int) string {
	room := m.Left - overhead
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
		m.Left -= size + overhead
		return s
	}
	m.Cut = true
	if end <= 0 {
		return ""
	}
	short := s[:end] + "…"
	m.Left -= overhead + JsonLen(short)
	return short
}

// JsonLen is the size of s in a JSON string as encoding/json writes it.
func JsonLen(s string) int {
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
