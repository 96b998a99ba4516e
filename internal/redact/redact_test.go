package redact

import (
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"
)

func TestClean(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"colours", "\x1b[1;36mProcess 'db_dis'\x1b[0m", "Process 'db_dis'"},
		{"hyperlink", "\x1b]8;;https://etcd.io\x1b\\docs\x1b]8;;\x1b\\", "docs"},
		{"newline and tab stay", "a\tb\nc", "a\tb\nc"},
		{"carriage returns", "a\r\nb\rc", "a\nb\nc"},
		{"bell and backspace", "a\a\bb\x00", "ab"},
		{"invalid bytes are shown", "a\xff\xfeb", `a\xff\xfeb`},
		{"a broken character carries no escape", "\xe2\x1b[31mred\x1b[0m", `\xe2red`},
		{"raw C1 introducer", "\x9b31mx", `\x9b31mx`},
		{"direction override", "abc\u202egnp.exe", "abcgnp.exe"},
		{"zero width", "pass\u200bword", "password"},
		{"line separator", "a\u2028b", "a\nb"},
		{"an endless sequence ends with its line", "\x1b]0;title\nstatus Down", "\nstatus Down"},
		{"emoji", "🔴 Sev 1", "🔴 Sev 1"},
	} {
		if got := Clean(tt.in); got != tt.want {
			t.Errorf("%s: Clean(%q) = %q, want %q", tt.name, tt.in, got, tt.want)
		}
	}
}

// TestPlainTextIsClean checks that the quick check agrees with the full check, and that ordinary
// texts pass the quick check.
func TestPlainTextIsClean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ -~\t\n\x80-\xff…·🟢]*`)).Draw(t, "s")
		if plain(s) && scrub(s) != s {
			t.Errorf("plain, but scrub(%q) = %q", s, scrub(s))
		}
	})
	for _, s := range []string{"", "  status   OK\n\tx", "🟢 Sev 0 · None · db_dis", "…é"} {
		if !plain(s) {
			t.Errorf("%q is not plain", s)
		}
	}
	for _, s := range []string{"\x00", "\x7f", "\u0085", "\u2028", "\u2029", "\u200b", "\ufeff", "\xff", "a\rb"} {
		if plain(s) {
			t.Errorf("%q is plain", s)
		}
	}
}

// In each case the secret must disappear, and the rest of the line must stay.
func TestSecrets(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"key=value", "user=anna password=hunter2 host=x", "user=anna password=<redacted> host=x"},
		{"property", "db.jdbc.password = hunter2", "db.jdbc.password = <redacted>"},
		{"upper case", "STOREPASS=hunter2", "STOREPASS=<redacted>"},
		{"yaml", "password: hunter2", "password: <redacted>"},
		{"base64 passphrase", "passphrase=aHVudGVyMg==", "passphrase=<redacted>"},
		{"named passphrase", "webServices.passphrase=aHVudGVyMg==", "webServices.passphrase=<redacted>"},
		{"json", `{"user":"a","password":"hun\"ter2","n":1}`, `{"user":"a","password":"<redacted>","n":1}`},
		{"etcd", `{"name":"root","password":"hunter2"}`, `{"name":"root","password":"<redacted>"}`},
		{"json in json", `{"MESSAGE":"{\"password\":\"hunter2\",\"x\":1}"}`, `{"MESSAGE":"{\"password\":\"<redacted>\",\"x\":1}"}`},
		{"single quotes", "password='hun ter2' next", "password='<redacted>' next"},
		{"cut quote", `password="hunter2 and mo`, `password="<redacted>`},
		{"aws secret", "aws_secret_access_key = abcd/efgh+ijkl", "aws_secret_access_key = <redacted>"},
		{"aws key id", "key AKIAIOSFODNN7EXAMPLE used", "key <redacted> used"},
		{"slack bot token", "using xoxb-123456-abcdefGHI now", "using <redacted> now"},
		{"slack app token", "xapp-1-A0-12345-abcdef", "<redacted>"},
		{"slack refresh token", "xoxe.xoxp-1-abcdefgh", "<redacted>"},
		{"bearer", "Authorization: Bearer abc.def-ghi", "Authorization: Bearer <redacted>"},
		{"basic", "authorization: Basic YWRtaW46bW9uaXQ=", "authorization: Basic <redacted>"},
		{"bare bearer", "curl -H 'X: bearer abcdefghij'", "curl -H 'X: bearer <redacted>'"},
		{"jwt", "got eyJhbGciOiJI.eyJzdWIiOiIx.abc-def", "got <redacted>"},
		{"htpasswd line", "iris:$apr1$1xsLWNhw$.qiKafnbTpoNda/d6X77l.", "iris:<redacted>"},
		{"bcrypt", "iris:$2y$05$abcdefghijklmnopqrstuv", "iris:<redacted>"},
		{"sha", "iris:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "iris:<redacted>"},
		{"shadow", "root:$6$salt$abcdefgh/ijkl:19000:0", "root:<redacted>:19000:0"},
		{"mysql hash", "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19", "<redacted>"},
		{"mysql -p", "mysql -u irisadmin -phunter2 -e 'show tables'", "mysql -u irisadmin -p<redacted> -e 'show tables'"},
		{"mysql identified", "CREATE USER x IDENTIFIED BY 'hunter2';", "CREATE USER x IDENTIFIED BY '<redacted>';"},
		{"etcdctl user", "etcdctl --user root:hunter2 get a", "etcdctl --user root:<redacted> get a"},
		{"curl user", "curl -u iris:hunter2 http://x", "curl -u iris:<redacted> http://x"},
		{"openssl", "openssl pkcs12 -passin pass:hunter2 -in k", "openssl pkcs12 -passin pass:<redacted> -in k"},
		{"keytool", "keytool -storepass hunter2 -list", "keytool -storepass <redacted> -list"},
		{"long flag", "tool --password hunter2 go", "tool --password <redacted> go"},
		{"long flag =", "tool --password=hunter2 go", "tool --password=<redacted> go"},
		{"sshpass", "sshpass -p hunter2 ssh x", "sshpass -p <redacted> ssh x"},
		{"htpasswd -b", "htpasswd -nbm iris hunter2", "htpasswd -nbm iris <redacted>"},
		{"url", "mysql://iris:hunter2@db:3306/acl", "mysql://iris:<redacted>@db:3306/acl"},
		{"private key", "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE KEY-----\nb", "a\n<redacted>\nb"},
		{"private key cut short", "-----BEGIN PRIVATE KEY-----\nMIIEabc\n", "<redacted>"},
		{"private key's end", "AAAAAAAAAAAAAAAAAAAAAAAA\nBBBB==\n-----END PRIVATE KEY-----\nb", "<redacted>\nb"},
	} {
		if got := Secrets(tt.in); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
	}
}

func TestOrdinaryTextIsLeftAlone(t *testing.T) {
	for _, in := range []string{
		"sudo: a password is required",
		"sudo: a terminal is required to read the password; either use the -S option",
		"httpd auth. style  = Basic Authentication",
		"systemctl show dh-etcd -p LoadState -p ActiveState",
		"mkdir -p /db/TempFiles/irisadmin/backup",
		"sudo -u irisadmin monit restart db_dis",
		"[2026-11-21T02:38:46+0000] - INFO - db_dis RUNNING",
		"wrong credentials (e.g. bad password), or your browser",
		"https://10.77.0.11:2379/health",
		"authentication_server needs configuration_server",
		"You don't exist, go away!",
		"Password: ",
	} {
		if got := Text(in); got != in {
			t.Errorf("Text(%q) = %q, want it unchanged", in, got)
		}
	}
}

// The recorded output of monit and systemd contains no secret, so it must stay as it is. Two cases
// from the field are exceptions, because their text looks like a secret.
func TestSamplesAreLeftAlone(t *testing.T) {
	archives, err := filepath.Glob("../test/answertest/testdata/*.txtar")
	if err != nil || len(archives) < 5 {
		t.Fatalf("found %d archives (%v), want the test data of observe", len(archives), err)
	}
	for _, name := range archives {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if shown := f.Name; shown == "etcd-oldlog-warning/stderr" || shown == "etcd-snapshot-36/stdout" {
				continue
			}
			clean := Clean(string(f.Data))
			if got := Secrets(clean); got != clean {
				t.Errorf("%s: %s: changed to\n%s", name, f.Name, got)
			}
		}
	}
}

func TestLine(t *testing.T) {
	for _, tt := range []struct {
		in    string
		limit int
		want  string
	}{
		{"one\n two\tthree", 50, "one two three"},
		{"héllo wörld", 6, "héllo…"},
		{"short", 5, "short"},
		{"password=hunter2", 50, "password=<redacted>"},
		{"x", 0, ""},
	} {
		if got := Line(tt.in, tt.limit); got != tt.want {
			t.Errorf("Line(%q, %d) = %q, want %q", tt.in, tt.limit, got, tt.want)
		}
	}
}

// fragments are parts of secrets and of the text around them. In combination, what one rule leaves
// could match another rule.
var fragments = []string{
	"password", "passphrase=", "token:", "\"secret\":", `\"api_key\":\"`, "=", ":", " ", "\n", "'", `"`, `\`, "&", "@", ",", "{", "}",
	"hunter2", "-p", "--password ", "mysql ", "mysql -u x -p", "xoxb-1234567890", "AKIAIOSFODNN7EXAMPLE", "Bearer abcdefghijk",
	"Authorization: Basic abc", "://", "https://a:b@c", "$apr1$abcd$efghijkl", "{SHA}abcdefghijkl", "-----BEGIN PRIVATE KEY-----",
	"-----END PRIVATE KEY-----", "AAAAAAAAAAAAAAAAAAAAAAAA", "pass:", "--user root:x", "-u a:b", "sshpass -p ", "htpasswd -nb u p",
	"identified by 'x'", "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19", "\x1b[31m", "\x1b]0;", "\xff", "\u202e", "<redacted>", "-", "é",
}

func TestTextIsIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(fragments), rapid.String()), 0, 12).Draw(t, "parts")
		once := Text(strings.Join(parts, ""))
		if twice := Text(once); twice != once {
			t.Fatalf("Text is not idempotent:\n once %q\ntwice %q", once, twice)
		}
	})
}

func FuzzText(f *testing.F) {
	for _, s := range fragments {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Text(s)
		if !utf8.ValidString(got) {
			t.Fatalf("Text(%q) is not UTF-8", s)
		}
		if i := strings.IndexFunc(got, func(r rune) bool { return r != '\n' && printable(r) < 0 }); i >= 0 {
			t.Fatalf("Text(%q) keeps the control character %q", s, got[i:])
		}
		if line := Line(s, 80); utf8.RuneCountInString(line) > 80 || strings.ContainsAny(line, "\n\t") {
			t.Fatalf("Line(%q, 80) = %q is not one line of at most 80 runes", s, line)
		}
	})
}
