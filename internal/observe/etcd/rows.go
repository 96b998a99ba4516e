package etcd

import (
	"fmt"
	"slices"
	"strings"

	"dhbot/internal/redact"
	"dhbot/internal/remote"
)

// Row combines the status and the health of one member.
type Row struct {
	Endpoint string // host:port
	// Role is leader, member or learner, or "" if the member does not answer.
	Role string
	Ill  string // why the member does not serve, or its alarm; "" if the member is well or was not queried
	Size string // "3.1 MiB of 20.0 MiB in use"
	Raft string // "term 5, index 73"
	// Failed means that the member does not answer or does not serve. Alarmed means that the
	// member serves, but has an alarm.
	Failed, Alarmed bool
}

// Rows joins the rows of status and health by endpoint. Each argument may be nil. A member that
// does not answer has no row in the status, so its Row comes from etcdctl's error or from the
// health.
func Rows(status, health *remote.Result) []Row {
	rows := map[string]Row{}
	if status != nil {
		s, _ := ReadStatus(*status) // an unparsed status has no rows; its verdict has the reason
		for _, m := range s.Members {
			rows[hostPort(m.Endpoint)] = m.row()
		}
		for endpoint, why := range s.Missing {
			rows[hostPort(endpoint)] = Row{Ill: why, Failed: true}
		}
	}
	if health != nil {
		list, _ := ReadHealth(*health)
		for _, h := range list {
			row := rows[hostPort(h.Endpoint)]
			switch h.Reply {
			case Serves:
			case Learner:
				row.Role = "learner"
			case Alarmed:
				row.Ill, row.Alarmed = h.Why, true
			case Unclear, Corrupt, Refuses, Silent:
				row.Ill, row.Failed = h.Why, true
			default:
			}
			rows[hostPort(h.Endpoint)] = row
		}
	}
	out := make([]Row, 0, len(rows))
	for endpoint, row := range rows {
		row.Endpoint = redact.Line(endpoint, lineLimit)
		out = append(out, row)
	}
	slices.SortFunc(out, func(a, b Row) int { return strings.Compare(a.Endpoint, b.Endpoint) })
	return out
}

func (m Member) row() Row {
	row := Row{Role: "member", Size: Bytes(m.Size), Raft: fmt.Sprintf("term %d, index %d", m.Term, m.Index)}
	if m.InUse != nil {
		row.Size = Bytes(*m.InUse) + " of " + Bytes(m.Size) + " in use"
	}
	switch {
	case m.Leads():
		row.Role = "leader"
	case m.Learner:
		row.Role = "learner"
	}
	return row
}
