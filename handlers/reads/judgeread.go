package reads

import (
	"slices"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/card/outputcard"
	"dhbot/internal/observe/etcd"
	"dhbot/internal/observe/proof"
	"dhbot/internal/redact"
	"dhbot/internal/remote"
	"dhbot/runbooks"
)

// judgeable reports whether the bot knows what a good answer to a read is. If so, the read shows
// a verdict instead of its output.
func judgeable(until runbooks.Condition) bool {
	return slices.Contains([]runbooks.Condition{runbooks.EtcdStatus, runbooks.EtcdQuorum, runbooks.EtcdAlarms, runbooks.AllUp}, until)
}

// judgeRead adds a verdict and a grade to an answer. An answer that cannot be parsed is unknown,
// never good.
func judgeRead(p *outputcard.Answer, st runbooks.Step, r remote.Result) {
	v := proof.Evaluate(st, nil, r, time.Time{})
	p.Verdict = redact.Line(v.Text, 600)
	switch v.State {
	case proof.Met:
		p.OK, p.Grade = true, outputcard.Good
	case proof.Noted:
		p.OK, p.Grade = true, outputcard.Noteworthy
	case proof.NotYet, proof.Never:
		p.OK, p.Grade = true, outputcard.Bad
	default:
		p.OK, p.Why = false, p.Verdict
	}
}

// tabulate shows each member of etcd once, with its status and its health if these were queried.
func tabulate(parts []outputcard.Answer, steps []runbooks.Step, results []remote.Result) {
	var status, health *remote.Result
	at := -1
	for i, st := range steps {
		switch {
		case st.Until == runbooks.EtcdStatus && status == nil:
			status = &results[i]
		case st.Until == runbooks.EtcdQuorum && health == nil:
			health = &results[i]
		default:
			continue
		}
		at = i
	}
	if at < 0 {
		return
	}
	table := card.Table{Header: []string{"member", "role", "database", "raft"}}
	for _, m := range etcd.Rows(status, health) {
		sign, role := "🟢 ", m.Role
		if m.Failed {
			sign, role = "🔴 ", "does not answer: "+m.Ill
		}
		if m.Failed && m.Role != "" {
			role = m.Role + ", not healthy: " + m.Ill
		}
		if m.Alarmed {
			sign, role = "🟡 ", m.Role+", serves reads: "+m.Ill
		}
		table.Rows = append(table.Rows, []card.Line{{card.T(sign), card.B(m.Endpoint)}, {card.T(role)}, {card.T(m.Size)}, {card.T(m.Raft)}})
	}
	if len(table.Rows) > 0 {
		parts[at].Table = &table
	}
}
