package audit_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dhbot/internal/audit"
)

var at = time.Date(2026, 3, 9, 14, 6, 7, 5e6, time.UTC)

// full is a record with every field set.
func full() audit.Record {
	exit := 0
	return audit.Record{
		V: 1, At: at, Run: "R-7F3K", Seq: 2, Prev: strings.Repeat("ab", 32), Kind: audit.StepEnded,
		Person: "anna", Account: "T1/U1", Via: "button", Replica: "bot-1", Cluster: "prod", Action: "restart",
		Target: "db_dis on infra-1", Severity: "1", Digest: "7f3a9c", Step: 1, Host: "infra-1",
		Command: "sudo -n -u irisadmin monit restart db_dis", Outcome: "answered", Exit: &exit,
		Output: strings.Repeat("0f", 32), Text: "pid 40211 → 51877",
	}
}

func TestCanonicalFormIsPinned(t *testing.T) {
	const want = `{"v":1,"at":"2026-03-09T14:06:07.005Z","run":"R-7F3K","seq":2,` +
		`"prev":"abababababababababababababababababababababababababababababababab","kind":"step ended",` +
		`"person":"anna","account":"T1/U1","via":"button","replica":"bot-1","cluster":"prod","action":"restart",` +
		`"target":"db_dis on infra-1","severity":"1","digest":"7f3a9c","step":1,"host":"infra-1",` +
		`"command":"sudo -n -u irisadmin monit restart db_dis","outcome":"answered","exit":0,` +
		`"output":"0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f","text":"pid 40211 → 51877"}`
	got, err := audit.Canonical(full())
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("canonical form changed: every stored trail would stop verifying\n%s", cmp.Diff(want, string(got)))
	}
	const hash = "73206d9de49746b792445243e0871c7747cd415f40f7a9da14a457922b3bc767"
	if h := audit.Hash(full()); h != hash {
		t.Errorf("hash of the pinned record is %s, want %s", h, hash)
	}
}

// Strings are written as JSON.stringify writes them.
func TestCanonicalStrings(t *testing.T) {
	for in, want := range map[string]string{
		"a<b>&c":             `"a<b>&c"`,
		"\u2028 \x7f é 😀":    "\"\u2028 \x7f é 😀\"",
		"\"\\/":              `"\"\\/"`,
		"\n\t\r\b\f\x00\x1f": `"\n\t\r\b\f\u0000\u001f"`,
	} {
		got, err := audit.Canonical(audit.Record{V: 1, At: at, Kind: audit.Note, Text: in})
		if err != nil {
			t.Fatal(err)
		}
		if w := `{"v":1,"at":"2026-03-09T14:06:07.005Z","kind":"note","text":` + want + `}`; string(got) != w {
			t.Errorf("text %q:\n got %s\nwant %s", in, got, w)
		}
	}
}

// A field that is added to Record must be added to the canonical form, to the
// check of texts, and to the hash.
func TestEveryFieldIsCovered(t *testing.T) {
	typ := reflect.TypeFor[audit.Record]()
	full := func() audit.Record { r := full(); r.Lost = 1; return r } // only records of one kind have Lost
	hash := audit.Hash(full())
	for i := range typ.NumField() {
		f := typ.Field(i)
		r := full()
		v := reflect.ValueOf(&r).Elem().Field(i)
		if v.IsZero() {
			t.Fatalf("full() leaves %s empty", f.Name)
		}
		switch x := v.Addr().Interface().(type) {
		case *string:
			*x += "x"
		case *audit.Kind:
			*x = audit.Note
		case *int:
			*x++
		case **int:
			one := 1
			*x = &one
		case *time.Time:
			*x = x.Add(time.Millisecond)
		default:
			t.Fatalf("field %s has type %s, which this test and the canonical form do not know", f.Name, f.Type)
		}
		if audit.Hash(r) == hash {
			t.Errorf("a change of %s does not change the hash", f.Name)
		}
		if s, ok := v.Addr().Interface().(*string); ok {
			*s = "\xff"
			if _, err := audit.Canonical(r); !errors.Is(err, audit.ErrForm) {
				t.Errorf("%s with text that is not UTF-8: error %v, want ErrForm", f.Name, err)
			}
		}
	}
}

func TestCanonicalRefuses(t *testing.T) {
	for name, change := range map[string]func(*audit.Record){
		"another version":   func(r *audit.Record) { r.V = 2 },
		"no version":        func(r *audit.Record) { r.V = 0 },
		"no time":           func(r *audit.Record) { r.At = time.Time{} },
		"local time":        func(r *audit.Record) { r.At = r.At.In(time.FixedZone("X", 3600)) },
		"microseconds":      func(r *audit.Record) { r.At = r.At.Add(time.Microsecond) },
		"the year 10000":    func(r *audit.Record) { r.At = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"unknown kind":      func(r *audit.Record) { r.Kind = "party" },
		"no kind":           func(r *audit.Record) { r.Kind = "" },
		"negative number":   func(r *audit.Record) { r.Seq = -1 },
		"number, no run":    func(r *audit.Record) { r.Run = "" },
		"first with a prev": func(r *audit.Record) { r.Seq = 1 },
		"second without":    func(r *audit.Record) { r.Prev = "" },
		"too long":          func(r *audit.Record) { r.Text = strings.Repeat("x", audit.MaxRecord) },
	} {
		r := full()
		change(&r)
		if _, err := audit.Canonical(r); !errors.Is(err, audit.ErrForm) {
			t.Errorf("%s: error %v, want ErrForm", name, err)
		}
	}
}

func TestDecodeTakesOnlyTheCanonicalForm(t *testing.T) {
	good := `{"v":1,"at":"2026-03-09T14:06:07.005Z","kind":"note","text":"x"}`
	if _, err := audit.Decode([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		"a space":         `{"v":1, "at":"2026-03-09T14:06:07.005Z","kind":"note","text":"x"}`,
		"a newline after": good + "\n",
		"another order":   `{"at":"2026-03-09T14:06:07.005Z","v":1,"kind":"note","text":"x"}`,
		"a capital":       `{"v":1,"at":"2026-03-09T14:06:07.005Z","Kind":"note","text":"x"}`,
		"an unknown name": `{"v":1,"at":"2026-03-09T14:06:07.005Z","kind":"note","text":"x","more":1}`,
		"a name twice":    `{"v":1,"at":"2026-03-09T14:06:07.005Z","kind":"note","text":"y","text":"x"}`,
		"an escape":       `{"v":1,"at":"2026-03-09T14:06:07.005Z","kind":"note","text":"\u0078"}`,
		"an empty field":  `{"v":1,"at":"2026-03-09T14:06:07.005Z","kind":"note","person":"","text":"x"}`,
		"fewer decimals":  `{"v":1,"at":"2026-03-09T14:06:07Z","kind":"note","text":"x"}`,
		"another zone":    `{"v":1,"at":"2026-03-09T14:06:07.005+00:00","kind":"note","text":"x"}`,
		"two records":     good + good,
		"nothing":         ``,
	} {
		if _, err := audit.Decode([]byte(bad)); !errors.Is(err, audit.ErrForm) {
			t.Errorf("%s: error %v, want ErrForm", name, err)
		}
	}
}

func TestLinkNormalises(t *testing.T) {
	r := audit.Record{
		At: at.Add(999 * time.Microsecond).In(time.FixedZone("X", 7200)), Run: "R-7F3K",
		Kind: audit.Requested, Text: "caf\xe9",
	}
	got := audit.Link(r, 1, "")
	want := audit.Record{V: 1, At: at, Run: "R-7F3K", Seq: 1, Kind: audit.Requested, Text: "caf\uFFFD"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if _, err := audit.Canonical(got); err != nil {
		t.Error(err)
	}
}

// Each record has exactly one form in bytes: Decode accepts only canonical bytes, and Canonical
// returns the same bytes again.
func FuzzDecode(f *testing.F) {
	b, err := audit.Canonical(full())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"v":1,"at":"0001-01-01T00:00:00.001Z","kind":"note"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := audit.Decode(b)
		if err != nil {
			return
		}
		again, err := audit.Canonical(r)
		if err != nil || string(again) != string(b) {
			t.Fatalf("decoded %q, encoded %q, %v", b, again, err)
		}
	})
}

// Any text that Link has normalised survives encoding and decoding, and every
// JSON reader reads the same text.
func FuzzText(f *testing.F) {
	f.Add("disk was full", "R-7F3K", int64(0))
	f.Add("\x00\"\\\u2028\xff", "", int64(1<<40))
	f.Fuzz(func(t *testing.T, text, run string, ms int64) {
		r := audit.Link(audit.Record{At: time.UnixMilli(ms), Kind: audit.Note, Run: run, Text: text}, 0, "")
		b, err := audit.Canonical(r)
		if err != nil {
			if !errors.Is(err, audit.ErrForm) {
				t.Fatal(err)
			}
			return
		}
		got, err := audit.Decode(b)
		if err != nil {
			t.Fatalf("%q: %v", b, err)
		}
		if d := cmp.Diff(r, got); d != "" {
			t.Fatal(d)
		}
		var plain struct{ Text string }
		if err := json.Unmarshal(b, &plain); err != nil || plain.Text != r.Text {
			t.Fatalf("encoding/json reads %q as %q, want %q (%v)", b, plain.Text, r.Text, err)
		}
	})
}

// TestKindsHaveTheirForm checks that a record has the oldest form version that has its kind, and
// that another version is refused. So an older bot reads all records except those of newer kinds.
func TestKindsHaveTheirForm(t *testing.T) {
	for kind, form := range map[audit.Kind]int{audit.Requested: 1, audit.Announced: 1, audit.Looking: 2, audit.Reminded: 2} {
		r := audit.Link(audit.Record{Kind: kind, Run: "R-7F3K", At: time.UnixMilli(1)}, 1, "")
		if _, err := audit.Canonical(r); err != nil || r.V != form {
			t.Errorf("%s has form %d, %v", kind, r.V, err)
		}
		r.V = 3 - form
		if _, err := audit.Canonical(r); !errors.Is(err, audit.ErrForm) || errors.Is(err, audit.ErrNewer) {
			t.Errorf("%s in form %d: %v", kind, r.V, err)
		}
	}
}
