package redact

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestRealisticSecrets tests secrets in known formats, with values as long and as random as real
// values. No eight consecutive characters of a value may remain.
func TestRealisticSecrets(t *testing.T) {
	const letters, hexadecimal = "q7Zr9LxT2vKp4Wm8Bn6Yc3Hd5Jf1Gs0AtReUiOpXzCvBnM2Kq7Zr9LxT2vKp4Wm8", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	place := regexp.MustCompile(`\{[aAhvw][0-9]*\}`)
	lines := corpus(t, "realistic.txt")
	for _, line := range lines {
		var values []string
		full := place.ReplaceAllStringFunc(line, func(p string) string {
			n, _ := strconv.Atoi(p[2 : len(p)-1])
			value := map[byte]string{'a': letters, 'A': strings.ToUpper(letters), 'h': hexadecimal, 'v': "tr0ub4dor&3x", 'w': "Sommer2026"}[p[1]]
			if n > 0 {
				value = value[:n]
			}
			values = append(values, value)
			return value
		})
		got := Text(full)
		for _, value := range values {
			for i := 0; i+8 <= len(value); i++ {
				if strings.Contains(got, value[i:i+8]) {
					t.Errorf("shown: %s\n   of: %s", got, full)
					break
				}
			}
		}
	}
	if len(lines) < 120 {
		t.Error(fmt.Sprint("only ", len(lines), " forms"))
	}
}
