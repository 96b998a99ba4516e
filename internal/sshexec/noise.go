package sshexec

import (
	"bytes"
	"strings"

	"dhbot/internal/remote"
)

// noiseBefore returns what a login shell's start-up files print before the output of a command. The
// argument is the output of shellProbe.
func noiseBefore(probed string) string {
	before, _, _ := strings.Cut(probed, shellMark+"\n")
	return before
}

// withoutNoise removes noise, the text that the login shell prints before every answer, from the
// beginning of a command's output. The lines must be equal except for digits, because a greeting
// may contain the time. If a line differs, the output is unchanged.
func withoutNoise(r *remote.Result, noise string) {
	rest := r.Stdout.Head
	for line := range strings.Lines(noise) {
		n := len(line)
		if strings.HasSuffix(line, "\n") {
			n = bytes.IndexByte(rest, '\n') + 1
		}
		if n == 0 || n > len(rest) || shape(string(rest[:n])) != shape(line) {
			return
		}
		rest = rest[n:]
	}
	taken := len(r.Stdout.Head) - len(rest)
	r.Noise = string(r.Stdout.Head[:taken])
	r.Stdout.Head = rest
	r.Stdout.Total -= int64(taken)
}

// shape replaces each sequence of digits with a single 0.
func shape(text string) string {
	var b strings.Builder
	digit := false
	for _, c := range text {
		now := '0' <= c && c <= '9'
		if now && !digit {
			b.WriteByte('0')
		}
		if !now {
			b.WriteRune(c)
		}
		digit = now
	}
	return b.String()
}
