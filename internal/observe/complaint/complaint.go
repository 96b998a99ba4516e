// Package complaint finds the error message in the output of a command, or the reason why there is
// no answer. Output of the login shell is ignored.
package complaint

import (
	"fmt"
	"strings"

	"dhbot/internal/redact"
	"dhbot/internal/remote"
	"dhbot/runbooks/planner"
)

// Of is the error message of a command: its standard error, or, if that is empty, its
// standard output, without the output of the login shell. It is one line, redacted.
func Of(r remote.Result) string {
	for _, out := range []remote.Output{r.Stderr, r.Stdout} {
		if lines := Lines(out); len(lines) > 0 {
			return redact.Line(strings.Join(lines, " / "), wordsLimit)
		}
	}
	for _, out := range []remote.Output{r.Stderr, r.Stdout} {
		if all := redact.Line(out.String(), wordsLimit); all != "" {
			return all
		}
	}
	return "it printed nothing"
}

// OfProgram returns the lines that begin with the program's name ("df: …"), or, without such
// lines, Of.
func OfProgram(program string, r remote.Result) string {
	var own []string
	for _, line := range Lines(r.Stderr) {
		if program != "" && strings.HasPrefix(line, program+": ") {
			own = append(own, line)
		}
	}
	if len(own) == 0 {
		return Of(r)
	}
	return redact.Line(strings.Join(own, " / "), wordsLimit)
}

// Lines returns the lines of a stream without empty lines and output of the login shell.
func Lines(out remote.Output) []string {
	var lines []string
	for _, line := range planner.ListLines(redact.Clean(out.String())) {
		if line = strings.TrimSpace(line); line != "" && !remote.IsNoise(line) {
			lines = append(lines, line)
		}
	}
	return lines
}

// Said reports whether one of the lines on either stream is exactly the wanted line.
func Said(r remote.Result, want string) bool {
	for _, out := range []remote.Output{r.Stderr, r.Stdout} {
		for _, line := range Lines(out) {
			if line == want {
				return true
			}
		}
	}
	return false
}

// Failure is why a supervisor's client returned no answer. If the client printed nothing, the
// supervisor was not reached, because each client prints a reason when it fails.
func Failure(client string, r remote.Result) string {
	if len(Lines(r.Stderr)) == 0 && len(Lines(r.Stdout)) == 0 {
		return fmt.Sprintf("%s printed nothing and exited with %d; the login shell may end before the command (/bin/false, or an exit in its start-up files)", client, r.Exit)
	}
	return fmt.Sprintf("the command ended with exit code %d: %s", r.Exit, Of(r))
}

// Head is the beginning of an answer that could not be parsed.
func Head(out string) string {
	if line := redact.Line(out, wordsLimit); line != "" {
		return line
	}
	return "it is empty"
}

// NotAnswered is why there is no answer, in one sentence.
func NotAnswered(r remote.Result) string {
	if r.Detail == "" {
		return r.Outcome.String()
	}
	return r.Outcome.String() + ": " + redact.Line(r.Detail, detailLimit)
}

// wordsLimit limits the output of a host, detailLimit the detail of an outcome, in runes.
const (
	wordsLimit  = 400
	detailLimit = 600
)
