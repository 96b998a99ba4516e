package audit

import (
	"strconv"
	"strings"
	"time"
)

// parser parses the canonical form of a record or an entry, and is several times as fast as
// strictJSON. Its callers encode the result again and compare the bytes, so a mistake of the parser
// cannot accept wrong input. The strings of the result share the memory of the line.
type parser struct {
	rest string
	ok   bool
}

// parseRecord parses a record. If ok is false, the line may still be valid, and strictJSON must
// parse it.
func parseRecord(line string) (r Record, ok bool) {
	p := parser{line, true}
	r = p.record()
	return r, p.ok && p.rest == ""
}

// parseEntry parses an entry. If ok is false, the line may still be valid, and strictJSON must
// parse it.
func parseEntry(line string) (s Sealed, ok bool) {
	p := parser{line, true}
	p.want(`{"n":`)
	s.N = p.unsigned()
	p.want(`,"rev":`)
	s.Rev = int64(p.number())
	p.want(`,"prev":`)
	s.Prev = p.text()
	p.want(`,"record":`)
	s.Record = p.record()
	p.want(`,"hash":`)
	s.Hash = p.text()
	p.want(`}`)
	return s, p.ok && p.rest == ""
}

func (p *parser) record() (r Record) {
	p.want(`{"v":`)
	r.V = p.number()
	p.want(`,"at":`)
	r.At = p.time()
	p.maybeText(`,"run":`, &r.Run)
	p.maybeNumber(`,"seq":`, &r.Seq)
	p.maybeText(`,"prev":`, &r.Prev)
	p.want(`,"kind":`)
	r.Kind = Kind(p.text())
	p.maybeText(`,"person":`, &r.Person)
	p.maybeText(`,"account":`, &r.Account)
	p.maybeText(`,"via":`, &r.Via)
	p.maybeText(`,"replica":`, &r.Replica)
	p.maybeText(`,"cluster":`, &r.Cluster)
	p.maybeText(`,"action":`, &r.Action)
	p.maybeText(`,"target":`, &r.Target)
	p.maybeText(`,"severity":`, &r.Severity)
	p.maybeText(`,"digest":`, &r.Digest)
	p.maybeNumber(`,"step":`, &r.Step)
	p.maybeText(`,"host":`, &r.Host)
	p.maybeText(`,"command":`, &r.Command)
	p.maybeText(`,"outcome":`, &r.Outcome)
	if p.has(`,"exit":`) {
		code := p.number()
		r.Exit = &code
	}
	p.maybeText(`,"output":`, &r.Output)
	p.maybeNumber(`,"lost":`, &r.Lost)
	p.maybeText(`,"text":`, &r.Text)
	p.want(`}`)
	return r
}

// has skips piece if the rest of the line begins with it, and reports whether it does.
func (p *parser) has(piece string) bool {
	rest, found := strings.CutPrefix(p.rest, piece)
	p.rest = rest
	return found
}

func (p *parser) want(piece string) { p.ok = p.has(piece) && p.ok }

func (p *parser) maybeText(name string, to *string) {
	if p.has(name) {
		*to = p.text()
	}
}

func (p *parser) maybeNumber(name string, to *int) {
	if p.has(name) {
		*to = p.number()
	}
}

// text parses a string without escapes. For any other text, it sets p.ok to false.
func (p *parser) text() string {
	p.want(`"`)
	end := strings.IndexByte(p.rest, '"')
	if end < 0 || strings.IndexByte(p.rest[:end], '\\') >= 0 {
		p.ok = false
		return ""
	}
	s := p.rest[:end]
	p.rest = p.rest[end+1:]
	return s
}

func (p *parser) time() time.Time {
	at, err := time.Parse(time.RFC3339Nano, p.text())
	p.ok = p.ok && err == nil
	return at
}

func (p *parser) digits() string {
	i := 0
	for i < len(p.rest) && (p.rest[i] == '-' || p.rest[i] >= '0' && p.rest[i] <= '9') {
		i++
	}
	s := p.rest[:i]
	p.rest = p.rest[i:]
	return s
}

func (p *parser) number() int {
	n, err := strconv.Atoi(p.digits())
	p.ok = p.ok && err == nil
	return n
}

func (p *parser) unsigned() uint64 {
	n, err := strconv.ParseUint(p.digits(), 10, 64)
	p.ok = p.ok && err == nil
	return n
}
