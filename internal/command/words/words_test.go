package words_test

import (
	"testing"

	"dhbot/internal/command/words"
)

func TestWhen(t *testing.T) {
	for text, want := range map[string]bool{
		"at 10": true, "in 10 min": true, "in 5": true, "tonight": true, "2h": true, "on monday": true,
		"at 95% full": false, "on query-1": false, "since 02:10 it hangs": false, "disk was full": false,
	} {
		if got := words.IsWhen(words.Split(text)); got != want {
			t.Errorf("IsWhen(%q) = %v", text, got)
		}
	}
}

func TestLengths(t *testing.T) {
	for text, want := range map[string]string{"2h": "2h", "2 hours": "2h", "30 min": "30m", "1h30m": "1h30m", "3days": "3d"} {
		w := words.Split(text)
		if n := words.LengthAt(w); n != len(w) || words.LengthOf(w) != want {
			t.Errorf("%q: %d words, %q", text, n, words.LengthOf(w[:max(n, 1)]))
		}
	}
	if n := words.LengthAt(words.Split("two hours")); n != 0 {
		t.Errorf("two hours: %d words", n)
	}
}

func TestRunIDs(t *testing.T) {
	for text, want := range map[string]string{"R-7F3K": "R-7F3K", "r7f3k": "R-7F3K", "`R_7F3K`,": "R-7F3K", "R 7F3K": "R-7F3K", "rest": "", "run 7F3K": ""} {
		if got, _ := words.RunAt(words.Split(text)); got != want {
			t.Errorf("%q is read as %q", text, got)
		}
	}
}
