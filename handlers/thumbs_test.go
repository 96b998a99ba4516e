package handlers

import (
	"bufio"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestTypos holds every line of testdata/typos.txt: what is mistyped is
// understood, or answered with what was meant.
func TestTypos(t *testing.T) {
	f, err := os.Open("testdata/typos.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	g := testGrammar(t)
	n := 0
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		n++
		if typed, want, ok := strings.Cut(line, "=>"); ok {
			understood(t, g, strings.TrimSpace(typed), strings.TrimSpace(want))
		} else if typed, want, ok := strings.Cut(line, "?>"); ok {
			askedBack(t, g, strings.TrimSpace(typed), strings.TrimSpace(want))
		} else {
			t.Errorf("%q is neither => nor ?>", line)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if n < 40 {
		t.Errorf("only %d mistyped commands", n)
	}
}

func understood(t *testing.T, g *Grammar, typed, want string) {
	t.Helper()
	c, err := g.parse(Message{Text: typed, Channel: "C1"})
	if err != nil {
		t.Errorf("%q: %v, want %s", typed, err, want)
		return
	}
	got := c.canonical()
	for _, k := range slices.Sorted(maps.Keys(c.params)) {
		got += " " + k + "=" + c.params[k]
	}
	if c.rest != "" && c.cmd.Object != AnyTarget {
		got += " reason " + c.rest
	}
	if got != want {
		t.Errorf("%q is read as %q, want %q", typed, got, want)
	}
}

func askedBack(t *testing.T, g *Grammar, typed, want string) {
	t.Helper()
	c, err := g.parse(Message{Text: typed, Channel: "C1"})
	var m *Misunderstood
	if !errors.As(err, &m) {
		t.Errorf("%q is read as %+v, %v; want it asked back", typed, c, err)
		return
	}
	if len(m.Suggest) == 0 || m.Suggest[0] != want {
		t.Errorf("%q: %s suggestions %q, want %q first", typed, m.Text, m.Suggest, want)
		return
	}
	if _, err := g.parse(Message{Text: want, Channel: "C1"}); err != nil {
		t.Errorf("%q: the suggestion %q is not understood: %v", typed, want, err)
	}
}
