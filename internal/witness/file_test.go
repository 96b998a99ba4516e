package witness

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const first, second = "dhbot/trail\n7\nhash=\n\nsigned=\n", "dhbot/trail\n8\nhash=\n\nsigned=\n"

func put(t *testing.T, w Witness, head string) {
	t.Helper()
	if err := w.Put(t.Context(), []byte(head)); err != nil {
		t.Fatal(err)
	}
}

func last(t *testing.T, w Witness) string {
	t.Helper()
	head, err := w.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return string(head)
}

// TestCutOff checks that a head does not count if a crash cut it off, at any byte. This holds
// before and after the next head is stored.
func TestCutOff(t *testing.T) {
	whole := second + separator
	for n := range whole {
		name := filepath.Join(t.TempDir(), "heads")
		w := New(name)
		put(t, w, first)
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, append(b, whole[:n]...), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := last(t, w); got != first {
			t.Errorf("cut off after %d bytes: %q", n, got)
		}
		put(t, w, second)
		if got := last(t, w); got != second {
			t.Errorf("the next head after %d bytes of one that was cut off: %q", n, got)
		}
		if err := os.WriteFile(name, append(b, whole[:n]+"\n"+cutOff+separator...), 0o600); err != nil {
			t.Fatal(err)
		}
		want := first
		if n == len(whole)-1 {
			want = second // only the last newline of the second head was missing
		}
		if got := last(t, w); got != want {
			t.Errorf("cut off after %d bytes, and so was the next head: %q", n, got)
		}
	}
}

// TestRenamed checks that a full file is renamed. If a crash follows before the next head is
// stored, the last head of the renamed file counts.
func TestRenamed(t *testing.T) {
	name := filepath.Join(t.TempDir(), "heads")
	w := New(name)
	full := strings.Repeat("x", rotateAt) + "\n" + separator + first + separator
	if err := os.WriteFile(name, []byte(full), 0o600); err != nil {
		t.Fatal(err)
	}
	put(t, w, second)
	if got := last(t, w); got != second {
		t.Errorf("the last head in the new file: %q", got)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if got := last(t, w); got != first {
		t.Errorf("the last head without the new file: %q", got)
	}
}

// TestMissingMount checks that reading is an error if the directory of the file is missing. If
// only the file is missing, there is no head and no error.
func TestMissingMount(t *testing.T) {
	dir := t.TempDir()
	if got := last(t, New(filepath.Join(dir, "heads"))); got != "" {
		t.Errorf("an absent file has the head %q", got)
	}
	if head, err := New(filepath.Join(dir, "mount", "heads")).Last(t.Context()); err == nil {
		t.Errorf("a missing mount has the head %q", head)
	}
}
