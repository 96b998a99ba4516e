package status

import (
	"fmt"
	"slices"
	"time"

	"dhbot/internal/observe"
	"dhbot/internal/observe/proof"
	"dhbot/internal/remote"
	"dhbot/runbooks"
)

// etcdID is the id of etcd, whose members serve together while a majority of them is up
// (etcd-runbook.md:122).
const etcdID = "etcd"

// etcdHealth is etcdctl's output about the members.
type etcdHealth struct {
	verdict proof.Verdict
	host    string
}

// etcdSteps returns the reads of the status and health of etcd's members. It returns none if the
// scope does not include etcd.
func (l *look) etcdSteps() []runbooks.Step {
	if !slices.ContainsFunc(l.scope.rows, func(t runbooks.Target) bool { return t.Process == etcdID }) {
		return nil
	}
	steps, err := l.plan(plannedRead{cluster: l.scope.cluster.Name, action: "etcd-status"})
	if err != nil {
		return nil // the cluster has no host to query from
	}
	return steps
}

func readEtcd(st runbooks.Step, r remote.Result) etcdHealth {
	return etcdHealth{verdict: proof.Evaluate(st, nil, r, time.Time{}), host: st.Host}
}

// judgeEtcd combines the reports of the supervisors and of etcd. If one member is down and the
// others have a quorum, this is not an outage of etcd. If all members run, this does not prove that
// they serve.
func (l *look) judgeEtcd() {
	var members []*Row
	missing := 0
	for _, rows := range [][]Row{l.board.Rows, l.board.Upstream} {
		for i := range rows {
			if r := &rows[i]; r.Process.ID == etcdID && !r.Pending {
				members = append(members, r)
				if out(*r) {
					missing++
				}
			}
		}
	}
	all := len(l.scope.cluster.HostsOf(etcdID))
	most := all/2 + 1
	for _, r := range members {
		f := &r.Finding
		switch {
		case f.Severity != runbooks.Critical || !out(*r) || all == 1:
		case all-missing < most && len(members) == all:
			f.Code = observe.FoundQuorumLost
			f.Headline = fmt.Sprintf("Quorum lost: %d of %d members down", missing, all)
			f.Text += ". Without a quorum etcd serves no reads and writes, and Deephaven cannot work"
		case len(members) == all:
			f.Severity = runbooks.Moderate
			f.Code = observe.FoundMemberDown
			f.Headline = fmt.Sprintf("Member down, quorum kept (%d of %d)", all-missing, all)
			f.Text += fmt.Sprintf(". etcd still works: %d of %d members are needed for a quorum", most, all)
		}
	}
	for _, e := range l.board.etcd {
		for _, r := range members {
			told := missing > 0 && e.verdict.State == proof.Noted // the report only repeats that a member is down
			if r.Maintenance == nil && !out(*r) && r.Observation.Known() && !told {
				e.add(&r.Finding, r.Process.Level)
			}
		}
	}
}

// add adds etcd's own report to the finding about a running member.
func (e etcdHealth) add(f *observe.Finding, level runbooks.Severity) {
	text := fmt.Sprintf(". etcdctl on %s: %s", e.host, e.verdict.Text)
	switch e.verdict.State {
	case proof.Met:
		f.Text += text
	case proof.Noted:
		f.Text += text
		if f.Severity == runbooks.None {
			f.Severity = runbooks.Low
			f.Condition = runbooks.Low
			f.Code = observe.FoundEtcdTrouble
			f.Headline = "Running with trouble in etcd"
		}
	case proof.Never, proof.NotYet:
		f.Text += text
		if level.Worse(f.Severity) {
			f.Severity = level
			f.Condition = runbooks.Critical
			f.Code = observe.FoundEtcdSilent
			f.Headline = "Running, but etcd does not serve"
		}
	default:
		f.Text += text
		if f.Severity == runbooks.None {
			f.Severity = runbooks.Unknown
			f.Condition = runbooks.Unknown
			f.WorstCase = level
			f.Code = observe.FoundEtcdUnseen
			f.Headline = "Running; unknown whether etcd serves"
		}
	}
}
