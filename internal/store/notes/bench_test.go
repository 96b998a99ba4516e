package notes

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkNotes measures what the notes cost a change: a line for each version of a run, and a
// line and one sync before a step is sent.
func BenchmarkNotes(b *testing.B) {
	n, err := Open(filepath.Join(b.TempDir(), "sent"), "inst", time.Now)
	if err != nil {
		b.Fatal(err)
	}
	defer n.Close()
	b.Run("a form", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if err := n.Saw("R-2345", uint64(i+1), int64(i+1), false); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("a step, with its sync", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if err := n.Sending(fmt.Sprint("R-", b.N, "-", i), 1, 1); err != nil {
				b.Fatal(err)
			}
		}
	})
}
