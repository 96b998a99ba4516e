package audit

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
)

// The export format: a header line, one canonical entry a line, an end line.
//
//	{"format":"dhbot-trail","v":1,"after":0,"hash":""}
//	{"n":1,…}
//	{"end":1,"hash":"…"}
//
// "after" and the header's hash name the entry before the first one. The end
// line tells a complete file from one that was cut off on its way; it proves
// nothing against somebody who edits the file, a head kept elsewhere does.
const (
	headerForm = `{"format":"dhbot-trail","v":1,"after":%d,"hash":%s}`
	endForm    = `{"end":%d,"hash":%s}`
	// maxLine is a record and room for what an entry adds to it.
	maxLine = MaxRecord + 4096
)

// Entries is the trail of a log from entry n on, for Verify and WriteExport.
// Reading ends with the first error.
func Entries(ctx context.Context, l Log, n uint64) iter.Seq2[Sealed, error] {
	return func(yield func(Sealed, error) bool) {
		stopped := errors.New("enough")
		err := l.Trail(ctx, n, func(s Sealed) error {
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

// WriteExport writes the entries that follow after (zero for a whole trail)
// as JSON lines. It checks nothing: a broken trail is exported as it is.
func WriteExport(w io.Writer, after Head, trail iter.Seq2[Sealed, error]) error {
	b := bufio.NewWriter(w)
	last := after
	fmt.Fprintf(b, headerForm+"\n", after.N, appendString(nil, after.Hash))
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
	if err := b.Flush(); err != nil { // bufio keeps the first error of all the writes
		return fmt.Errorf("writing the export: %w", err)
	}
	return nil
}

// ReadExport reads the header of an export and returns the entry that it
// continues, and its entries. They end with an error for the first line that
// is not exactly as WriteExport writes it, and for a file without its end.
// The entries can be gone through once.
func ReadExport(r io.Reader) (after Head, trail iter.Seq2[Sealed, error], err error) {
	lines := &lineReader{r: bufio.NewReader(r)}
	header, err := lines.next()
	if err != nil {
		return Head{}, nil, fmt.Errorf("the export's header: %w", err)
	}
	var h struct {
		Format string `json:"format"`
		V      int    `json:"v"`
		After  uint64 `json:"after"`
		Hash   string `json:"hash"`
	}
	if err := strictJSON(header, &h); err != nil || h.Format != "dhbot-trail" {
		return Head{}, nil, errors.New("this is not an export of an audit trail: its first line is no header")
	}
	if h.V != 1 {
		return Head{}, nil, fmt.Errorf("the export has format version %d, this program reads version 1", h.V)
	}
	after = Head{h.After, h.Hash}
	if string(header) != fmt.Sprintf(headerForm, h.After, appendString(nil, h.Hash)) {
		return Head{}, nil, errors.New("the export's header is not as it was written: the file was edited")
	}
	return after, lines.entries(after), nil
}

type lineReader struct {
	r    *bufio.Reader
	n    int // lines read
	line []byte
}

// next returns a line without its newline, valid until the following call.
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
		case errors.Is(err, bufio.ErrBufferFull): // the line goes on
		case errors.Is(err, io.EOF):
			return nil, fmt.Errorf("the file ends in line %d without an end line: it was cut off", l.n)
		default:
			return nil, fmt.Errorf("line %d: %w", l.n, err)
		}
	}
}

func (l *lineReader) entries(last Head) iter.Seq2[Sealed, error] {
	return func(yield func(Sealed, error) bool) {
		for {
			line, err := l.next()
			if err != nil {
				yield(Sealed{}, err)
				return
			}
			if string(line) == fmt.Sprintf(endForm, last.N, appendString(nil, last.Hash)) {
				if _, err := l.r.ReadByte(); !errors.Is(err, io.EOF) {
					yield(Sealed{}, fmt.Errorf("line %d: something follows the end line", l.n+1))
				}
				return
			}
			s, err := DecodeEntry(line)
			if err != nil {
				yield(Sealed{}, fmt.Errorf("line %d: %w", l.n, err))
				return
			}
			last = Head{s.N, s.Hash}
			if !yield(s, nil) {
				return
			}
		}
	}
}
