package audit

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
)

// The export format: a header line, one canonical entry per line, an end line.
//
//	{"format":"dhbot-trail","v":2,"after":0,"hash":"","head":"…"}
//	{"n":1,…}
//	{"end":1,"hash":"…"}
//
// "after" and "hash" in the header identify the entry before the first exported entry. "head" is
// the text of the newest signed head when the export began. A file without "head" has version 1.
// The end line marks a complete file. But anybody can write a new end line, so only a signed head
// proves that the entries are genuine.
const (
	headerForm       = `{"format":"dhbot-trail","v":1,"after":%d,"hash":%s}`
	signedHeaderForm = `{"format":"dhbot-trail","v":2,"after":%d,"hash":%s,"head":%s}`
	endForm          = `{"end":%d,"hash":%s}`
	endBegins        = `{"end":`
	// maxLine is the maximum length of a line: the largest record, plus the rest of its entry.
	maxLine = MaxRecord + 4096
)

// Entries iterates over the entries of a log, starting at number n. It ends at the first error.
func Entries(ctx context.Context, l Log, n uint64) iter.Seq2[Sealed, error] {
	return each(func(f func(Sealed) error) error { return l.Trail(ctx, n, f) })
}

// each returns an iterator over the entries with which read calls f.
func each(read func(f func(Sealed) error) error) iter.Seq2[Sealed, error] {
	return func(yield func(Sealed, error) bool) {
		stopped := errors.New("enough")
		err := read(func(s Sealed) error {
			if !yield(s, nil) {
				return stopped
			}
			return nil
		})
		if err != nil && !errors.Is(err, stopped) {
			yield(Sealed{}, err)
		}
	}
}

// Header is the first line of an export.
type Header struct {
	After Head   // the entry before the first one, zero for a whole trail
	Note  string // the newest signed head as a note, "" for none
}

func (h Header) line() string {
	if h.Note == "" {
		return fmt.Sprintf(headerForm, h.After.N, appendString(nil, h.After.Hash))
	}
	return fmt.Sprintf(signedHeaderForm, h.After.N, appendString(nil, h.After.Hash), appendString(nil, h.Note))
}

// WriteExport writes the header, the entries and the end line as JSON lines. It does not verify the
// trail, so a broken trail is exported unchanged.
func WriteExport(w io.Writer, h Header, trail iter.Seq2[Sealed, error]) error {
	b := bufio.NewWriter(w)
	last := h.After
	fmt.Fprintln(b, h.line())
	for s, err := range trail {
		if err != nil {
			return fmt.Errorf("reading the trail after entry %d: %w", last.N, err)
		}
		line, err := CanonicalEntry(s)
		if err != nil {
			return err
		}
		b.Write(line)
		b.WriteByte('\n')
		last = Head{s.N, s.Hash}
	}
	fmt.Fprintf(b, endForm+"\n", last.N, appendString(nil, last.Hash))
	if err := b.Flush(); err != nil { // bufio returns the first error of all writes
		return fmt.Errorf("writing the export: %w", err)
	}
	return nil
}

// ReadExport reads the header and the entries of an export. The iterator works only once. It ends
// with an error at the first line that WriteExport would write differently, or if the end line is
// missing.
func ReadExport(r io.Reader) (Header, iter.Seq2[Sealed, error], error) {
	lines := &lineReader{r: bufio.NewReader(r)}
	first, err := lines.next()
	if err != nil {
		return Header{}, nil, fmt.Errorf("the export's header: %w", err)
	}
	var h struct {
		Format string `json:"format"`
		V      int    `json:"v"`
		After  uint64 `json:"after"`
		Hash   string `json:"hash"`
		Note   string `json:"head"`
	}
	if err := strictJSON(first, &h); err != nil || h.Format != "dhbot-trail" {
		return Header{}, nil, errors.New("this is not an export of an audit trail: its first line is not a header")
	}
	if h.V != 1 && h.V != 2 {
		return Header{}, nil, fmt.Errorf("the export has format version %d, but this program reads only versions 1 and 2", h.V)
	}
	header := Header{After: Head{h.After, h.Hash}, Note: h.Note}
	if string(first) != header.line() || (h.After == 0) != (h.Hash == "") {
		return Header{}, nil, errors.New("the export's header is not as it was written: the file was edited")
	}
	return header, lines.entries(header.After), nil
}

type lineReader struct {
	r    *bufio.Reader
	n    int // number of lines read
	line []byte
}

// next returns the next line without its newline. The slice is valid until the following call.
func (l *lineReader) next() ([]byte, error) {
	l.n++
	l.line = l.line[:0]
	for {
		b, err := l.r.ReadSlice('\n')
		l.line = append(l.line, b...)
		switch {
		case len(l.line) > maxLine:
			return nil, fmt.Errorf("line %d is longer than any entry", l.n)
		case err == nil:
			return l.line[:len(l.line)-1], nil
		case errors.Is(err, bufio.ErrBufferFull): // the line continues
		case errors.Is(err, io.EOF):
			return nil, fmt.Errorf("the file ends in line %d without an end line: it was cut off", l.n)
		default:
			return nil, fmt.Errorf("line %d: %w", l.n, err)
		}
	}
}

func (l *lineReader) entries(last Head) iter.Seq2[Sealed, error] {
	type decoded struct {
		entry Sealed
		err   error
	}
	decode := func(line string) (d decoded) {
		d.entry, d.err = decodeEntry(line)
		return d
	}
	return func(yield func(Sealed, error) bool) {
		n := 1 // the number of the yielded line; the header is the first
		for d, err := range batched(l.body, func(line string) int { return len(line) }, decode) {
			if err != nil {
				yield(Sealed{}, err)
				return
			}
			if n++; d.err != nil {
				yield(Sealed{}, fmt.Errorf("line %d: %w", n, d.err))
				return
			}
			last = Head{d.entry.N, d.entry.Hash}
			if !yield(d.entry, nil) {
				return
			}
		}
		if err := l.end(last); err != nil {
			yield(Sealed{}, err)
		}
	}
}

// body yields the lines before the end line. The first line that looks like an end line stays in
// l.line.
func (l *lineReader) body(yield func(string, error) bool) {
	for {
		line, err := l.next()
		if err != nil {
			yield("", err)
			return
		}
		if bytes.HasPrefix(line, []byte(endBegins)) || !yield(string(line), nil) {
			return
		}
	}
}

// end checks that the line after the body is a correct end line.
func (l *lineReader) end(last Head) error {
	line := l.line[:len(l.line)-1]
	if want := fmt.Sprintf(endForm, last.N, appendString(nil, last.Hash)); string(line) != want {
		return fmt.Errorf("line %d: the end line does not name entry %d", l.n, last.N)
	}
	if _, err := l.r.ReadByte(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("line %d: something follows the end line", l.n+1)
	}
	return nil
}
