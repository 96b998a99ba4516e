package redact

import (
	"regexp"
	"slices"
	"strings"
)

// placeholder matches a value that only stands for a secret: $VAR, ${VAR}, %VAR%, {{…}},
// <password>, [password], PASSWORD, %s, ****.
var placeholder = regexp.MustCompile(`^(?:\$\w+|\$?\{+[^{}]*\}+|\$\([^()]*\)?|%\w+%|%[sdvq]|<[^<>]*>|\[[^\[\]]*\]|[A-Z_]*(?:PASS|PASSWORD|TOKEN|SECRET|KEY|VALUE)[A-Z_]*|\*+|[xX]{3,}|\.{2,}|-+|\?)$`)

// filePath matches the path of a file. A file may hold a secret, but its path is not secret.
var filePath = regexp.MustCompile(`^/(?:backup|bin|data|db|etc|home|mnt|opt|root|run|srv|tmp|usr|var)/[\w ./-]+$`)

// reference matches a key whose value is only the name of a Kubernetes Secret.
var reference = regexp.MustCompile(`(?i)\b(?:existing|image[_-]?pull)_?secrets?\\*["']?[ \t]*[:=][ \t]*\\*["']?$`)

// plainValues are words that mean "no value", or that say something about a value.
var plainValues = strings.Fields(`null nil none empty undefined unset set true false yes no on off ok n/a unknown
	invalid expired missing required rejected denied disabled enabled incorrect wrong failed revoked mismatch changed
	value not to for and or is was with in of the a an at by from as on it if md5 sha1 sha256 sha512 base64 utf8 utf-8 bcrypt`)

// harmless reports whether a value is not a secret, because it is a placeholder, a path, a word
// such as "null", or Mark.
func harmless(value string) bool {
	value = strings.Trim(value, `"'`)
	if placeholder.MatchString(value) {
		return true
	}
	value = strings.TrimRight(value, `,;:.)]}"'`)
	return value == "" || placeholder.MatchString(value) ||
		filePath.MatchString(value) || slices.Contains(plainValues, strings.ToLower(value))
}

var (
	plainWord = regexp.MustCompile(`^[("']?[A-Za-z][A-Za-z'’-]*[,.;:)"']*$`)
	exception = regexp.MustCompile(`^[\w$]+(?:\.[\w$]+)*(?:Exception|Error|Failure)\b`)
)

// tellTale has words of ordinary sentences. If such a word is in the text after "password: ", the
// text is a message, not a password.
var tellTale = strings.Fields(`a an the is are was were be been has have had does did do can could must should will would may might
	not no cannot because but while until when either neither than too
	absent accepted bad changed closed corrupt corrupted created decrypt denied deleted disabled empty enabled encrypted error exceeded exception
	exist exists expired failed failure fault found generated ignored incorrect incomplete incompatible inactive insufficient invalid loaded locked lost
	malformed mismatch missing null obsolete outdated parse read refused rejected removed required reset revoked rotated saved sent short long stale stored
	timed timeout trusted unable unavailable unexpected unknown unreadable unsupported untrusted updated valid verification verified wrong`)

// sentence reports whether the text at from is a sentence and not a secret, as in "invalid token:
// expired at 2026-01-01". A sentence follows a colon and a blank. It begins with the name of an
// exception, or it begins with two words of letters and has a word of tellTale among its first
// eight words.
func sentence(line string, from int) bool {
	before, rest := line[:from], line[from:]
	if !strings.HasSuffix(strings.TrimRight(before, " \t"), ":") || strings.HasSuffix(before, ":") {
		return false
	}
	if exception.MatchString(rest) {
		return true
	}
	words := strings.Fields(rest)
	if len(words) < 2 || !plainWord.MatchString(words[0]) || !plainWord.MatchString(words[1]) {
		return false
	}
	return slices.ContainsFunc(words[:min(len(words), 8)], func(w string) bool {
		return slices.Contains(tellTale, strings.ToLower(strings.Trim(w, `("',.;:)`)))
	})
}
