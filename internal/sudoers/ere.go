package sudoers

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
)

// quoteERE escapes the special characters of a POSIX extended regular expression.
func quoteERE(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune(`.[]()*+?{}|^`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// toERE converts a parsed RE2 expression into an equivalent POSIX extended expression. It returns
// an error for an expression that POSIX or sudo does not support. It also returns an error if the
// expression repeats a text with a blank, or if a character that varies can be a blank, because
// sudo joins the arguments with blanks before it compares them. Other blanks are allowed.
func toERE(re *syntax.Regexp) (string, error) {
	switch re.Op {
	case syntax.OpEmptyMatch:
		return "", nil
	case syntax.OpLiteral:
		return literalERE(re)
	case syntax.OpCharClass:
		return classERE(re.Rune)
	case syntax.OpCapture:
		return toERE(re.Sub[0])
	case syntax.OpConcat:
		return joinERE(re.Sub, "")
	case syntax.OpAlternate:
		return alternateERE(re.Sub)
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		text, err := groupERE(re.Sub[0])
		if strings.Contains(text, " ") {
			return "", errors.New("it repeats a blank, and sudo would take what follows for another argument")
		}
		return timesERE(re, text), err
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return "", errors.New("it can match a blank, and sudo would take what follows for another argument")
	default:
		return "", fmt.Errorf("sudo's regular expressions cannot express %q", re)
	}
}

func literalERE(re *syntax.Regexp) (string, error) {
	if re.Flags&syntax.FoldCase != 0 {
		return "", errors.New("sudo's regular expressions cannot ignore case in places")
	}
	text := string(re.Rune)
	if err := sayable(text, `\$#`); err != nil {
		return "", err
	}
	return quoteERE(text), nil
}

func joinERE(subs []*syntax.Regexp, sep string) (string, error) {
	out := make([]string, len(subs))
	for i, s := range subs {
		var err error
		if out[i], err = toERE(s); err != nil {
			return "", err
		}
	}
	return strings.Join(out, sep), nil
}

// alternateERE returns an alternation. POSIX has no empty alternative. If subs has one, the other
// alternatives become optional instead.
func alternateERE(subs []*syntax.Regexp) (string, error) {
	full := slices.DeleteFunc(slices.Clone(subs), func(s *syntax.Regexp) bool { return s.Op == syntax.OpEmptyMatch })
	if len(full) == 0 {
		return "", nil
	}
	text, err := joinERE(full, "|")
	text = "(" + text + ")"
	if len(full) < len(subs) {
		text = "(" + text + "?)"
	}
	return text, err
}

// groupERE returns an expression after which a repetition such as * may follow. It adds parentheses
// if they are needed.
func groupERE(re *syntax.Regexp) (string, error) {
	for re.Op == syntax.OpCapture {
		re = re.Sub[0]
	}
	text, err := toERE(re)
	if err == nil && re.Op != syntax.OpCharClass && re.Op != syntax.OpAlternate && (re.Op != syntax.OpLiteral || len(re.Rune) != 1) {
		text = "(" + text + ")"
	}
	return text, err
}

// mostTimes is the largest number of repetitions that POSIX guarantees (RE_DUP_MAX) and sudo
// accepts.
const mostTimes = 255

// timesERE appends the repetition of re to text, which groupERE made. If a number is larger than
// mostTimes, it writes text and its repetition several times.
func timesERE(re *syntax.Regexp, text string) string {
	switch re.Op {
	case syntax.OpStar:
		return text + "*"
	case syntax.OpPlus:
		return text + "+"
	case syntax.OpQuest:
		return text + "?"
	}
	var b strings.Builder
	least, most := re.Min, re.Max
	for ; max(least, most) > mostTimes; least, most = max(0, least-mostTimes), most-mostTimes {
		if most < 0 {
			fmt.Fprintf(&b, "%s{%d}", text, mostTimes)
			most += mostTimes // stays without bound
			continue
		}
		fmt.Fprintf(&b, "%s{%d,%d}", text, min(least, mostTimes), mostTimes)
	}
	switch {
	case most < 0:
		fmt.Fprintf(&b, "%s{%d,}", text, least)
	case most == least:
		fmt.Fprintf(&b, "%s{%d}", text, least)
	default:
		fmt.Fprintf(&b, "%s{%d,%d}", text, least, most)
	}
	return b.String()
}

// classERE returns a character class of printable ASCII characters. The argument ranges has pairs
// of a first and a last character.
func classERE(ranges []rune) (string, error) {
	var b strings.Builder
	// In a class, "]" must be first, "-" must be last, and "^" must not be first, because otherwise
	// they have a special meaning.
	var bracket, caret, dash string
	for i := 0; i < len(ranges); i += 2 {
		lo, hi := ranges[i], ranges[i+1]
		if lo <= ' ' || hi > '~' {
			return "", errors.New("it can match a blank or what is not printable ASCII, and sudo would take what follows for another argument")
		}
		if k := strings.IndexFunc(`#$\`, func(r rune) bool { return lo <= r && r <= hi }); k >= 0 {
			return "", fmt.Errorf("it can match %q, which sudo's regular expressions cannot express everywhere", `#$\`[k])
		}
		if hi-lo > 1 && !strings.ContainsRune("]^-", lo) && !strings.ContainsRune("]^-", hi) {
			fmt.Fprintf(&b, "%c-%c", lo, hi)
			continue
		}
		for r := lo; r <= hi; r++ {
			switch r {
			case ']':
				bracket = "]"
			case '^':
				caret = "^"
			case '-':
				dash = "-"
			default:
				b.WriteRune(r)
			}
		}
	}
	text := bracket + b.String() + caret + dash
	if text == "^" {
		return `\^`, nil
	}
	if caret != "" && bracket == "" && b.Len() == 0 { // only ^ and -
		text = "-^"
	}
	return "[" + text + "]", nil
}

// sample returns a short text that the expression matches. It has letters and digits where
// possible.
func sample(re *syntax.Regexp) string {
	switch re.Op {
	case syntax.OpLiteral:
		return string(re.Rune)
	case syntax.OpCharClass:
		return string(plainest(re.Rune))
	case syntax.OpConcat, syntax.OpCapture, syntax.OpPlus:
		var b strings.Builder
		for _, s := range re.Sub {
			b.WriteString(sample(s))
		}
		return b.String()
	case syntax.OpAlternate:
		return sample(re.Sub[0])
	case syntax.OpRepeat:
		return strings.Repeat(sample(re.Sub[0]), re.Min)
	default: // optional parts are absent
		return ""
	}
}

func plainest(ranges []rune) rune {
	for i := 0; i < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1] && r <= '~'; r++ {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				return r
			}
		}
	}
	return ranges[0]
}
