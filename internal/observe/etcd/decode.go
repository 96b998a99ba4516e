package etcd

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"dhbot/internal/redact"
	"dhbot/internal/remote"
	"dhbot/runbooks/planner"
)

// lineLimit limits a line that is quoted from an answer, in runes.
const lineLimit = 200

// decode parses the first line of standard output that is JSON and has one of the keys, or is "[]".
// A login shell may have printed other lines. Without such a line, decode returns an error that
// explains why there is no answer.
func decode(r remote.Result, to any, keys ...string) error {
	for _, line := range planner.ListLines(r.Stdout.String()) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "{") && !strings.HasPrefix(line, "[") {
			continue
		}
		if line != "[]" && !slices.ContainsFunc(keys, func(key string) bool { return strings.Contains(line, `"`+key+`"`) }) {
			continue
		}
		if err := json.Unmarshal([]byte(line), to); err != nil {
			return fmt.Errorf("etcdctl's answer could not be parsed: %w", err)
		}
		return nil
	}
	return failed(r)
}

// failed explains why there is no answer.
func failed(r remote.Result) error {
	why := Complaint(r)
	switch {
	case why == oldAPI:
		return fmt.Errorf("%s", why)
	case r.Exit == 0:
		return fmt.Errorf("etcdctl's answer could not be parsed: %s", why)
	default:
		return fmt.Errorf("etcdctl ended with exit code %d: %s", r.Exit, why)
	}
}

// unread returns the lines of a stream, redacted, without empty lines and known noise.
func unread(out remote.Output) []string {
	var lines []string
	for _, line := range planner.ListLines(redact.Clean(out.String())) {
		if line = strings.TrimSpace(line); line != "" && !remote.IsNoise(line) {
			lines = append(lines, redact.Line(line, lineLimit))
		}
	}
	return lines
}

// Bytes formats a number of bytes for people.
func Bytes(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	case n < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	default:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	}
}
