package redact

import (
	"os"
	"strings"
	"testing"
)

// The number of known gaps of each corpus, none today. Add a new form of a secret to a corpus
// first. Count a gap that cannot be closed here, and name it in docs/security.md.
const (
	knownMisses     = 0
	knownFalseTakes = 0
)

func corpus(t *testing.T, name string) (lines []string) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSuffix(line, "\n"); line != "" && line[0] != '#' {
			lines = append(lines, line)
		}
	}
	return lines
}

// TestCorpus counts the secrets that are still shown, and the harmless texts that are redacted. It
// tries each text alone and after the head of a log line.
func TestCorpus(t *testing.T) {
	const head = "[2026-11-21T02:38:46+0000] - INFO - "
	secrets, misses := corpus(t, "secrets.txt"), 0
	for _, line := range secrets {
		got := Text(line)
		if strings.Contains(got, "HUNTER2") {
			misses++
			t.Logf("shown: %s", got)
		}
		if again := Text(got); again != got {
			t.Errorf("not idempotent: %q becomes %q", got, again)
		}
	}
	harmlessLines, taken := corpus(t, "harmless.txt"), 0
	for _, line := range harmlessLines {
		for _, in := range []string{line, head + line} {
			if got := Text(in); got != in {
				taken++
				t.Logf("taken: %s\n   of: %s", got, in)
			}
		}
	}
	t.Logf("%d of %d secrets are shown, %d of %d harmless texts are redacted", misses, len(secrets), taken, 2*len(harmlessLines))
	if misses != knownMisses || taken != knownFalseTakes {
		t.Errorf("%d secrets shown and %d harmless texts redacted; want %d and %d", misses, taken, knownMisses, knownFalseTakes)
	}
	if len(secrets) < 150 || len(harmlessLines) < 100 {
		t.Errorf("the corpora have only %d and %d lines", len(secrets), len(harmlessLines))
	}
}

// TestBlocks checks secrets that can be recognized only by the lines around them, such as the
// middle lines of a key.
func TestBlocks(t *testing.T) {
	const (
		full  = "MIIEpAIBAAKCAQEA1c7+9z5Pad7OejecsQ0bu3aozN3tihPmljnnudb9G3HECdnH"
		other = "lWu2/a1gB9JW5TBQ+AVpum9Okx7KfqkfBKL9mcHgSAWWMdMjfdOddtNqL3vu2gKd"
		end   = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU="
	)
	for _, c := range []struct{ name, in, want string }{
		{"the middle of a key alone", full + "\n" + other + "\n" + end + "\nnext", Mark + "\n" + Mark + "\n" + Mark + "\nnext"},
		{"one line of a key", "a\n" + full + "\nb", "a\n" + Mark + "\nb"},
		{"a certificate", "-----BEGIN CERTIFICATE-----\n" + full + "\n" + end + "\n-----END CERTIFICATE-----", ""},
		{"the end of a certificate", full + "\n" + end + "\n-----END CERTIFICATE-----", ""},
		{"a certificate, then a key", "-----BEGIN CERTIFICATE-----\n" + full + "\n-----END CERTIFICATE-----\n" + other, "-----BEGIN CERTIFICATE-----\n" + full + "\n-----END CERTIFICATE-----\n" + Mark},
		{"a hash", strings.Repeat("0a1b2c3d", 8) + "\nx", ""},
		{"a PuTTY key", "Public-Lines: 1\nAAAA\nPrivate-Lines: 2\n" + end + "\nAAAB\nPrivate-MAC: 00ff", "Public-Lines: 1\nAAAA\nPrivate-Lines: 2\n" + Mark + "\n" + Mark + "\nPrivate-MAC: " + Mark},
	} {
		want := c.want
		if want == "" {
			want = c.in
		}
		got := Text(c.in)
		if got != want {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, want)
		}
		if again := Text(got); again != got {
			t.Errorf("%s: not idempotent: %q", c.name, again)
		}
	}
}

// TestOrdinaryLinesCostNothing checks that no rule is tried on an ordinary line, and
// that the line causes no allocation.
func TestOrdinaryLinesCostNothing(t *testing.T) {
	for _, line := range []string{
		"  status                       Connection failed - restart pending",
		"[2026-11-21T02:38:46+0000] - INFO - db_dis RUNNING",
		"| 8e9e05c52164694d | 3.4.23 |  20 kB |      true |      false |         3 |          9 |",
	} {
		if got := allHint().in(line, nil); len(got) > 0 {
			t.Errorf("%q is checked with the rules %v", line, got)
		}
		if n := testing.AllocsPerRun(10, func() { inLine(line) }); n > 0 {
			t.Errorf("%q: %v allocations", line, n)
		}
	}
}

// TestExpressions compiles all regular expressions, because otherwise an error shows only on first
// use.
func TestExpressions(t *testing.T) {
	for _, r := range rules {
		for _, s := range r.shapes {
			s.pattern()
		}
		if len(r.hints) == 0 {
			t.Error("a rule without a hint would never be used")
		}
		for _, h := range r.hints {
			if h != strings.ToLower(h) || h == "" {
				t.Errorf("the hint %q is never found", h)
			}
		}
	}
}

// TestMaintainedSet checks that the rules from gitleaks are present and used.
func TestMaintainedSet(t *testing.T) {
	if n := len(maintained()); n < 200 {
		t.Errorf("only %d rules of the maintained set", n)
	}
	for _, token := range []string{
		"ico-Zq8sT3vLm2Nw9xKb4Rj7Pd1Yc6Hf0GaE", "dapi4b1d5e7f90a2c3d6e8f1029384756abc", "lin_api_Zq8sT3vLm2Nw9xKb4Rj7Pd1Yc6Hf0GaE5UiO2",
		"rdme_x1y2z3a4b5c6d7e8f9g0h1i2j3k4l5m6n7o8p9q0r1s2t3u4v5w6x7y8z9a0b1c2d3e4f5", "NRAK-Q7ZK2M9X4T1B8V5C3N6LP0RSDWE", "sm_pat_Zq8sT3vLm2Nw9xKb",
	} {
		if got := Text("got " + token + " now"); strings.Contains(got, token) {
			t.Errorf("shown: %s", got)
		}
	}
}
