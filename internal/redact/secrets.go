package redact

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// Mark replaces a secret.
const Mark = "<redacted>"

// rule has formats of secrets that fit into one line.
type rule struct {
	// hints are lower-case texts; the formats can only match a line that contains one of them.
	hints  []string
	shapes []shape
}

// shape is one format of a secret.
type shape struct {
	pattern func() *regexp.Regexp
	// group is the number of the capture group that holds the secret. 0 means the first group that
	// matched or, if the pattern has no groups, the whole match.
	group   int
	entropy float64 // least bits per character
	prose   bool    // the value may be a sentence; a sentence is not hidden
	random  bool    // the value may be a word of a sentence: it must have letters and digits
}

// rules has all rules, in the order in which they are applied. The rules of this package come
// before those of gitleaks, because they locate a secret more precisely.
var (
	rules   = slices.Concat(fieldRules, toolRules, formRules, maintained())
	allHint = sync.OnceValue(func() *hints { return newHints(rules) })
)

// maxPasses limits how often a line is searched. The search repeats until nothing changes, because
// after one replacement another format may match.
const maxPasses = 8

// Secrets replaces secrets in known formats by Mark: private keys, values of keys whose names
// suggest a secret (in key=value, key: value, JSON, XML, SQL and their escaped forms), password
// options of programs, tokens, password hashes, and passwords in URLs. It is only a safety net,
// because the bot must not request sensitive output in the first place.
func Secrets(s string) string {
	if strings.Contains(s, "PRIVATE KEY") {
		s = privateKey.ReplaceAllString(s, Mark)
		s = privateKeyEnd.ReplaceAllString(s, Mark)
	}
	if !strings.Contains(s, "\n") {
		return inLine(s)
	}
	lines := strings.Split(s, "\n")
	hideBlocks(lines)
	for i, line := range lines {
		lines[i] = inLine(line)
	}
	return strings.Join(lines, "\n")
}

func inLine(line string) string {
	var room [16]uint16
	for range maxPasses {
		found := allHint().in(line, room[:0])
		if len(found) == 0 {
			return line
		}
		slices.Sort(found)
		before := line
		for _, r := range slices.Compact(found) {
			for i := range rules[r].shapes {
				line = rules[r].shapes[i].hide(line)
			}
		}
		if line == before {
			break
		}
	}
	return line
}

// hide replaces every secret of this format by Mark.
func (s *shape) hide(line string) string {
	found := s.pattern().FindAllStringSubmatchIndex(line, -1)
	if found == nil {
		return line
	}
	var b strings.Builder
	done := 0
	for _, at := range found {
		from, to := s.secret(at)
		if from < done || from == to || s.keeps(line, from, to) {
			continue
		}
		b.WriteString(line[done:from])
		b.WriteString(Mark)
		done = to
	}
	b.WriteString(line[done:])
	return b.String()
}

// secret returns where the secret is within a match of the pattern.
func (s *shape) secret(at []int) (from, to int) {
	if g := s.group; g > 0 {
		return max(at[2*g], 0), max(at[2*g+1], 0)
	}
	for i := 2; i < len(at); i += 2 {
		if at[i] >= 0 {
			return at[i], at[i+1]
		}
	}
	return at[0], at[1]
}

func (s *shape) keeps(line string, from, to int) bool {
	value := line[from:to]
	return harmless(value) || reference.MatchString(line[:from]) || s.random && !lettersAndDigits(value) || s.prose && sentence(line, from) ||
		s.entropy > 0 && entropy(value) < s.entropy
}

func lettersAndDigits(s string) bool {
	letter := func(r rune) bool { return r|0x20 >= 'a' && r|0x20 <= 'z' }
	digit := func(r rune) bool { return r >= '0' && r <= '9' }
	return strings.ContainsFunc(s, letter) && strings.ContainsFunc(s, digit)
}

// entropy is the Shannon entropy of s, in bits per character: 0 for "aaaa", nearly 6 for random
// base64.
func entropy(s string) float64 {
	var count [utf8.RuneSelf]int
	n := 0
	for i := range len(s) {
		if s[i] < utf8.RuneSelf {
			count[s[i]]++
			n++
		}
	}
	bits := 0.0
	for _, c := range count {
		if c > 0 {
			p := float64(c) / float64(n)
			bits -= p * math.Log2(p)
		}
	}
	return bits
}
