// Package complaint finds the error message in the output of a command. It also describes why a
// command gave no answer. It ignores the output of the login shell.
package complaint

import (
	"fmt"
	"strings"

	"dhbot/internal/redact"
	"dhbot/internal/remote"
	"dhbot/runbooks/planner"
)

// Of returns the error message of a command as one redacted line. This is the standard error, or if
// that is empty, the standard output. The output of the login shell is left out, unless there is
// nothing else. If the command printed nothing, Of says so, so the result is never "".
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

// OfProgram returns the error lines that begin with the program's name ("df: …"). If there are
// none, it returns the same as Of.
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

// Lines returns the lines of a command's output, without empty lines and without the output of the
// login shell.
func Lines(out remote.Output) []string {
	var lines []string
	for _, line := range planner.ListLines(redact.Clean(out.String())) {
		if line = strings.TrimSpace(line); line != "" && !remote.IsNoise(line) {
			lines = append(lines, line)
		}
	}
	return lines
}

// Said reports whether the standard output or the standard error has the line want.
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

// Failure says why a supervisor's client, such as systemctl, returned no answer. A client that
// fails prints a reason. If it printed nothing, the login shell probably ended before the command.
func Failure(client string, r remote.Result) string {
	if len(Lines(r.Stderr)) == 0 && len(Lines(r.Stdout)) == 0 {
		return fmt.Sprintf("%s printed nothing and exited with %d; the login shell may end before the command (/bin/false, or an exit in its start-up files)", client, r.Exit)
	}
	return fmt.Sprintf("the command ended with exit code %d: %s", r.Exit, Of(r))
}

// Head returns the beginning of an answer that could not be parsed, redacted, for an error message.
func Head(out string) string {
	if line := redact.Line(out, wordsLimit); line != "" {
		return line
	}
	return "it is empty"
}

// NotAnswered says in one sentence why a command gave no answer.
func NotAnswered(r remote.Result) string {
	if r.Detail == "" {
		return r.Outcome.String()
	}
	return r.Outcome.String() + ": " + redact.Line(r.Detail, detailLimit)
}

// The maximum number of runes that an error message quotes. wordsLimit is for the output of a host,
// and detailLimit is for the detail of an outcome.
const (
	wordsLimit  = 400
	detailLimit = 600
)
