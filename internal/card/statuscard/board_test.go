package statuscard

import (
	"testing"

	"dhbot/internal/card"
)

// Rows in maintenance beyond the limit are counted in plain words.
func TestCappedQuiet(t *testing.T) {
	lines := make([]card.Line, mostQuiet+3)
	got := cappedQuiet(lines)
	if last := card.PlainLine(got[len(got)-1]); len(got) != mostQuiet+1 || last != "… and 3 more in maintenance or down as scheduled" {
		t.Errorf("%d lines, the last %q", len(got), last)
	}
	if got := cappedQuiet(lines[:mostQuiet]); len(got) != mostQuiet {
		t.Errorf("%d lines of %d", len(got), mostQuiet)
	}
}
