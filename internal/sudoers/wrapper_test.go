package sudoers

import (
	"strings"
	"testing"

	"dhbot/runbooks/planner"
)

func TestReadVersion(t *testing.T) {
	for answer, want := range map[string]struct {
		version string
		reads   bool
	}{
		"Sudo version 1.8.6p3\nSudoers policy plugin version 1.8.6p3\n": {"1.8.6p3", false},
		"Sudo version 1.8.23\n":                                           {"1.8.23", false},
		"Welcome\nSudo version 1.9.5p2\n":                                 {"1.9.5p2", false},
		"Sudo version 1.9.15p5\nSudoers policy plugin version 1.9.15p5\n": {"1.9.15p5", true},
	} {
		if version, reads, err := ReadVersion(answer); err != nil || version != want.version || reads != want.reads {
			t.Errorf("%q: %q, %v, %v", answer, version, reads, err)
		}
	}
	for _, answer := range []string{"", "sudo-rs 0.2.8\n", "doas: usage", "Sudo version new\n"} {
		if version, _, err := ReadVersion(answer); err == nil {
			t.Errorf("%q was accepted as version %q", answer, version)
		}
	}
}

// TestWrapperWords: the content of a word cannot end the quotes of its line, or become a word of
// another command.
func TestWrapperWords(t *testing.T) {
	word := func(text string) planner.HostWord {
		return planner.HostWord{Parts: []planner.HostPart{{Text: text}}, Most: 1}
	}
	inv := &invocation{runAs: "root", words: []planner.HostWord{word("mysql"), word("-e"), word("select 'x' from (a|b)*")}}
	rules, err := inv.rules(Options{User: "dhops"}, true)
	if err != nil {
		t.Fatal(err)
	}
	const want = `allow root /usr/bin/mysql 'mysql#-e#select '\''x'\'' from \(a\|b\)\*'`
	if line := allowLine(rules[0]); line != want {
		t.Errorf("got  %s\nwant %s", line, want)
	}
	for _, text := range []string{"a#b", "a$b", `a\b`, "a\nb", "ä"} {
		inv.words[2] = word(text)
		if rules, err := inv.rules(Options{User: "dhops"}, true); err == nil {
			t.Errorf("%q is allowed by %s", text, allowLine(rules[0]))
		}
	}
	if f := (&File{User: "dhops"}); f.Wrapper() != "" {
		t.Error("a wrapper for a sudo that reads regular expressions")
	}
	if f := (&File{User: "dhops", Rules: rules, oldSudo: true}); !strings.HasSuffix(f.Wrapper(), want+"\n\nrefuse\n") {
		t.Errorf("the wrapper:\n%s", f.Wrapper())
	}
}
