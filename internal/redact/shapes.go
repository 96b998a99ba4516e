package redact

import (
	"regexp"
	"sync"
)

// only makes a shape whose secret is the first group that matched or, if the expression has no
// groups, the whole match.
func only(expression string) shape {
	return shape{pattern: lazily(expression)}
}

// lazily returns a function that compiles the expression when it is first called.
func lazily(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}

// unlessWord makes a shape like only, for a value in prose. The value must have both letters and
// digits.
func unlessWord(expression string) shape {
	s := only(expression)
	s.random = true
	return s
}

// unlessSentence makes a shape like only, but a match that is a sentence is no secret.
func unlessSentence(expression string) shape {
	s := only(expression)
	s.prose = true
	return s
}

// These patterns match names of secrets, such as "password", "STOREPASS", "aws_secret_access_key",
// "client-secret", "auth_token" and "private key". Short names such as "pass" and "pwd" count only
// as a whole word or at the end of a word: "DB_PASS", "db.pwd", "dbPass".
const (
	longName = `[\w.\-]*(?:password|passwd|pass[_\- ]?phrase|passcode|passwort|kennwort|mot[_ ]de[_ ]passe|contraseña|storepass|keypass|requirepass|masterauth|bindpw|secret|token|` +
		`api[_\- ]?key|(?:access|private|secret|account|shared|signing|encryption|master|subscription|functions)[_\- ]?key|credentials?|_auth|\bpsk)` +
		`(?:[_\-](?:key[_\-]base|key|hash|b64|base64|value|access[_\-]key))?`
	shortName = `(?:\b(?:[\w.\-]*[_.\-])?(?:pass|pwd|pw)|\b(?-i:[a-z][A-Za-z0-9]*(?:Pass|Pwd|Pw)|[A-Z0-9_]+(?:PASS|PWD)))`
	name      = `(?:` + longName + `|` + shortName + `)`
)

// These patterns match what may be between a name and its value, for example quotes: escaped at any
// depth, or encoded as in HTML, JSON and URLs.
const (
	quote  = `(?:\\*["']|&quot;|&#3[49];|&apos;|%22|%27|\\+u002[27])`
	assign = `(?:\\*["']?[ \t]*(?:=>|:=|[=:])[ \t]*)`
	// A quoted value ends at its closing quote or, if it was cut, at the end of the line.
	inDouble  = `((?:[^"\\\n]|\\[^\n])*)`
	inEscaped = `((?:[^"\\\n]|\\+[^"\\\n])*)`
	inSingle  = `([^'\n]*)`
)

var nameHints = []string{
	"pass", "pwd", "pw=", "pw:", "pw\"", "pw'", "pw ", "pw\\", "pw%", "pw&", "pw<", "secret", "token", "key",
	"credential", "bindpw", "masterauth", "_auth", "psk", "kennwort", "contrase",
}

// fieldRules find values of keys whose names suggest a secret.
var fieldRules = []rule{
	// A URL with a password. Digits before a slash are a port instead.
	{[]string{"://"}, []shape{
		only(`[A-Za-z][A-Za-z0-9+.\-]*://[^\s/:@"'<>]*:([^\s/@"'<>]+)@`),
		only(`[A-Za-z][A-Za-z0-9+.\-]*://[^\s/:@"'<>]+:([^\s@"'<>/]*[^\s@"'<>/0-9][^\s@"'<>]*)@`),
		only(`[A-Za-z][A-Za-z0-9+.\-]*://([A-Za-z0-9_\-]{16,})@`),
	}},
	{nameHints, []shape{
		// URL-encoded: password%3Dx%26user%3Dy
		only(`(?i)` + name + `(?:%22|%27)?%3[DA](?:%22|%27|%20)*((?:[^\s%&"']|%(?:[013-9A-F][0-9A-F]|2[013-589A-F]))+)`),
		// A value in quotes, which may be escaped or written as in HTML.
		only(`(?i)` + name + assign + `"` + inDouble),
		only(`(?i)` + name + assign + `\\+"` + inEscaped),
		only(`(?i)` + name + assign + `\\*'` + inSingle),
		only(`(?i)` + name + quote + `[ \t]*(?:=>|:=|[=:])[ \t]*(?:&\w+;|&#3[49];|%22|%27|\\+u002[27])([^&%\\\s"'<]+)`),
		// {"name": "DB_PASSWORD", "value": "x"}, name="password" value="x"
		only(`(?i)\b(?:name|key)\\*["']?[ \t]*[=:][ \t]*\\*["']` + name + `\\*["'][ \t,]*\\*["']?value\\*["']?[ \t]*[=:][ \t]*\\*["']([^"'\\\n]*)`),
		only(`(?i)\bvalue[ \t]*=[ \t]*["']([^"'\n]*)["'][ \t]+(?:name|key)[ \t]*=[ \t]*["']` + name + `["']`),
		// a pair: ("password", "x")
		only(`(?i)["']` + name + `["'][ \t]*,[ \t]*"` + inDouble),
		only(`(?i)["']` + name + `["'][ \t]*,[ \t]*'` + inSingle),
		// XML: <password>x</password>, <property name="connection.password">x<
		only(`(?i)<[\w:.\-]*` + name + `(?:\s[^<>]*)?>([^<>\n]+)<`),
		only(`(?i)(?:name|key|id)[ \t]*=[ \t]*["']` + name + `["'][^<>]*>([^<>\n]+)<`),
		// A number or word after a quoted name, as in JSON.
		only(`(?i)` + name + `\\*["'][ \t]*[:=][ \t]*([^\s"'\\,\[\]{}]+)`),
		// up to the next blank
		unlessSentence(`(?i)` + longName + assign + `([^\s"'\\<][^\s<]*)`),
		unlessSentence(`(?i)` + shortName + `[ \t]*(?:=>|:=|[=:])[ \t]*([^\s"'\\</][^\s<]{3,}|[^\s"'\\<0-9/]\S*)`),
		// "aws configure set aws_secret_access_key X" or "auth_token X", if X has letters and
		// digits.
		unlessWord(`(?i)[\w.]+[_\-](?:password|passwd|passphrase|secret|token|key|pass|pwd)[ \t]+([^\s"'<,;:=\-][^\s"'<,;]{7,})`),
		// Examples: "machine h login u password x", "password is x", "with password 'x'".
		only(`(?i)\b(?:pass(?:word|phrase|wd)?|pwd)[ \t]+(?:(?:is|was|of|to|set to|changed to|reset to)[ \t]+)?\\*"([^"\\\n]{3,})`),
		only(`(?i)\b(?:pass(?:word|phrase|wd)?|pwd)[ \t]+(?:(?:is|was|of|to|set to|changed to|reset to)[ \t]+)?\\*'([^'\\\n]{3,})`),
		unlessWord(`(?i)\b(?:pass(?:word|phrase|wd)?|pwd)[ \t]+(?:(?:is|was|set to|changed to|reset to)[ \t]+)?([^\s"'<>=:\-][^\s"'<>]*)`),
		only(`(?i)\blogin[ \t]+\S+[ \t]+password[ \t]+(\S+)`),
		// Example: "A temporary password is generated for root@localhost: x".
		unlessSentence(`(?i)\bpassword\b[^:=\n"']{1,60}:[ \t]+([^\s"'<]\S{3,})`),
		// password options of programs
		only(`(?i)(?:^|[\s"'])--?[\w\-]*(?:password|passwd|passphrase|pass|storepass|keypass|bindpw|secret|token|(?:api|access|secret|private)-?key|pwd)[ \t]+(?:"([^"\n]*)"|'([^'\n]*)'|([^\s\-"'<][^\s]*))`),
	}},
	{[]string{"signature", "sig="}, []shape{only(`(?i)\b(?:sig|(?:x-(?:amz|goog)-)?signature)=\\*["']?([^\s&"'\\<,;]{6,})`)}},
	{[]string{"x-amz-", "x-goog-"}, []shape{only(`(?i)\bx-(?:amz|goog)-credential=([^\s&"'<]+)`)}},
	{[]string{"key="}, []shape{only(`[?&](?:key|auth|code)=([A-Za-z0-9_.~%\-]{16,})`)}},
	{[]string{"cookie"}, []shape{
		only(`(?i)\bset-cookie2?\\*["']?[ \t]*[:=][ \t]*\\*["']?[\w!#$%&*+.^|~\-]+=([^;\s"'\\]+)`),
		only(`(?i)(?:^|[^\w\-])cookie2?\\*["']?[ \t]*[:=][ \t]*\\*["']?([\w!#$%&*+.^|~\-]+=[^"'\\\n]+)`),
	}},
	{[]string{"sess", "sid="}, []shape{only(`(?i)\b(?:j?session[_\-]?(?:id|key)|phpsessid|asp\.net_sessionid|(?:connect\.)?sid)=([^\s;&"'<,]{8,})`)}},
	{[]string{"authorization"}, []shape{
		only(`(?i)authorization\\*["']?[ \t]*[:=][ \t]*\\*["']?(?:basic|bearer|token|negotiate|ntlm|apikey|api-key|key|sharedkey|splunk|genie\w*)[ \t]+([^\s"'\\,]+)`),
		only(`(?i)authorization\\*["']?[ \t]*[:=][ \t]*\\*["']?([^\s"'\\:,]{8,})\\*["']?(?:[ \t]*$|["'])`),
	}},
	{[]string{`auth"`, `auth\`}, []shape{only(`"auth\\*"[ \t]*:[ \t]*\\*"([A-Za-z0-9+/]{8,}=*)\\*"`)}}, // ~/.docker/config.json
	{[]string{"hmac"}, []shape{only(`(?i)\bhmac[ _\-]key\\*["']?[ \t]*[:=][ \t]*\\*["']?([A-Za-z0-9+/=_\-]{16,})`)}},
	{[]string{"recovery code", "backup code", "verification code", "one-time code"}, []shape{
		unlessWord(`(?i)\b(?:recovery|backup|verification|one-time) codes?(?:[ \t]*[:=]|[ \t]+(?:is|are))[ \t]*([A-Za-z0-9][A-Za-z0-9\-]{5,})`),
	}},
	{[]string{"digest "}, []shape{only(`(?i)\bdigest[ \t].*\bresponse=\\*["']?([^"'\s,]{8,})`)}},
	{[]string{"bearer"}, []shape{only(`(?i)\bbearer[ \t]+([A-Za-z0-9._~+/\-]{8,}=*)`)}},
	// Variables with the login of etcdctl or redis-cli, and lines of a PuTTY key.
	{[]string{"etcdctl_user"}, []shape{only(`(?i)\betcdctl_user(?:name)?[ \t]*[=:][ \t]*["']?[\w.\-]+:([^\s"']+)`)}},
	{[]string{"redisc"}, []shape{only(`(?i)\brediscli_auth[ \t]*=[ \t]*["']?([^\s"']+)`)}},
	{[]string{"private-mac", "private-hash"}, []shape{only(`(?i)private-(?:mac|hash):[ \t]*(\S+)`)}},
	{[]string{"private-lines"}, []shape{only(`(?i)private-lines:[ \t]*[0-9]+[ \t]*[/,;|\\n]+[ \t]*([A-Za-z0-9+/=]+(?:[A-Za-z0-9+/=\s\\]*[A-Za-z0-9+=])?)`)}},
}
