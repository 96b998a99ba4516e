package runbooks

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

func TestQuoteLeavesPlainCommandsAsTheyAreTyped(t *testing.T) {
	for _, line := range []string{
		"sudo -u irisadmin monit restart db_dis",
		"sudo systemctl --no-pager status dh-etcd",
		"tail -n 400 /var/log/deephaven/dis/DataImportServer.log.current",
	} {
		if got, err := Quote(strings.Fields(line)); err != nil || got != line {
			t.Errorf("%q became %q, %v", line, got, err)
		}
	}
}

func TestQuoteRefuses(t *testing.T) {
	for name, argv := range map[string][]string{
		"nothing":           nil,
		"an empty command":  {""},
		"NUL":               {"x", "a\x00b"},
		"newline":           {"x", "a\nb"},
		"carriage return":   {"x", "a\rb"},
		"escape":            {"x", "\x1b[31m"},
		"C1 control":        {"x", "\u009b31m"},
		"bidi override":     {"x", "a\u202eb"},
		"zero width":        {"x", "a\u200bb"},
		"line separator":    {"x", "a\u2028b"},
		"not UTF-8":         {"x", "a\xffb"},
		"an assignment":     {"PATH=/tmp", "x"},
		"an endless string": {"x", strings.Repeat("a", maxLine)},
	} {
		if line, err := Quote(argv); err == nil {
			t.Errorf("%s: quoted as %q", name, line)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, tt := range []struct {
		argv []string
		want string
	}{
		{[]string{"sudo", "-u", "irisadmin", "monit", "restart", "db_dis"}, "env LC_ALL=C timeout -k 5 60 sudo -n -u irisadmin monit restart db_dis"},
		{[]string{"sudo", "-n", "monit", "status", "x"}, "env LC_ALL=C timeout -k 5 60 sudo -n monit status x"},
		{[]string{"tail", "-n", "400", "/a b"}, "env LC_ALL=C timeout -k 5 60 tail -n 400 '/a b'"},
	} {
		got, err := Wrap(nil, tt.argv, time.Minute)
		if err != nil || got != tt.want {
			t.Errorf("%q:\n got %s, %v\nwant %s", tt.argv, got, err, tt.want)
		}
	}
	for _, d := range []time.Duration{0, -time.Second, 500 * time.Millisecond, 1500 * time.Millisecond} {
		if line, err := Wrap(nil, []string{"x"}, d); err == nil {
			t.Errorf("timeout %v gave %q", d, line)
		}
	}
	if line, err := Wrap(nil, []string{"--help"}, time.Second); err == nil {
		t.Errorf("an option as command gave %q", line)
	}
	if line, err := Wrap(nil, nil, time.Second); err == nil {
		t.Errorf("no command gave %q", line)
	}
}

// FuzzQuote checks that a shell splits the line from Quote into exactly the given words.
func FuzzQuote(f *testing.F) {
	for _, s := range []string{
		"", "plain", "it's", `"$HOME"`, "$(reboot)", "`id`", "a;b", "a|b", "~root", "*", "{a,b}", "=x", "!x", "#x", `\`, "if", "}", "&&", "é 🦊", "-n", "%1",
	} {
		f.Add(s, "x'y")
		f.Add("'\"'", s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		argv := []string{"printf", `%s\0`, a, b}
		line, err := Quote(argv)
		if err != nil {
			return
		}
		file, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(line), "")
		if err != nil || len(file.Stmts) != 1 {
			t.Fatalf("%q is not one statement: %v", line, err)
		}
		call, ok := file.Stmts[0].Cmd.(*syntax.CallExpr)
		if !ok || len(call.Assigns) > 0 || len(file.Stmts[0].Redirs) > 0 || file.Stmts[0].Background || file.Stmts[0].Negated {
			t.Fatalf("%q is not a plain command", line)
		}
		fields, err := expand.Fields(&expand.Config{Env: expand.ListEnviron("HOME=/wrong", "x=wrong")}, call.Args...)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(argv, fields); diff != "" {
			t.Fatalf("%q: %s", line, diff)
		}
		out, err := exec.Command("sh", "-c", line).Output()
		if err != nil || string(out) != a+"\x00"+b+"\x00" {
			t.Fatalf("sh made %q of %q, %v", out, line, err)
		}
	})
}
