package redact

import (
	"regexp"
	"slices"
	"strings"
)

// Mark stands where a secret stood.
const Mark = "<redacted>"

// net holds shapes of secrets within a line.
type net struct {
	// hints are lower-case texts of which a line must hold one for any of the
	// shapes to match: looking for them costs a thousandth of a pattern, and
	// nearly every line has none.
	hints  []string
	shapes []shape
}

// shape is one shape of a secret, and what is put in place of it.
type shape struct {
	pattern *regexp.Regexp
	with    string
}

// secretKey matches the names under which secrets are written: "password",
// "STOREPASS", "aws_secret_access_key", "client-secret", "auth_token".
const secretKey = `[\w.\-]*(?:password|passwd|passphrase|storepass|keypass|secret|token|api[_\-]?key|access[_\-]?key|private[_\-]?key|credentials?)(?:[_\-](?:key|hash|b64|base64|value|access[_\-]key))?`

// Values after a key: quoted as in JSON, quoted inside quoted JSON (as the
// journal prints it), in single quotes, or up to the next blank. The quotes
// stay, so that a second pass finds the same shape again. An unterminated
// quote, as in output cut in the middle, reaches to the end of its line.
const (
	inDouble  = `(?:[^"\\\n]|\\[^\n])*`
	inEscaped = `(?:[^"\\\n]|\\[^"\n])*`
	inSingle  = `[^'\n]*`
	assign    = `(\\?["']?[ \t]*(?:=>|:=|[=:])[ \t]*)`
)

// keyHints stand in every name that secretKey matches.
var keyHints = []string{"passw", "passphrase", "storepass", "keypass", "secret", "token", "key", "credential"}

// privateKey matches a PEM private key, also one that was cut off at its end;
// privateKeyEnd what is left of one that was cut off at its beginning.
var (
	privateKey    = regexp.MustCompile(`-----BEGIN ([A-Z0-9 ]*)PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-[^-])*(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----)?`)
	privateKeyEnd = regexp.MustCompile(`(?:[A-Za-z0-9+/=]{16,}\s+)*[A-Za-z0-9+/=]*\s*-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----`)
)

// nets are applied in order. Each leaves text that none changes again.
// The shapes are those of the runbooks (key stores and htpasswd files:
// process-runbooks.md "Web API Service", process-runbooks-20200121.md "Client
// Update Service"; etcd users: etcd-runbook.md) and of the services around.
var nets = []net{
	// URL with a password
	{[]string{"://"}, []shape{{regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.\-]*://[^\s/:@"']*:)[^\s/@"']+@`), `${1}` + Mark + `@`}}},
	// authorization header
	{[]string{"authorization"}, []shape{{regexp.MustCompile(`(?i)(authorization\\?["']?[ \t]*[:=][ \t]*\\?["']?(?:basic|bearer|digest|token|negotiate)[ \t]+)[^\s"'\\]+`), `${1}` + Mark}}},
	// bearer token
	{[]string{"bearer"}, []shape{{regexp.MustCompile(`(?i)(\bbearer[ \t]+)[A-Za-z0-9._~+/\-]{8,}=*`), `${1}` + Mark}}},
	// Slack token
	{[]string{"xox", "xapp", "xwfp"}, []shape{{regexp.MustCompile(`\bx(?:ox[a-z]|app|wfp)(?:\.[a-z]+)?-[A-Za-z0-9\-]{6,}`), Mark}}},
	// AWS key id
	{[]string{"akia", "asia", "abia", "acca"}, []shape{{regexp.MustCompile(`\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b`), Mark}}},
	// GitHub or GitLab token
	{[]string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-"}, []shape{{regexp.MustCompile(`\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_\-]{20,})`), Mark}}},
	// JSON web token
	{[]string{"eyj"}, []shape{{regexp.MustCompile(`\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*`), Mark}}},
	// password hash
	{[]string{"$"}, []shape{{regexp.MustCompile(`\$(?:apr1|1|5|6|7|y|gy|2[abxy]?|argon2(?:id?|d)|scrypt|pbkdf2[\w\-]*)\$[./A-Za-z0-9$=,+\-]{8,}`), Mark}}},
	// LDAP or htpasswd hash
	{[]string{"{"}, []shape{{regexp.MustCompile(`\{(?:S?SHA(?:256|512)?|S?MD5|CRYPT)\}[A-Za-z0-9+/=.$]{8,}`), Mark}}},
	// MySQL hash
	{[]string{"*"}, []shape{{regexp.MustCompile(`\*[0-9A-F]{40}\b`), Mark}}},

	{keyHints, []shape{
		// secret in JSON
		{regexp.MustCompile(`(?i)(` + secretKey + assign + `)"` + inDouble + `("?)`), `${1}"` + Mark + `${3}`},
		// secret in quoted JSON
		{regexp.MustCompile(`(?i)(` + secretKey + assign + `)\\"` + inEscaped + `((?:\\")?)`), `${1}\"` + Mark + `${3}`},
		// secret in single quotes
		{regexp.MustCompile(`(?i)(` + secretKey + assign + `)'` + inSingle + `('?)`), `${1}'` + Mark + `${3}`},
		// secret after = or :
		{regexp.MustCompile(`(?i)(` + secretKey + assign + `)[^\s"'\\][^\s]*`), `${1}` + Mark},
		// password flag
		{regexp.MustCompile(`(?i)((?:^|\s)--?(?:password|passwd|passphrase|storepass|keypass|srcstorepass|deststorepass|token|secret)[ \t]+)[^\s\-]\S*`), `${1}` + Mark},
	}},
	// openssl password
	{[]string{"pass:"}, []shape{{regexp.MustCompile(`(\bpass:)\S+`), `${1}` + Mark}}},
	// user:password flag
	{[]string{"-u"}, []shape{{regexp.MustCompile(`((?:^|\s)(?:--user[ =]|-u[ \t]+)[\w.\-]+:)\S+`), `${1}` + Mark}}},
	// MySQL -p
	{[]string{"mysql", "mariadb"}, []shape{{regexp.MustCompile(`(\b(?:mysql|mariadb|mysqladmin|mysqldump|mysqlcheck|mysqlshow|mariadb-admin|mariadb-dump|mariadb-check)\b[^\n|;&]*?\s-p)[^\s\-]\S*`), `${1}` + Mark}}},
	// sshpass -p
	{[]string{"sshpass"}, []shape{{regexp.MustCompile(`(\bsshpass[ \t]+-p[ \t]*)\S+`), `${1}` + Mark}}},
	// htpasswd -b
	{[]string{"htpasswd"}, []shape{{regexp.MustCompile(`(\bhtpasswd[ \t]+(?:-\S+[ \t]+)*-[A-Za-z]*b[A-Za-z]*(?:[ \t]+[^\s\-]\S*){1,2}?[ \t]+)\S+(\s*$|[\n|;&])`), `${1}` + Mark + `${2}`}}},
	// IDENTIFIED BY
	{[]string{"identified"}, []shape{{regexp.MustCompile(`(?i)(\bidentified[ \t]+(?:with[ \t]+\S+[ \t]+)?(?:by|as)[ \t]+(?:password[ \t]*\(?[ \t]*)?)'[^'\n]*'?`), `${1}'` + Mark + `'`}}},
}

// Secrets replaces the known shapes of secrets by Mark: private keys, values
// of keys named like secrets (in key=value, key: value and JSON), password
// flags, tokens of Slack, AWS and others, password hashes, and passwords in
// URLs. It is a net below the rule that sensitive output is not asked for in
// the first place, never a permission to ask.
func Secrets(s string) string {
	if strings.Contains(s, "PRIVATE KEY") {
		s = privateKey.ReplaceAllString(s, Mark)
		s = privateKeyEnd.ReplaceAllString(s, Mark)
	}
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = inLine(line)
	}
	return strings.Join(lines, "\n")
}

func inLine(line string) string {
	lower := strings.ToLower(line)
	holds := func(hint string) bool { return strings.Contains(lower, hint) }
	for _, n := range nets {
		if !slices.ContainsFunc(n.hints, holds) {
			continue
		}
		for _, s := range n.shapes {
			line = s.pattern.ReplaceAllString(line, s.with)
		}
	}
	return line
}
