package etcd

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"dhbot/internal/redact"
	"dhbot/internal/remote"
	"dhbot/runbooks/planner"
)

// oldAPI is the message for an etcdctl before 3.4 that runs without ETCDCTL_API=3.
const oldAPI = "etcdctl speaks API version 2 here: ETCDCTL_API=3 is not set"

var (
	speaksOldAPI = regexp.MustCompile(`^(No help topic for '|Incorrect Usage|flag provided but not defined: -write-out|Error: +unknown command "endpoint"|.*\bis not a command\. See 'etcdctl --help')`)
	// clientLog matches log lines of gRPC, and of old clients that do not log in JSON.
	clientLog = regexp.MustCompile(`^(\d{4}[-/]\d\d[-/]\d\d \d\d:\d\d:\d\d(\.\d+)? |(INFO|WARNING|ERROR): \d{4}/)`)
	// wrapped matches the text that gRPC puts before the reason of an error.
	wrapped = regexp.MustCompile(`^(rpc error: code = \w+ desc = |latest (balancer|connection) error: |last (connection|resolver) error: |all SubConns are in TransientFailure,? ?|connection error: |desc = |transport: |authentication handshake failed: |Error while dialing:? (failed to do connect handshake, response: )?)`)
	// trust matches errors about certificates. They show that a member exists, but not whether it
	// serves.
	trust = regexp.MustCompile(`x509: |\btls: |remote error: |authentication handshake failed`)
)

// logLine is a line of the client's log.
type logLine struct {
	Message  string `json:"msg"`
	Error    string `json:"error"`
	Target   string `json:"target"`
	Endpoint string `json:"endpoint"`
}

// reasons returns the lines of the client's log that have an error. Each Error is reduced to its
// innermost reason.
func reasons(r remote.Result) []logLine {
	var out []logLine
	for _, line := range planner.ListLines(r.Stderr.String()) {
		var l logLine
		if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &l) != nil || l.Error == "" {
			continue
		}
		l.Target += " " + l.Endpoint + " " + l.Error
		l.Error = innermost(l.Error)
		out = append(out, l)
	}
	return out
}

// innermost removes the text that gRPC puts around the reason of an error.
func innermost(reason string) string {
	for {
		next := strings.Trim(strings.TrimSpace(reason), `"`)
		if m := wrapped.FindString(next); m != "" {
			next = next[len(m):]
		}
		if next == reason {
			return strings.ReplaceAll(reason, `\"`, `"`)
		}
		reason = next
	}
}

// reasonOf returns the reason in the client's log why an endpoint failed, or "". A reason without
// any address applies to every endpoint.
func reasonOf(log []logLine, endpoint string) string {
	address := hostPort(endpoint)
	anywhere := regexp.MustCompile(`[\w.\]]:\d{2,5}\b`)
	general := ""
	for _, l := range log {
		switch {
		case address != "" && strings.Contains(l.Target, address):
			return words(l.Error)
		case !anywhere.MatchString(withoutTimes(l.Target)):
			general = words(l.Error)
		}
	}
	return general
}

var timeOfDay = regexp.MustCompile(`\d\d:\d\d:\d\d`)

// withoutTimes removes times of day, because their digits look like a port.
func withoutTimes(s string) string { return timeOfDay.ReplaceAllString(s, "") }

// words formats a reason. It returns "" for gRPC's own time-outs, because they explain nothing.
func words(reason string) string {
	switch {
	case reason == "" || reason == "context deadline exceeded" || strings.HasPrefix(reason, "context deadline exceeded while waiting"):
		return ""
	case strings.Contains(reason, "certificate has expired"):
		reason = "certificate expired: " + reason
	case strings.Contains(reason, "remote error: tls: "):
		reason = "it refuses the client's certificate: " + reason
	}
	return redact.Line(reason, lineLimit)
}

// Complaint is etcdctl's error message, without its client log and the output of a login shell,
// with the reason from the log.
func Complaint(r remote.Result) string {
	lines := append(unread(r.Stderr), unread(r.Stdout)...)
	if slices.ContainsFunc(lines, speaksOldAPI.MatchString) {
		return oldAPI
	}
	decides, why := "", ""
	for _, l := range reasons(r) {
		if w := words(l.Error); w != "" && (why == "" || trust.MatchString(w)) {
			why = w
		}
	}
	var others []string
	for _, line := range lines {
		switch {
		case strings.HasPrefix(line, "{"), clientLog.MatchString(line):
		case strings.HasPrefix(line, "Error: "), strings.HasPrefix(line, "panic: "), strings.HasPrefix(line, "Error:  "):
			if decides == "" {
				decides = strings.TrimSpace(strings.TrimPrefix(line, "Error: "))
			}
		default:
			others = append(others, line)
		}
	}
	switch {
	case decides == "" && len(others) > 0:
		decides = strings.Join(others, " / ")
	case decides == "" && why == "" && len(lines) > 0:
		decides = strings.Join(lines, " / ")
	case decides == "" && why == "":
		decides = "it printed nothing"
	}
	switch {
	case why == "" || strings.Contains(decides, why):
		return redact.Line(decides, 2*lineLimit)
	case decides == "":
		return why
	default:
		return redact.Line(decides+" ("+why+")", 2*lineLimit)
	}
}
