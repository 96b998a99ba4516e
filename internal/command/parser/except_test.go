package parser_test

import (
	"errors"
	"slices"
	"testing"

	"dhbot/internal/command"
	"dhbot/internal/command/parser"
	"dhbot/internal/test/grammartest"
)

// TestExceptionOffersNoExcluded checks that no choice acts on an excluded host.
func TestExceptionOffersNoExcluded(t *testing.T) {
	g := grammartest.New(t)
	asked := 0
	for _, text := range []string{
		"restart tailer1 except infra-1", "restart tailer1 but not on infra-1", "restart tailer1 everywhere except infra-1 and db_ltds",
		"restart tailer1 everywhere except infra-1 and foo", "restart tailer1 not on infra-1", "restart tailer1 without infra-1",
		"restart tailer1 außer infra-1", "restart tailer1 everywhere but infra-1 or query-1", "restart tailer1 all but infra-1",
		"restart tailer1 on all but infra-1 and foo", "restart tailer1, not infra-1", "restart tailer1 except on infra-1 please",
	} {
		_, err := parser.Parse(g, parser.Input{Text: text, Channel: "C1"})
		var q *command.Question
		if !errors.As(err, &q) {
			continue // understood: TestTexts checks the result
		}
		asked++
		for _, c := range q.Choices {
			if !c.Changes {
				continue
			}
			for _, target := range c.Fields.Targets {
				if len(target.Hosts) == 0 || slices.Contains(target.Hosts, "infra-1") {
					t.Errorf("%q offers %q", text, c.Text)
				}
			}
		}
	}
	if asked < 6 {
		t.Errorf("only %d of them result in a question", asked)
	}
}
