package hostkey

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net"
	"regexp"
	"strings"

	"golang.org/x/crypto/ssh"
)

// SkippedLine is a line of a known_hosts file that OpenSSH skips too.
type SkippedLine struct {
	Line int    // from 1
	Why  string // the reason, without a full stop
}

func (s SkippedLine) String() string { return fmt.Sprintf("line %d: %s", s.Line, s.Why) }

// usableLines converts the file for the library. It empties unusable lines, so that the line
// numbers stay, and lower-cases names, because OpenSSH compares them in lower case. used counts the
// lines with a key.
func usableLines(data []byte) (clean []byte, used int, skipped []SkippedLine) {
	lines := bytes.Split(data, []byte("\n"))
	for i, line := range lines {
		text := strings.TrimSpace(string(line))
		if i == 0 {
			text = strings.TrimPrefix(text, "\ufeff") // a byte order mark would become part of a name
		}
		if text == "" || text[0] == '#' {
			lines[i] = []byte(text)
			continue
		}
		kept, why := usableLine(text)
		if why != "" {
			skipped = append(skipped, SkippedLine{Line: i + 1, Why: why})
		} else {
			used++
		}
		lines[i] = []byte(kept)
	}
	return bytes.Join(lines, []byte("\n")), used, skipped
}

// protocol1 matches the bits, exponent and modulus of a key of SSH 1.
var protocol1 = regexp.MustCompile(`^\d+ \d+ \d+$`)

// usableLine converts a line for the library, or returns why it cannot be used.
func usableLine(line string) (kept, why string) {
	fields := strings.Fields(line)
	marker := ""
	if fields[0][0] == '@' {
		marker = fields[0] + " "
		if fields[0] != "@cert-authority" && fields[0] != "@revoked" {
			return "", "unknown marker " + short(fields[0])
		}
		fields = fields[1:]
	}
	switch {
	case len(fields) < 2:
		return "", "no key on it"
	case len(fields) >= 4 && protocol1.MatchString(strings.Join(fields[1:4], " ")):
		return "", "a key of SSH protocol 1, which is no longer supported"
	case len(fields) == 2:
		return "", "the key after " + short(fields[1]) + " is missing"
	}
	hosts, why := usableHosts(fields[0])
	if why != "" {
		return "", why
	}
	blob, err := base64.StdEncoding.DecodeString(fields[2])
	if err != nil {
		return "", "the key is cut off or damaged"
	}
	key, err := ssh.ParsePublicKey(blob)
	switch {
	case err != nil && !strings.Contains(string(blob), fields[1]):
		return "", "the key is damaged, or of a type that is not known: " + short(fields[1])
	case err != nil:
		return "", "the key is cut off, or its type " + short(fields[1]) + " is not known"
	case key.Type() != fields[1]:
		return "", fmt.Sprintf("the line says %s, but its key is %s", short(fields[1]), key.Type())
	}
	return marker + hosts + " " + fields[1] + " " + fields[2], ""
}

// usableHosts returns the host names of a line in lower case. It leaves hashed names unchanged.
func usableHosts(hosts string) (usable, why string) {
	if strings.HasPrefix(hosts, "|") {
		parts := strings.Split(hosts, "|")
		if len(parts) != 4 || parts[1] != "1" {
			return "", "a hashed name of an unknown kind"
		}
		for _, part := range parts[2:] {
			if b, err := base64.StdEncoding.DecodeString(part); err != nil || len(b) != 20 {
				return "", "its hashed name is damaged"
			}
		}
		return hosts, ""
	}
	for _, name := range strings.Split(hosts, ",") {
		bare := strings.TrimPrefix(name, "!")
		if name == "!" {
			return "", "a negation without a name"
		}
		if strings.HasPrefix(bare, "[") {
			if _, _, err := net.SplitHostPort(bare); err != nil {
				return "", "a name in brackets needs a port: " + short(bare)
			}
		}
	}
	return strings.ToLower(hosts), ""
}

// short is a word of the file, limited in length.
func short(word string) string {
	if len(word) > 40 {
		word = word[:40] + "…"
	}
	return fmt.Sprintf("%q", word)
}
