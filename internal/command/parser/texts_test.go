package parser_test

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"dhbot/internal/command"
	"dhbot/internal/command/parser"
	"dhbot/internal/command/words"
	"dhbot/internal/test/grammartest"
)

var (
	update  = flag.Bool("update", false, "write testdata/texts.txt; look at the difference")
	splices = flag.Int("splices", 2000, "how many random splices of the texts are read; .ci/long reads 100,000")
)

const textsHead = "# The result of a text typed in #incident, which is bound to prod; \\n is a line break.\n" +
	"#   TEXT  =>  REQUEST             understood; a change runs, or is requested\n" +
	"#   TEXT  =>  … unmarked REASON   a change that waits for an approval or for Run, its reason in quotes\n" +
	"#   TEXT  =>  … confirm           a change that waits for Run where it needs no approval\n" +
	"#   TEXT  ??  CODE                answered with a question; nothing runs\n"

// texts returns the lines of testdata/texts.txt.
func texts(t *testing.T) (lines [][2]string) {
	t.Helper()
	f, err := os.Open("testdata/texts.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		line := sc.Text()
		if strings.HasPrefix(line, "# ") || strings.TrimSpace(line) == "" {
			continue
		}
		text, want := line, ""
		for _, sign := range []string{"  =>  ", "  ??  "} {
			if l, r, ok := strings.Cut(line, sign); ok {
				text, want = strings.TrimRight(l, " "), strings.TrimSpace(sign)+" "+r
			}
		}
		lines = append(lines, [2]string{text, want})
	}
	return lines
}

// comesTo parses a text and returns the result as the test table writes it.
func comesTo(g *command.Grammar, text string) (string, *command.Request) {
	r, err := parser.Parse(g, parser.Input{Text: text, Channel: "C1"})
	var q *command.Question
	switch {
	case errors.As(err, &q):
		return "?? " + string(q.Code), nil
	case err != nil:
		return "?? error " + err.Error(), nil
	case r.Command.Alone:
		return "=> " + render(r) + " (list)", r
	default:
		return "=> " + render(r), r
	}
}

// TestTexts checks every text of the table as a slash command, as a mention and as a direct
// message.
func TestTexts(t *testing.T) {
	g := grammartest.New(t)
	lines := texts(t)
	if *update {
		writeTexts(t, g, lines)
		return
	}
	if len(lines) < 250 {
		t.Errorf("only %d texts", len(lines))
	}
	for _, l := range lines {
		text := strings.ReplaceAll(l[0], `\n`, "\n")
		if got, _ := comesTo(g, text); got != l[1] {
			t.Errorf("%q %s, want %s", l[0], got, l[1])
		}
		for _, mention := range []string{"<@UBOT> " + text, "<@UBOT|dh> " + text, "hey <@UBOT>, " + text, "<@UBOT>: " + text} {
			said, begins := words.Addressed(mention, "UBOT")
			if !begins {
				t.Errorf("%q does not begin with the name", mention)
			}
			if got, _ := comesTo(g, said); got != l[1] {
				t.Errorf("mention %q %s, want %s", mention, got, l[1])
			}
		}
		if said, begins := words.Addressed(text, "UBOT"); !begins || said != strings.TrimSpace(text) {
			t.Errorf("direct message %q is read as %q, %v", text, said, begins)
		}
	}
}

func writeTexts(t *testing.T, g *command.Grammar, lines [][2]string) {
	t.Helper()
	var b strings.Builder
	b.WriteString(textsHead)
	for _, l := range lines {
		got, _ := comesTo(g, strings.ReplaceAll(l[0], `\n`, "\n"))
		fmt.Fprintf(&b, "%-60s  %s  %s\n", l[0], got[:2], got[3:])
	}
	if err := os.WriteFile("testdata/texts.txt", []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// readerKnows reports whether the independent reader supports the verb.
func readerKnows(verb string) bool { return readerVerbs[verb] != "" }

// agree checks a text that would run a change: the independent reader must derive the same change.
func agree(t testing.TB, g *command.Grammar, text string) (runs bool) {
	t.Helper()
	r, err := parser.Parse(g, parser.Input{Text: text, Channel: "C1", NoChoices: true})
	if err != nil || !r.Changing() || r.Unmarked || r.Confirm || !readerKnows(r.Command.Verb) || len(r.Params) > 0 {
		return false
	}
	want, ok := reads(text)
	r.Again, r.Anyway = false, false
	if got := render(r); !ok || got != want {
		t.Errorf("%q would run as %q; the independent reader derives %q, %v", text, got, want, ok)
	}
	return true
}

// TestIndependentReader checks that a change runs only if the second parser derives it too.
func TestIndependentReader(t *testing.T) {
	g := grammartest.New(t)
	run := 0
	for _, l := range texts(t) {
		if agree(t, g, strings.ReplaceAll(l[0], `\n`, "\n")) {
			run++
		}
	}
	if run < 60 {
		t.Errorf("only %d texts run: the table shows too little", run)
	}
}

// TestSplices repeats TestIndependentReader with texts that are combined from random pieces of the
// table.
func TestSplices(t *testing.T) {
	g := grammartest.New(t)
	lines := texts(t)
	rnd := rand.New(rand.NewPCG(10, 1))
	words := func() []string {
		return strings.Fields(strings.ReplaceAll(lines[rnd.IntN(len(lines))][0], `\n`, " \n "))
	}
	run := 0
	for range *splices {
		a, b := words(), words()
		w := append(append([]string{}, a[:rnd.IntN(len(a)+1)]...), b[rnd.IntN(len(b)+1):]...)
		if rnd.IntN(4) == 0 && len(w) > 1 {
			i := rnd.IntN(len(w))
			w = append(w[:i:i], append([]string{words()[0]}, w[i:]...)...)
		}
		if agree(t, g, strings.Join(w, " ")) {
			run++
		}
	}
	t.Logf("%d of %d splices run", run, *splices)
}

// FuzzParse checks that no text makes the parser panic, and that a change runs only if the
// independent reader derives it too.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"plan please", "restart db_dis", "restart tailer1 everywhere except", "restart on", "approve R", "logs last", "watch for"} {
		f.Add(s)
	}
	g := grammartest.New(f)
	f.Fuzz(func(t *testing.T, text string) { agree(t, g, text) })
}
