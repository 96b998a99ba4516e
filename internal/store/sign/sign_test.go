package sign

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
)

func newKey(t *testing.T) *Key {
	t.Helper()
	k, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestEveryPartOfAValueIsSigned: a stored value is not opened if any part of it
// was changed, or if it was copied to another key path.
func TestEveryPartOfAValueIsSigned(t *testing.T) {
	k := newKey(t)
	v := Value{Epoch: 2, N: 7, Body: []byte(`{"id":"R-7F3K","state":"approved"}`)}
	stored := k.Sign("run/R-7F3K", v)
	got, err := k.Open("run/R-7F3K", stored)
	if err != nil || got.Epoch != 2 || got.N != 7 || !bytes.Equal(got.Body, v.Body) {
		t.Fatalf("opened %+v, %v", got, err)
	}
	other, err := Parse(strings.Replace(k.text(), k.install, "anotherinstall", 1))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key    *Key
		path   string
		stored string
		want   error
	}{
		"another path":          {k, "run/R-2222", string(stored), ErrForged},
		"another installation":  {other, "run/R-7F3K", string(stored), ErrForged},
		"another key":           {newKey(t), "run/R-7F3K", string(stored), ErrOtherKey},
		"other bytes":           {k, "run/R-7F3K", strings.Replace(string(stored), "approved", "running!", 1), ErrForged},
		"another counter":       {k, "run/R-7F3K", strings.Replace(string(stored), `"n":7`, `"n":8`, 1), ErrForged},
		"another epoch":         {k, "run/R-7F3K", strings.Replace(string(stored), `"epoch":2`, `"epoch":3`, 1), ErrForged},
		"epoch for counter":     {k, "run/R-7F3K", strings.Replace(string(stored), `"epoch":2,"n":7`, `"epoch":7,"n":2`, 1), ErrForged},
		"no signature":          {k, "run/R-7F3K", string(v.Body), ErrUnsigned},
		"an empty signature":    {k, "run/R-7F3K", `{"v":3,"epoch":2,"n":7,"key":"` + k.ID() + `","mac":"","body":{}}`, ErrUnsigned},
		"a newer form":          {k, "run/R-7F3K", `{"v":9,"mac":"00"}`, ErrNewerForm},
		"a newer run, unsigned": {k, "run/R-7F3K", `{"v":9}`, ErrUnsigned},
		"no JSON":               {k, "run/R-7F3K", `R-7F3K`, ErrForged},
	} {
		if _, err := c.key.Open(c.path, []byte(c.stored)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestRotation(t *testing.T) {
	old := newKey(t)
	stored := old.Sign("run/R-7F3K", Value{N: 1, Body: []byte(`{}`)})
	head, err := old.SignHead("dhbot/x\n1\nAAAA\n")
	if err != nil {
		t.Fatal(err)
	}
	between, err := old.Rotate()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := between.Open("run/R-7F3K", stored); err != nil {
		t.Errorf("during the rotation the old key's signature must be valid: %v", err)
	}
	if again, err := between.Rotate(); err != nil || again != between {
		t.Errorf("a second Rotate must keep the new key: %v", err)
	}
	after, err := Parse(between.Settle().text())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := after.Open("run/R-7F3K", stored); !errors.Is(err, ErrOtherKey) {
		t.Errorf("after the rotation: %v", err)
	}
	var verifiers []note.Verifier
	for _, text := range after.Verifiers() {
		v, err := note.NewVerifier(text)
		if err != nil {
			t.Fatal(err)
		}
		verifiers = append(verifiers, v)
	}
	if _, err := note.Open(head, note.VerifierList(verifiers...)); err != nil {
		t.Errorf("an old head no longer verifies: %v", err)
	}
	if after.Install() != old.Install() || after.ID() == old.ID() {
		t.Errorf("installation %s → %s, key %s → %s", old.Install(), after.Install(), old.ID(), after.ID())
	}
}

func TestKeyFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.key")
	if _, err := Load(file); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("a missing file: %v", err)
	}
	k, err := Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Create(file); !errors.Is(err, fs.ErrExist) {
		t.Errorf("an existing file: %v", err)
	}
	got, err := Load(file)
	if err != nil || got.ID() != k.ID() || got.Install() != k.Install() || got.Public() != k.Public() {
		t.Fatalf("read back %+v, %v", got, err)
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("readable by others: %v", err)
	}
	for _, text := range []string{"", "dhbot state key v1\n", "dhbot state key v1\ninstall a\n", "dhbot state key v1\ninstall a\nprivate x\n", "dhbot state key v1\ninstall a\n" + "word x\n"} {
		if _, err := Parse(text); err == nil {
			t.Errorf("accepted as a key: %q", text)
		}
	}
}
