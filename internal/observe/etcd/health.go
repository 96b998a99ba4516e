package etcd

import (
	"regexp"
	"slices"
	"strings"

	"dhbot/internal/redact"
	"dhbot/internal/remote"
)

// Reply is how a member answered `endpoint health`. For the answer, the member does a read that
// needs a quorum and, since 3.5, a list of the alarms.
type Reply uint8

// These are all possible replies. Except for Silent and Unclear, the reply came from the member
// itself, so its vote counts.
const (
	Unclear Reply = iota // not parsed, or a problem with certificates
	Serves               // reads with a quorum
	Alarmed              // reads with a quorum, with an alarm such as NOSPACE
	Corrupt              // answers, but serves nothing, because of the alarm CORRUPT
	Learner              // answers, but has no vote
	Refuses              // answers, but serves nothing at the moment: it has no leader, or refuses the authentication
	Silent               // no answer in time
)

// Health is a row of `etcdctl endpoint health`. Every endpoint of the client has a row.
type Health struct {
	Endpoint string
	Reply    Reply
	Why      string // message of the member or the client; "" if it serves
}

// Answers reports whether the member answered.
func (h Health) Answers() bool { return h.Reply != Silent && h.Reply != Unclear }

// Reads reports whether the member serves reads.
func (h Health) Reads() bool { return h.Reply == Serves || h.Reply == Alarmed }

// healthText matches a row of `endpoint health` that is not JSON. etcdctl 3.3 has only this format.
var healthText = regexp.MustCompile(`^(\S+) is (healthy|unhealthy): (.*)$`)

// ReadHealth parses the health of every endpoint, sorted by endpoint. It ignores etcdctl's exit
// code 1, which only means that an endpoint is not healthy.
func ReadHealth(r remote.Result) ([]Health, error) {
	var rows []struct {
		Endpoint string `json:"endpoint"`
		Health   *bool  `json:"health"`
		Error    string `json:"error"`
	}
	var out []Health
	log := reasons(r)
	err := decode(r, &rows, "endpoint", "health")
	for _, row := range rows {
		out = append(out, health(row.Endpoint, row.Health != nil && *row.Health, row.Error, log))
	}
	if err != nil {
		for _, line := range append(unread(r.Stdout), unread(r.Stderr)...) {
			if m := healthText.FindStringSubmatch(line); m != nil {
				out = append(out, health(m[1], m[2] == "healthy", strings.TrimPrefix(strings.TrimPrefix(m[3], "failed to connect: "), "failed to commit proposal: "), log))
			}
		}
	}
	if len(out) == 0 {
		if err == nil {
			err = failed(r)
		}
		return nil, err
	}
	slices.SortStableFunc(out, func(a, b Health) int { return strings.Compare(a.Endpoint, b.Endpoint) })
	return out, nil
}

func health(endpoint string, healthy bool, why string, log []logLine) Health {
	h := Health{Endpoint: endpoint, Reply: Serves}
	if healthy {
		return h
	}
	why = strings.TrimSpace(why)
	h.Why, h.Reply = redact.Line(why, lineLimit), replyOf(why)
	if reason := reasonOf(log, endpoint); h.Reply == Silent && reason != "" {
		if trust.MatchString(reason) {
			h.Reply = Unclear
		}
		if !strings.Contains(h.Why, reason) {
			h.Why = strings.TrimPrefix(h.Why+": "+reason, ": ")
		}
	}
	if h.Why == "" {
		h.Why = "no reason given"
	}
	return h
}

// replyOf returns the Reply that an unhealthy row's error stands for. An error that begins with
// "etcdserver: " comes from the member itself.
func replyOf(why string) Reply {
	switch {
	case strings.HasPrefix(why, "Active Alarm(s): ") &&
		strings.Contains(why, "CORRUPT"), strings.Contains(why, "etcdserver: corrupt cluster"):
		return Corrupt
	case strings.HasPrefix(why, "Active Alarm(s): "), why == "Unable to fetch the alarm list":
		return Alarmed
	case strings.Contains(why, "rpc not supported for learner"):
		return Learner
	case strings.HasPrefix(innermost(why), "etcdserver: "):
		return Refuses
	case trust.MatchString(why):
		return Unclear
	case strings.Contains(why, "context deadline exceeded"),
		strings.Contains(why, "connection refused"), strings.Contains(why, "no route to host"),
		strings.Contains(why, "i/o timeout"), strings.Contains(why, "connection reset"), strings.Contains(why, "code = Unavailable"),
		strings.Contains(why, "no such host"), strings.Contains(why, "network is unreachable"), strings.Contains(why, "dial timeout"):
		return Silent
	default:
		return Unclear
	}
}
