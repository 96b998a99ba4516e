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

// FormVersion is the newest version of a record's form, its field V. A record
// has the oldest version that knows its kind, so that an older bot can read all
// that it could have written, and leaves the rest to newer ones.
const FormVersion = 3

// form is the version of the form of records of a kind.
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

// MaxRecord is the most bytes a record's canonical form may have. The longest
// field of an honest record is a command, and a host takes no longer one.
const MaxRecord = 128 << 10

// timeForm is UTC with exactly three decimals: one way to write an instant.
const timeForm = "2006-01-02T15:04:05.000Z"

// ErrForm is what every record that has no canonical form is refused with.
var ErrForm = errors.New("not a well-formed audit record")

// ErrNewer is what a record of a later form version is refused with: a newer
// version of the bot wrote it, which is the one to read it. It is an ErrForm.
var ErrNewer = fmt.Errorf("%w: a newer version of the bot wrote it", ErrForm)

// Canonical is the one byte form of a record, which is hashed, stored and
// exported. It is JSON without white space, the fields in the order in which
// Record declares them, empty ones left out (v, at and kind never are), "at"
// in UTC with three decimals, and strings as ECMAScript's JSON.stringify
// writes them: only ", \ and control characters are escaped. It is written
// here by hand and not by encoding/json, whose choice of escapes is no
// promise: a trail must hash alike with every compiler and in every language.
//
// A record that would not come back as it went in is refused (ErrForm; one of
// a later version ErrNewer): of another version, without a time or with one that is not UTC in whole
// milliseconds, of an unknown kind, with text that is not UTF-8, longer
// than MaxRecord. Link makes a record well-formed in all of these but the
// kind and the length.
func Canonical(r Record) ([]byte, error) {
	b := appendRecord(nil, r)
	if err := canonical(r, len(b)); err != nil {
		return nil, err
	}
	return b, nil
}

// canonical says why a record has no canonical form, which would be so many
// bytes long.
func canonical(r Record, length int) error {
	if err := wellFormed(&r); err != nil {
		return err
	}
	if length > MaxRecord {
		return fmt.Errorf("%w: %d bytes long, at most %d are allowed", ErrForm, length, MaxRecord)
	}
	return nil
}

// buffers are lent out by written.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// written lends a buffer to write into, which is not to be kept.
func written(f func(b []byte) []byte) {
	b := buffers.Get().(*[]byte)
	*b = f((*b)[:0])
	buffers.Put(b)
}

// Decode reads what Canonical wrote, and nothing else: other spacing, order
// or spelling of the same record is refused, so that no byte of a stored
// record can change unseen.
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

// refuse says why bytes that should hold a record, or an entry with one, could
// not be read: they are of a newer form, or of none.
func refuse(b []byte, err error) error {
	type version struct{ V int }
	var form struct {
		version
		Record version
	}
	if json.Unmarshal(b, &form) == nil && max(form.V, form.Record.V) > FormVersion {
		return fmt.Errorf("%w: form %d, this one reads %d", ErrNewer, max(form.V, form.Record.V), FormVersion)
	}
	return fmt.Errorf("%w: %w", ErrForm, err)
}

// Hash is the lower-case hex SHA-256 of a record's canonical form, preceded
// by a label so that no hash of anything else can stand in for it.
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

// Link puts a record into its run's chain: seq from 1, prev the Hash of the
// run's record before it, "" for the first. It also brings the record into
// its normal form: the version of its kind, the time in UTC cut to milliseconds,
// text as valid UTF-8. A record that belongs to no run gets seq 0 and prev "".
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
		return fmt.Errorf("%w: form %d, this one reads %d", ErrNewer, r.V, FormVersion)
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

// Known says whether the kind is one of the closed set.
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

// appendTime writes what timeForm does.
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

// appendString writes s as JSON.stringify does; what is not UTF-8 becomes
// U+FFFD, so that a hash exists for every string.
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

// plain says that a string is its own JSON form, as nearly all are.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// strictJSON decodes exactly one value without unknown fields.
func strictJSON(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.InputOffset() != int64(len(b)) {
		return errors.New("something follows the end of it")
	}
	return nil
}
