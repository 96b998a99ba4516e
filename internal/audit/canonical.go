package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// FormVersion is the newest form version of records. The field V of a record is the oldest form
// version that has the record's kind. So an older bot can read all records except those of newer
// kinds.
const FormVersion = 3

// form returns the oldest form version that has the kind k.
func (k Kind) form() int {
	switch k {
	case Looking, Reminded:
		return 2
	case Restored:
		return 3
	default:
		return 1
	}
}

// MaxRecord is the maximum length of a record's canonical form, in bytes. The longest field of a
// valid record is a command, and hosts limit the length of commands.
const MaxRecord = 128 << 10

// timeForm is the layout of a record's time: UTC with exactly three decimals, so that each time is
// written in only one way.
const timeForm = "2006-01-02T15:04:05.000Z"

// ErrForm is the error for a record without a canonical form.
var ErrForm = errors.New("not a well-formed audit record")

// ErrNewer is the error for a record that only a newer version of the bot can read. It wraps
// ErrForm.
var ErrNewer = fmt.Errorf("%w: a newer version of the bot wrote it", ErrForm)

// Canonical returns the bytes of a record that are hashed, stored and exported. They are JSON
// without white space, with the fields in the order of Record. Empty fields are omitted, except v,
// at and kind. "at" is UTC with three decimals. Strings are written like ECMAScript's
// JSON.stringify: only ", \ and control characters are escaped. Canonical does not use
// encoding/json, which does not guarantee its escapes: a trail must have the same hashes with every
// compiler and in every language.
//
// Canonical refuses a record that would not decode to the same value. The error is ErrNewer for a
// later version. It is ErrForm for any other wrong version, a missing time, a time that is not UTC
// in whole milliseconds, an unknown kind, text that is not UTF-8, and more than MaxRecord bytes. It
// is also ErrForm for a negative number, for Lost in another kind than Restored, and for Run, Seq
// and Prev that do not belong together. Link corrects the version, the time and invalid text, but
// not a missing time.
func Canonical(r Record) ([]byte, error) {
	b := appendRecord(nil, r)
	if err := canonical(r, len(b)); err != nil {
		return nil, err
	}
	return b, nil
}

// canonical returns an error if r has no canonical form. length is the length of r's encoding in
// bytes.
func canonical(r Record, length int) error {
	if err := wellFormed(&r); err != nil {
		return err
	}
	if length > MaxRecord {
		return fmt.Errorf("%w: it has %d bytes, but at most %d are allowed", ErrForm, length, MaxRecord)
	}
	return nil
}

// buffers are reused by written.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// written calls f with an empty buffer, and keeps the buffer that f returns for later calls. So f
// must not retain it.
func written(f func(b []byte) []byte) {
	b := buffers.Get().(*[]byte)
	*b = f((*b)[:0])
	buffers.Put(b)
}

// Decode parses the output of Canonical, and nothing else. It refuses other spacing, order or
// spelling of the same record, so every changed byte of a stored record is detected.
func Decode(b []byte) (Record, error) {
	r, ok := parseRecord(string(b))
	if !ok {
		r = Record{}
		if err := strictJSON(b, &r); err != nil {
			return Record{}, refuse(b, err)
		}
	}
	var err error
	written(func(again []byte) []byte {
		again = appendRecord(again, r)
		if err = canonical(r, len(again)); err == nil && !bytes.Equal(again, b) {
			err = fmt.Errorf("%w: not in canonical form", ErrForm)
		}
		return again
	})
	if err != nil {
		return Record{}, err
	}
	return r, nil
}

// refuse returns the error for bytes that could not be parsed as a record or an entry: ErrNewer if
// their form is newer, otherwise ErrForm with err.
func refuse(b []byte, err error) error {
	type version struct{ V int }
	var form struct {
		version
		Record version
	}
	if json.Unmarshal(b, &form) == nil && max(form.V, form.Record.V) > FormVersion {
		return fmt.Errorf("%w: it has form %d, but this version reads forms up to %d", ErrNewer, max(form.V, form.Record.V), FormVersion)
	}
	return fmt.Errorf("%w: %w", ErrForm, err)
}

// Hash is the lower-case hex SHA-256 of a label and a record's canonical form. Because of the
// label, the hash of other data cannot pass for the hash of a record.
func Hash(r Record) (hash string) {
	written(func(b []byte) []byte {
		b = appendRecord(b, r)
		hash = labelled(recordLabel, b)
		return b
	})
	return hash
}

// Labels of hashes. A label ends in a newline, which no canonical form contains.
const (
	recordLabel = "dhbot record v1\n"
	entryLabel  = "dhbot entry v1\n"
)

// labelled hashes label and body.
func labelled(label string, body []byte) string {
	h := sha256.New()
	h.Write([]byte(label))
	h.Write(body)
	var sum [sha256.Size]byte
	return hex.EncodeToString(h.Sum(sum[:0]))
}

// Link puts a record into the chain of its run. seq counts the run's records from 1, and prev is
// the Hash of the run's previous record, or "" for the first. A record without a run needs seq 0
// and prev "". Link also sets the form version of the record's kind, truncates the time to
// milliseconds in UTC, and replaces invalid UTF-8.
func Link(r Record, seq int, prev string) Record {
	r.V = r.Kind.form()
	r.Seq = seq
	r.Prev = prev
	r.At = r.At.UTC().Truncate(time.Millisecond)
	for _, s := range r.texts() {
		*s = strings.ToValidUTF8(*s, "\uFFFD")
	}
	return r
}

// texts are the record's text fields.
func (r *Record) texts() []*string {
	return []*string{
		&r.Run, &r.Prev, &r.Person, &r.Account, &r.Via, &r.Replica, &r.Cluster, &r.Action, &r.Target,
		&r.Severity, &r.Digest, &r.Host, &r.Command, &r.Outcome, &r.Output, &r.Text,
	}
}

func wellFormed(r *Record) error {
	switch {
	case r.V > FormVersion:
		return fmt.Errorf("%w: it has form %d, but this version reads forms up to %d", ErrNewer, r.V, FormVersion)
	case r.V != r.Kind.form():
		return fmt.Errorf("%w: version %d of a record of kind %q, which has version %d", ErrForm, r.V, r.Kind, r.Kind.form())
	case r.At.Year() < 1 || r.At.Year() > 9999 || r.At.IsZero():
		return fmt.Errorf("%w: it has no time", ErrForm)
	case r.At.Location() != time.UTC || r.At.Nanosecond()%int(time.Millisecond) != 0:
		return fmt.Errorf("%w: its time %s is not UTC in whole milliseconds", ErrForm, r.At.Format(time.RFC3339Nano))
	case !r.Kind.Known():
		return fmt.Errorf("%w: unknown kind %q", ErrForm, r.Kind)
	case r.Seq < 0 || r.Step < 0 || r.Lost < 0:
		return fmt.Errorf("%w: negative number", ErrForm)
	case r.Lost > 0 && r.Kind != Restored:
		return fmt.Errorf("%w: only a record of kind %q may leave numbers out", ErrForm, Restored)
	case r.Seq > 0 && r.Run == "", r.Seq <= 1 && r.Prev != "", r.Seq > 1 && r.Prev == "":
		return fmt.Errorf("%w: run %q, number %d and previous hash %q do not belong together", ErrForm, r.Run, r.Seq, r.Prev)
	}
	for _, s := range r.texts() {
		if !utf8.ValidString(*s) {
			return fmt.Errorf("%w: text %q is not UTF-8", ErrForm, *s)
		}
	}
	return nil
}

// Known reports whether k is one of the kinds that this package defines.
func (k Kind) Known() bool {
	switch k {
	case Requested, Refused, Approved, Denied, Withdrawn, Expired, Cancelled, Queued, Started,
		StepStarted, StepEnded, Ticked, Ended, Unknown, Closed, ReadDone, Note, Announced, Looking, Reminded, Restored:
		return true
	default:
		return false
	}
}

func appendRecord(b []byte, r Record) []byte {
	b = append(b, `{"v":`...)
	b = strconv.AppendInt(b, int64(r.V), 10)
	b = append(b, `,"at":"`...)
	b = appendTime(b, r.At.UTC())
	b = append(b, '"')
	b = appendText(b, "run", r.Run)
	b = appendNumber(b, "seq", r.Seq)
	b = appendText(b, "prev", r.Prev)
	b = append(b, `,"kind":`...)
	b = appendString(b, string(r.Kind))
	b = appendText(b, "person", r.Person)
	b = appendText(b, "account", r.Account)
	b = appendText(b, "via", r.Via)
	b = appendText(b, "replica", r.Replica)
	b = appendText(b, "cluster", r.Cluster)
	b = appendText(b, "action", r.Action)
	b = appendText(b, "target", r.Target)
	b = appendText(b, "severity", r.Severity)
	b = appendText(b, "digest", r.Digest)
	b = appendNumber(b, "step", r.Step)
	b = appendText(b, "host", r.Host)
	b = appendText(b, "command", r.Command)
	b = appendText(b, "outcome", r.Outcome)
	if r.Exit != nil {
		b = append(b, `,"exit":`...)
		b = strconv.AppendInt(b, int64(*r.Exit), 10)
	}
	b = appendText(b, "output", r.Output)
	b = appendNumber(b, "lost", r.Lost)
	b = appendText(b, "text", r.Text)
	return append(b, '}')
}

// appendTime writes the format timeForm.
func appendTime(b []byte, t time.Time) []byte {
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.AppendFormat(b, timeForm)
	}
	hour, minute, second := t.Clock()
	b = append(b, byte('0'+year/1000))
	b = appendDigits(b, year%1000, 3)
	b = append(b, '-')
	b = appendDigits(b, int(month), 2)
	b = append(b, '-')
	b = appendDigits(b, day, 2)
	b = append(b, 'T')
	b = appendDigits(b, hour, 2)
	b = append(b, ':')
	b = appendDigits(b, minute, 2)
	b = append(b, ':')
	b = appendDigits(b, second, 2)
	b = append(b, '.')
	b = appendDigits(b, t.Nanosecond()/int(time.Millisecond), 3)
	return append(b, 'Z')
}

func appendDigits(b []byte, n, width int) []byte {
	if width == 3 {
		b = append(b, byte('0'+n/100))
	}
	return append(b, byte('0'+n/10%10), byte('0'+n%10))
}

func appendText(b []byte, name, s string) []byte {
	if s == "" {
		return b
	}
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, '"', ':')
	return appendString(b, s)
}

func appendNumber(b []byte, name string, n int) []byte {
	if n == 0 {
		return b
	}
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, '"', ':')
	return strconv.AppendInt(b, int64(n), 10)
}

// appendString writes s like JSON.stringify. It replaces invalid UTF-8 by U+FFFD, so that every
// string has a hash.
func appendString(b []byte, s string) []byte {
	const hexDigits = "0123456789abcdef"
	b = append(b, '"')
	if plain(s) {
		return append(append(b, s...), '"')
	}
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', byte(c))
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\t':
			b = append(b, '\\', 't')
		case c == '\r':
			b = append(b, '\\', 'r')
		case c == '\b':
			b = append(b, '\\', 'b')
		case c == '\f':
			b = append(b, '\\', 'f')
		case c < 0x20:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
		default:
			b = utf8.AppendRune(b, c)
		}
	}
	return append(b, '"')
}

// plain reports whether a string is ASCII and needs no escapes in JSON. Nearly all strings are so.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// strictJSON decodes exactly one JSON value, and refuses unknown fields.
func strictJSON(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.InputOffset() != int64(len(b)) {
		return errors.New("something follows the end of the JSON value")
	}
	return nil
}
