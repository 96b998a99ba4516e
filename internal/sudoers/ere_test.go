package sudoers

import (
	"bytes"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// patterns has expressions to convert. texts has texts that some of them match and others do not.
var (
	patterns = []string{
		`^[A-Za-z_][A-Za-z0-9_]{0,127}$`,
		`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`,
		`^(?:/db/Intraday(/[A-Za-z0-9_][A-Za-z0-9_.-]*){2})$`,
		`^/main/(config|pq)/[A-Za-z0-9_./-]{0,512}$`,
		`^(?:a|bc|[]d^-])+?x?$`,
		`^a\.b\*\(c\){2,}\|\^$`,
		`^[+--]z$`,
		`^(?:ab)*c$`,
		`^\d\w$`, `^(?:|a|ab)x$`, `^([1-9]|[1-9][0-9]|500)$`,
		`^[\^]-[-^]$`,
		`^[[.]x$`, `^a{0,600}z$`, `^a{300,600}z$`, `^a{300,}z$`, `^a{2,}z$`, `^[0-9]{2} UTC$`,
	}
	texts = []string{
		"Order", "_x", "9x", "2018-02-09", "2018-2-9", "/db/Intraday/a/b", "/db/Intraday/a", "/db/Intraday/a/../b", "/main/config/x", "/main/pq/", "/main/x/",
		"a", "bc", "bca", "]", "^", "-", "dx", "ax", "x", "a.b*(c))|^", "aXb*(c))|^", "+z", ",z", "-z", ".z", "*z", "c", "ababc", "abac", "1_", "11", "500", "50", "ax", "abx", "1-", "^--", "^-^", "a--", "[x", ".x", "",
		strings.Repeat("a", 299) + "z", strings.Repeat("a", 300) + "z", strings.Repeat("a", 600) + "z", strings.Repeat("a", 601) + "z", "z", "aaz", "12 UTC", "12UTC", "12  UTC",
	}
)

// TestToERE checks that each RE2 expression and the converted expression in the C library match the
// same texts.
func TestToERE(t *testing.T) {
	grep, err := exec.LookPath("grep")
	if err != nil {
		t.Skip("no grep here")
	}
	for _, p := range patterns {
		re, err := parse(p)
		if err != nil {
			t.Fatal(err)
		}
		ere, err := toERE(re)
		if err != nil {
			t.Errorf("%s: %v", p, err)
			continue
		}
		if !regexp.MustCompile(p).MatchString(sample(re)) {
			t.Errorf("%s: the sample %q does not match", p, sample(re))
		}
		var want bytes.Buffer
		for _, s := range texts {
			if regexp.MustCompile(p).MatchString(s) {
				want.WriteString(s + "\n")
			}
		}
		cmd := exec.Command(grep, "-E", "-e", "^"+ere+"$")
		cmd.Env = []string{"LC_ALL=C"}
		cmd.Stdin = strings.NewReader(strings.Join(texts, "\n") + "\n")
		out, err := cmd.Output()
		if err != nil && len(out) > 0 {
			t.Fatal(err)
		}
		if string(out) != want.String() {
			t.Errorf("%s as %s matches %q, want %q", p, ere, out, want.String())
		}
	}
}

func TestToERERefuses(t *testing.T) {
	for _, p := range []string{`^.*$`, `^[^/]+$`, `^(a b)*$`, `^a( b)?$`, `^[ a]$`, `^\s$`, `^(?i)ab$`, `^\bx$`, `^a$b$`, `^[!-/]$`, `^#$`, `^é$`, `^x\\$`} {
		re, err := parse(p)
		if err != nil {
			t.Fatal(err)
		}
		if ere, err := toERE(re); err == nil {
			t.Errorf("%s became %s", p, ere)
		}
	}
}

func TestNoOption(t *testing.T) {
	for p, want := range map[string]bool{
		`^[a-z]+$`: true, `^/db(/x)+$`: true, `^(?:a|b-)$`: true,
		`^[a-z-]+$`: false, `^-?x$`: false, `^(?:a|-b)$`: false, `^x*$`: false, `^(?:)$`: false,
	} {
		re, err := parse(p)
		if err != nil {
			t.Fatal(err)
		}
		if err := noOption(re, p); (err == nil) != want {
			t.Errorf("%s: %v", p, err)
		}
	}
}

func TestClimbs(t *testing.T) {
	for ere, want := range map[string]bool{
		`/db/[A-Za-z0-9_][A-Za-z0-9_.-]*/x`: false, `/db(/[a-z][a-z.]*){3}`: false, `https?://[a-z.-]+:[0-9]+`: false, `a\.\.b`: false, `[a-z]+\.+`: false,
		`/db/(\.?[a-z/]){0,9}\.?`: false, `--to=/x/[a-z]+`: false, `/x/\.\.\.`: false,
		`/db/[a-z./]*`: true, `/db/[.]{2}/x`: true, `\.\.`: true, `(a|\.\.)/b`: true, `/x/(\.|a)(\.|b)`: true, `[^a]+/x`: true, `(`: true,
	} {
		if got := climbs(ere); got != want {
			t.Errorf("%s: %v", ere, got)
		}
	}
}

// FuzzExact: an exact line contains no unescaped wildcard, and no unescaped separator of the file's
// syntax. So it allows only its own words.
func FuzzExact(f *testing.F) {
	for _, s := range []string{"x", "select * from t", "a,b:c=d", "#x", "^x$", "[a]", "!x", `\`, "a  b", "", "é", "a\nb"} {
		f.Add(s, "y")
	}
	bare := regexp.MustCompile(`(^|[^\\])[,:=#*?\[\]!]`)
	f.Fuzz(func(t *testing.T, a, b string) {
		text, err := exact([]string{a, b})
		if err != nil {
			return
		}
		if bare.MatchString(text) || strings.HasPrefix(text, "^") || strings.ContainsAny(text, "\n\r\t") {
			t.Errorf("%q %q became %s", a, b, text)
		}
		if back := regexp.MustCompile(`\\(.)`).ReplaceAllString(text, "$1"); strings.Contains(text, "  ") || back != a+" "+b {
			t.Errorf("%q %q became %s", a, b, text)
		}
	})
}
