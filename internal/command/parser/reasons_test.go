package parser_test

import (
	"os"
	"strings"
	"testing"

	"dhbot/internal/command/parser"
	"dhbot/internal/test/grammartest"
)

// TestOrdinaryReasons checks reasons that people typed after a change that needs approvals. At most
// one in twenty may result in a Question. The card shows the others as typed, marked as not
// understood.
func TestOrdinaryReasons(t *testing.T) {
	b, err := os.ReadFile("testdata/reasons.txt")
	if err != nil {
		t.Fatal(err)
	}
	g := grammartest.New(t)
	var all int
	var back []string
	for line := range strings.Lines(string(b)) {
		reason := strings.TrimSpace(line)
		if reason == "" || strings.HasPrefix(reason, "# ") {
			continue
		}
		all++
		r, err := parser.Parse(g, parser.Input{Text: "restart db_dis " + reason, Channel: "C1"})
		switch {
		case err != nil:
			back = append(back, reason+": "+err.Error())
		case r.Command.Verb != "restart" || r.ProcessID() != "db_dis" || !r.Unmarked || r.Reason != reason:
			t.Errorf("%q: %s of %s, unmarked %v, reason %q", reason, r.Command.Verb, r.ProcessID(), r.Unmarked, r.Reason)
		}
	}
	t.Logf("%d of %d resulted in a question:\n%s", len(back), all, strings.Join(back, "\n"))
	if all < 150 || len(back)*20 > all {
		t.Errorf("%d of %d ordinary reasons result in a question", len(back), all)
	}
}
