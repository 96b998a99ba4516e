package redact

import (
	"regexp"
	"strconv"
	"strings"
)

// privateKey matches a private key in PEM, even if its end is missing. privateKeyEnd matches the
// rest of a private key whose beginning is missing.
var (
	privateKey    = regexp.MustCompile(`-----BEGIN ([A-Z0-9 ]*)PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-[^-])*(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----)?`)
	privateKeyEnd = regexp.MustCompile(`(?:[A-Za-z0-9+/=]{16,}\s+)*[A-Za-z0-9+/=]*\s*-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----`)
)

// puttyKey matches the line of a PuTTY key that says how many private lines follow.
var puttyKey = regexp.MustCompile(`Private-Lines: ([0-9]{1,3})$`)

// hideBlocks hides lines that are secret because of the lines around them: the private part of a
// PuTTY key, and the middle of a private key in PEM, which tail may show. It leaves a block alone
// that ends like a certificate or a public key.
func hideBlocks(lines []string) {
	for i := 0; i < len(lines); i++ {
		switch {
		case strings.HasPrefix(lines[i], "Private-Lines: "):
			i = hidePutty(lines, i)
		case strings.HasPrefix(lines[i], "-----BEGIN "):
			i = publicEnd(lines, i)
		case fullLine(strings.TrimSpace(lines[i])):
			i = hideRun(lines, i)
		}
	}
}

func hidePutty(lines []string, at int) int {
	m := puttyKey.FindStringSubmatch(strings.TrimSpace(lines[at]))
	if m == nil {
		return at
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return at
	}
	for ; n > 0 && at+1 < len(lines) && base64Only(strings.TrimSpace(lines[at+1])); n-- {
		at++
		lines[at] = Mark
	}
	return at
}

// publicEnd returns the index of the last line of the public block (such as a certificate) that
// begins at lines[at]. Private keys are already hidden.
func publicEnd(lines []string, at int) int {
	for i := at + 1; i < len(lines); i++ {
		if strings.HasPrefix(lines[i], "-----END ") {
			return i
		}
		if !base64Only(strings.TrimSpace(lines[i])) {
			return i - 1
		}
	}
	return len(lines) - 1
}

// hideRun hides the full lines that begin at lines[at], and the shorter line after them. It hides
// nothing if the END line of a public block follows. It returns the index of the last line of the
// block.
func hideRun(lines []string, at int) int {
	end := at
	for end < len(lines) && fullLine(strings.TrimSpace(lines[end])) {
		end++
	}
	if end < len(lines) {
		if last := strings.TrimSpace(lines[end]); len(last) < 76 && base64Only(last) && (mixed(last) || strings.HasSuffix(last, "=")) {
			end++
		}
	}
	if end < len(lines) && strings.HasPrefix(lines[end], "-----END ") {
		return end
	}
	for i := at; i < end; i++ {
		lines[i] = Mark
	}
	return end - 1
}

// fullLine reports whether a line looks like a full line of a PEM or OpenSSH key: it has the same
// length, is only base64, and is not a hash in hexadecimal digits.
func fullLine(line string) bool {
	return (len(line) == 64 || len(line) == 70 || len(line) == 76) && base64Only(line) && mixed(line)
}

func base64Only(line string) bool {
	for i := range len(line) {
		switch c := line[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '+', c == '/', c == '=':
		default:
			return false
		}
	}
	return line != ""
}

// mixed reports whether a line has lower-case letters, upper-case letters and digits.
func mixed(line string) bool {
	var small, capital, digit bool
	for i := range len(line) {
		c := line[i]
		small = small || c >= 'a' && c <= 'z'
		capital = capital || c >= 'A' && c <= 'Z'
		digit = digit || c >= '0' && c <= '9'
	}
	return small && capital && digit
}
