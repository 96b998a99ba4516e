package outputcard

import (
	"fmt"
	"strings"
	"testing"
)

// An excerpt begins with the errors, unless it must keep the order of the log. It omits dates and
// fractions of a second, and has at most ten lines, filled up with the newest other lines.
func TestLogExcerpt(t *testing.T) {
	var lines []string
	for i := range 30 {
		level := "INFO"
		if i == 3 || i == 20 {
			level = "ERROR"
		}
		lines = append(lines, fmt.Sprintf("[2026-03-14T14:01:%02d.956532+0000] - %s - line %d", i, level, i))
	}
	text := strings.Join(lines, "\n") + "\n"
	e, ok := excerpt(text, false)
	got := strings.Split(e.text, "\n")
	if !ok || e.whole || len(got) != logLines || got[0] != "14:01:03 ERROR line 3" || got[1] != "14:01:20 ERROR line 20" ||
		got[2] != "14:01:22 INFO line 22" || got[9] != "14:01:29 INFO line 29" {
		t.Errorf("whole %v, ok %v:\n%s", e.whole, ok, e.text)
	}
	if want := "Times as in the log, 2026-03-14, time zone +0000"; e.times != want {
		t.Errorf("times %q, want %q", e.times, want)
	}
	if e, _ := excerpt(text, true); !strings.HasPrefix(e.text, "14:01:20 ERROR") || !strings.HasSuffix(e.text, "line 29") {
		t.Errorf("in order:\n%s", e.text)
	}
	if e, ok := excerpt(lines[0]+"\n", false); !ok || !e.whole {
		t.Error("a log of one short line is not whole")
	}
	if _, ok := excerpt("total 12\ndrwxr-xr-x 2 root root\n", false); ok {
		t.Error("a listing was taken for a log")
	}
}
