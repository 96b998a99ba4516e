package redact

import (
	"regexp"
	"strconv"
	"strings"
)

// privateKey matches a PEM private key, also one that was cut off at its end;
// privateKeyEnd what is left of one that was cut off at its beginning.
var (
	privateKey    = regexp.MustCompile(`-----BEGIN ([A-Z0-9 ]*)PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-[^-])*(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----)?`)
	privateKeyEnd = regexp.MustCompile(`(?:[A-Za-z0-9+/=]{16,}\s+)*[A-Za-z0-9+/=]*\s*-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----`)
)

// puttyKey is the line of a PuTTY key after which that many lines are private.
var puttyKey = regexp.MustCompile(`Private-Lines: ([0-9]{1,3})$`)

// hideBlocks hides the lines that are secret by where they stand: the private
// part of a PuTTY key, and the middle of a PEM private key alone, as tail cuts
// it. What ends as a certificate or a public key does is left.
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

// publicEnd is the last line of a block that begins at a line: private keys are
// gone already.
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

// hideRun hides full lines and the shorter one that ends them.
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

// fullLine says that a line is one of a PEM or OpenSSH key: as long as they are,
// of base64 alone, and no hash in hexadecimal digits.
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

// mixed says that small and capital letters and digits are there.
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
