package notes

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, file string, now time.Time) *Notes {
	t.Helper()
	n, err := Open(file, "inst", func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// TestNeverSentTwice checks that a step in the notes is never sent again: not by the same process,
// a later process, or a process that shares the file, and not after Compact.
func TestNeverSentTwice(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.key.sent")
	a, b := open(t, file, noon), open(t, file, noon)
	if !a.Fresh() || b.Fresh() {
		t.Errorf("fresh: %v, %v", a.Fresh(), b.Fresh())
	}
	must(t, a.Saw("R-7F3K", 3, 0, false), a.Saw("R-7F3K", 4, 0, false), a.Sending("R-7F3K", 2, 4))
	for name, n := range map[string]*Notes{"the same": a, "another": b, "the next": open(t, file, noon)} {
		if err := n.Sending("R-7F3K", 2, 9); !errors.Is(err, ErrSent) {
			t.Errorf("%s process: %v", name, err)
		}
		if err := n.Sending("R-7F3K", 4, 3); !errors.Is(err, ErrOlder) {
			t.Errorf("%s process, a lower counter: %v", name, err)
		}
		if err := n.Allow("R-7F3K", 3, 100, noon); !errors.Is(err, ErrOlder) {
			t.Errorf("%s process: %v", name, err)
		}
		if err := n.Allow("R-7F3K", 4, 100, noon); err != nil {
			t.Errorf("%s process: the newest form is refused: %v", name, err)
		}
	}
	must(t, a.Compact())
	next := open(t, file, noon)
	if err := next.Sending("R-7F3K", 2, 9); !errors.Is(err, ErrSent) {
		t.Errorf("after Compact: %v", err)
	}
	must(t, next.Sending("R-7F3K", 4, 9))
}

// TestWhatIsForgottenIsRefused checks that the notes remember an ended run for the time Keep. A run
// that was requested before that time is refused because of its age.
func TestWhatIsForgottenIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.key.sent")
	n := open(t, file, noon)
	must(t, n.Saw("R-7F3K", 9, 0, true), n.Handled("a key"), n.Close())
	n = open(t, file, noon.Add(Keep))
	must(t, n.Compact())
	if err := n.Allow("R-7F3K", 2, 100, noon.Add(time.Minute)); !errors.Is(err, ErrOlder) {
		t.Errorf("within the time: %v", err)
	}
	must(t, n.Close())
	n = open(t, file, noon.Add(Keep+2*time.Hour))
	must(t, n.Compact())
	if n.Known("R-7F3K") || n.WasHandled("a key") {
		t.Error("the run is still noted after Keep")
	}
	if err := n.Allow("R-7F3K", 2, 100, noon); !errors.Is(err, ErrAged) {
		t.Errorf("after the time: %v", err)
	}
}

// TestCutOff checks that a line that a crash cut off is ignored, and does not damage the next line.
func TestCutOff(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.key.sent")
	n := open(t, file, noon)
	must(t, n.Saw("R-7F3K", 5, 0, false), n.Close())
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteString("run R-7F3K 12 3")
	must(t, err, f.Close())
	n = open(t, file, noon)
	if c := n.Count("R-7F3K"); c != 5 {
		t.Errorf("counter %d, want 5", c)
	}
	must(t, n.Handled("C1 1700000000.1"))
	if n = open(t, file, noon); !n.WasHandled("C1 1700000000.1") || n.WasHandled("C1") {
		t.Error("the line after the cut-off line is lost")
	}
	if _, err := Open(file, "another", time.Now); !errors.Is(err, ErrOther) {
		t.Errorf("another installation: %v", err)
	}
}

func BenchmarkSaw(b *testing.B) {
	n, err := Open(filepath.Join(b.TempDir(), "n"), "inst", time.Now)
	if err != nil {
		b.Fatal(err)
	}
	defer n.Close()
	for i := range b.N {
		if err := n.Saw("R-7F3K", uint64(i), 0, false); err != nil {
			b.Fatal(err)
		}
	}
}
