package audit_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/store/sign"
	"dhbot/internal/test/testenv"
)

// signedHead returns the head of a trail, and its text signed with a key.
func signedHead(t testing.TB, key *sign.Key, list []audit.Sealed) (audit.SignedHead, []byte) {
	t.Helper()
	var tree audit.Tree
	for _, s := range list {
		line, err := audit.CanonicalEntry(s)
		if err != nil {
			t.Fatal(err)
		}
		tree.Append(line)
	}
	h := audit.SignedHead{Install: key.Install(), Epoch: 1, Size: tree.Size, Root: tree.Root(), Last: headOf(list)}
	note, err := key.SignHead(h.Text())
	if err != nil {
		t.Fatal(err)
	}
	return h, note
}

func newKey(t testing.TB) *sign.Key {
	t.Helper()
	key, err := sign.New()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// verifyWith verifies an export as `bot audit verify` does. It uses the head in the export's
// header, and the given heads.
func verifyWith(b []byte, key *sign.Key, heads ...audit.Head) (audit.Report, error) {
	header, entries, err := audit.ReadExport(bytes.NewReader(b))
	if err != nil {
		return audit.Report{}, err
	}
	o := audit.Options{After: header.After, Heads: heads, Anchored: true}
	if header.Note != "" {
		h, err := audit.OpenHead([]byte(header.Note), key.Verifiers())
		if err != nil {
			return audit.Report{}, err
		}
		o.Signed = []audit.SignedHead{h}
	}
	return audit.Verify(entries, o)
}

func exportWith(t testing.TB, h audit.Header, list []audit.Sealed) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := audit.WriteExport(&b, h, seq(list)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestForgedExports: a consistent export is refused if no head confirms it, and
// any export is refused if a head contradicts it.
func TestForgedExports(t *testing.T) {
	key := newKey(t)
	list := trail(12)
	_, note := signedHead(t, key, list[:10])
	_, foreign := signedHead(t, newKey(t), list)
	cut := headOf(list[:5])
	rewritten := slices.Clone(list)
	rewritten[2].Record.Text = "other"
	rewritten = reseal(rewritten)
	signed := audit.Header{Note: string(note)}
	forged := func(old, instead string) []byte {
		return bytes.Replace(exportWith(t, signed, list), []byte(old), []byte(instead), 1)
	}
	for name, c := range map[string]struct {
		export []byte
		heads  []audit.Head
		says   string // "" if it is accepted
	}{
		"whole":                            {exportWith(t, signed, list), nil, ""},
		"whole, and a head kept elsewhere": {exportWith(t, audit.Header{}, list), []audit.Head{headOf(list)}, ""},
		"cut, and its head kept elsewhere": {exportWith(t, audit.Header{After: cut, Note: string(note)}, list[5:]), []audit.Head{cut}, ""},
		"no head":                          {exportWith(t, audit.Header{}, list), nil, "no known head confirms"},
		"rewritten with new hashes":        {exportWith(t, signed, rewritten), nil, "not the entry that was kept elsewhere"},
		"rewritten, without the head":      {exportWith(t, audit.Header{}, rewritten), nil, "no known head confirms"},
		"cut at the end":                   {exportWith(t, signed, list[:9]), nil, "its end was cut off"},
		"cut at the beginning":             {exportWith(t, audit.Header{After: cut, Note: string(note)}, list[5:]), nil, "may have been cut off"},
		"cut, with a forged hash": {
			exportWith(t, audit.Header{After: audit.Head{N: 5, Hash: "aa"}, Note: string(note)}, list[5:]), []audit.Head{cut}, "not the entry that was kept",
		},
		"a head of an entry before the beginning": {
			exportWith(t, audit.Header{After: cut, Note: string(note)}, list[5:]), []audit.Head{headOf(list[:3]), cut}, "cannot be verified",
		},
		"a head with another key": {exportWith(t, audit.Header{Note: string(foreign)}, list), nil, "no known key signed it"},
		"a head that was edited": {
			exportWith(t, audit.Header{Note: strings.Replace(string(note), "epoch 1", "epoch 2", 1)}, list), nil, "no known key signed it",
		},
		"a header that was edited": {
			bytes.Replace(exportWith(t, signed, list), []byte(`"after":0`), []byte(`"after":05`), 1), nil, "header",
		},
		"a second header":           {forged(`{"n":3,`, "{\"format\":\"dhbot-trail\",\"v\":1,\"after\":2,\"hash\":\"\"}\n{\"n\":3,"), nil, "line 4"},
		"an end in the middle":      {forged(`{"n":3,`, "{\"end\":2,\"hash\":\"\"}\n{\"n\":3,"), nil, "line 4"},
		"a key beside others":       {forged(`"v":2,`, `"v":2,"vouched":true,`), nil, "header"},
		"a key that is there twice": {forged(`"after":0,`, `"after":5,"after":0,`), nil, "edited"},
		"a blank in the header":     {forged(`"v":2,`, `"v": 2,`), nil, "edited"},
		"the version before":        {forged(`"v":2,`, `"v":1,`), nil, "edited"},
		"a newer version":           {forged(`"v":2,`, `"v":3,`), nil, "version 3"},
		"lines as on Windows":       {forged("\n", "\r\n"), nil, "header"},
		"a byte order mark":         {forged(`{"format"`, "\ufeff"+`{"format"`), nil, "header"},
		"no header":                 {forged(`{"format"`, `{"n":0,"format"`), nil, "header"},
		"a line after the end":      {append(exportWith(t, signed, list), "{}\n"...), nil, "follows the end"},
		"a header that claims to continue nothing": {
			bytes.Replace(exportWith(t, audit.Header{}, list[5:]), []byte(`"after":0,"hash":""`), []byte(`"after":5,"hash":""`), 1), nil, "edited",
		},
	} {
		t.Run(name, func(t *testing.T) {
			report, err := verifyWith(c.export, key, c.heads...)
			switch {
			case c.says == "" && (err != nil || report.Vouched == 0):
				t.Errorf("report %+v, %v, want a valid export", report, err)
			case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
				t.Errorf("%v, want %q", err, c.says)
			}
		})
	}
}

// TestHeadsOfTwoTrees: a signed head with the right last entry but another tree
// is refused.
func TestHeadsOfTwoTrees(t *testing.T) {
	list := trail(9)
	h, _ := signedHead(t, newKey(t), list)
	h.Root[0] ^= 1
	if _, err := audit.Verify(seq(list), audit.Options{Signed: []audit.SignedHead{h}}); err == nil || !strings.Contains(err.Error(), "another tree") {
		t.Errorf("error %v, want that the head has another tree", err)
	}
}

// TestForgottenHeads checks that the head of an entry that a restore lost is reported as forgotten,
// and not as a sign that the trail was rewritten.
func TestForgottenHeads(t *testing.T) {
	list := trail(9)
	forgotten := audit.Head{N: 8, Hash: list[7].Hash}
	was := list[:6]
	restored := audit.Seal(was[5], 99, audit.Link(audit.Record{At: at, Kind: audit.Restored, Lost: 3, Text: "put back"}, 0, ""))
	now := append(slices.Clone(was), restored)
	report, err := audit.Verify(seq(now), audit.Options{Heads: []audit.Head{forgotten, headOf(now)}, Anchored: true})
	if err != nil || !slices.Equal(report.Forgotten, []audit.Head{forgotten}) {
		t.Errorf("report %+v, %v, want the forgotten head", report, err)
	}
}

// TestConsistencyScript: the script of the docs, which shares no code with the bot, accepts any two
// heads of one trail, and refuses heads of different trails.
func TestConsistencyScript(t *testing.T) {
	for _, program := range []string{"python3", "openssl"} {
		testenv.Program(t, program)
	}
	key := newKey(t)
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	list := trail(21)
	other := slices.Clone(list)
	other[4].Record.At = other[4].Record.At.Add(time.Second)
	other[4].Record = audit.Link(other[4].Record, other[4].Record.Seq, other[4].Record.Prev)
	other = reseal(other)
	export := write("trail.jsonl", exportWith(t, audit.Header{}, list))
	run := func(want bool, args ...string) {
		t.Helper()
		out, err := exec.Command("python3", append([]string{"../../docs/consistency.py", export}, args...)...).CombinedOutput()
		if (err == nil) != want || want != strings.Contains(string(out), "consistent: ") {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
	head := func(name string, key *sign.Key, list []audit.Sealed) string {
		t.Helper()
		_, note := signedHead(t, key, list)
		return write(name, note)
	}
	last := head("last", key, list)
	for _, n := range []int{1, 2, 3, 4, 7, 8, 9, 16, 20, 21} {
		run(true, head("some", key, list[:n]), last, key.Public())
	}
	run(true, last, head("some", key, list[:5]))
	run(false, head("rewritten", key, other[:5]), last, key.Public())
	run(false, head("rewritten", key, other), last, key.Public())
	run(false, head("longer", key, trail(22)), last, key.Public())
	run(false, head("foreign", newKey(t), list[:5]), last)
	stranger := newKey(t)
	run(false, last, last, stranger.Public())
}
