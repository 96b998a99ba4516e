package app

import "testing"

// A replica that briefly lost its lease still handles the deliveries that it accepted.
func TestWhatIsLeft(t *testing.T) {
	b := &bot{Config: Config{Replica: "a"}}
	for _, c := range []struct {
		of    string
		alive []string
		left  bool
	}{
		{"a", []string{"a", "b"}, false},
		{"a", []string{"b"}, false},
		{"b", []string{"a", "b"}, false},
		{"b", []string{"a"}, true},
		{"b", nil, true},
	} {
		if got := b.left(orphaned{replica: c.of}, c.alive); got != c.left {
			t.Errorf("of %s with %v alive: left %t", c.of, c.alive, got)
		}
	}
}
