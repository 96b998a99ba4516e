package probe

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"dhbot/internal/redact"
	"dhbot/internal/remote"
	"dhbot/runbooks"
)

// What counts as out of the ordinary (etcd-runbook.md:168-172). Sizes are
// those in use. They are worth a word and no more: they also differ after one
// member alone was defragmented (measured).
const (
	etcdQuota   = 2 << 30  // bytes: the default quota; a site may have raised it
	etcdFull    = 80       // percent of it
	etcdDiffers = 2        // times as big as another member
	etcdSmall   = 16 << 20 // bytes: below this sizes may differ
	etcdNear    = 1000     // entries of the raft log behind the furthest member
)

// EtcdMember is a row of `etcdctl endpoint status --write-out json`: a member
// that answered. One that did not has no row.
type EtcdMember struct {
	Endpoint string
	ID       uint64
	Version  string
	Leader   bool
	Learner  bool
	// HasLeader says that the member knows of a leader.
	HasLeader bool
	Term      uint64
	Index     uint64 // of its raft log
	Applied   uint64
	Size      int64 // of the database file, bytes
	InUse     int64 // of it in use, bytes
	Errors    []string
}

// EtcdHealth is a row of `etcdctl endpoint health --write-out json`. Every
// endpoint of the client's file has one.
type EtcdHealth struct {
	Endpoint string `json:"endpoint"`
	Healthy  bool   `json:"health"`
	Took     string `json:"took"`
	Error    string `json:"error"`
}

type etcdStatusRow struct {
	Endpoint string
	Status   struct {
		Header struct {
			MemberID uint64 `json:"member_id"`
		} `json:"header"`
		Version          string   `json:"version"`
		DBSize           int64    `json:"dbSize"`
		DBSizeInUse      int64    `json:"dbSizeInUse"`
		Leader           uint64   `json:"leader"`
		RaftIndex        uint64   `json:"raftIndex"`
		RaftTerm         uint64   `json:"raftTerm"`
		RaftAppliedIndex uint64   `json:"raftAppliedIndex"`
		IsLearner        bool     `json:"isLearner"`
		Errors           []string `json:"errors"`
	}
}

// etcdMissing is what etcdctl writes to standard error of a member that does
// not answer.
var etcdMissing = regexp.MustCompile(`^Failed to get the status of endpoint (\S+) \((.*)\)$`)

// ReadEtcdStatus reads the members that answered, by endpoint, and the
// endpoints that did not, with the reason. The error says that nothing in the
// output is such a list, as when the quorum is lost and access control is on:
// then nobody can log in.
func ReadEtcdStatus(r remote.Result) (members []EtcdMember, missing map[string]string, err error) {
	var rows []etcdStatusRow
	if err := etcdJSON(r, "Endpoint", &rows); err != nil {
		return nil, nil, err
	}
	for _, row := range rows {
		s := row.Status
		members = append(members, EtcdMember{
			Endpoint: row.Endpoint, ID: s.Header.MemberID, Version: s.Version,
			Leader: s.Leader != 0 && s.Leader == s.Header.MemberID, Learner: s.IsLearner, HasLeader: s.Leader != 0,
			Term: s.RaftTerm, Index: s.RaftIndex, Applied: s.RaftAppliedIndex,
			Size: s.DBSize, InUse: s.DBSizeInUse, Errors: s.Errors,
		})
	}
	slices.SortFunc(members, func(a, b EtcdMember) int { return strings.Compare(a.Endpoint, b.Endpoint) })
	missing = map[string]string{}
	for _, line := range runbooks.ListLines(r.Stderr.String()) {
		if m := etcdMissing.FindStringSubmatch(line); m != nil {
			missing[m[1]] = redact.Line(m[2], lineLimit)
		}
	}
	return members, missing, nil
}

// ReadEtcdHealth reads the health of every endpoint, by endpoint. The exit
// code is 1 where one of them is not healthy, and the list is there all the
// same.
func ReadEtcdHealth(r remote.Result) ([]EtcdHealth, error) {
	var rows []EtcdHealth
	if err := etcdJSON(r, "endpoint", &rows); err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b EtcdHealth) int { return strings.Compare(a.Endpoint, b.Endpoint) })
	return rows, nil
}

// etcdJSON decodes the one line of the output that is a list of objects with
// that key; a login shell may have written around it.
func etcdJSON(r remote.Result, key string, to any) error {
	for _, line := range runbooks.ListLines(r.Stdout.String()) {
		if strings.HasPrefix(line, `[{"`+key+`":`) {
			if err := json.Unmarshal([]byte(line), to); err != nil {
				return fmt.Errorf("etcdctl's answer was not understood: %w", err)
			}
			return nil
		}
	}
	if r.Exit == 0 {
		return fmt.Errorf("etcdctl's answer was not understood")
	}
	return fmt.Errorf("etcdctl ended with exit code %d: %s", r.Exit, etcdComplaint(r))
}

// etcdComplaint is the first line of its standard error that is for people:
// what its own log wrote before is not.
func etcdComplaint(r remote.Result) string {
	for _, line := range runbooks.ListLines(r.Stderr.String()) {
		if !strings.HasPrefix(line, "{") {
			return redact.Line(line, lineLimit)
		}
	}
	return Complaint(r)
}

// etcdStatus says how the members are, and what is out of the ordinary.
func etcdStatus(r remote.Result) Verdict {
	members, missing, err := ReadEtcdStatus(r)
	if err != nil {
		return Verdict{State: Never, Text: err.Error() + "; without a quorum nobody can log in"}
	}
	text := fmt.Sprintf("%d of %d members answer", len(members), len(members)+len(missing))
	for _, m := range members {
		if m.Leader {
			text += ", leader " + m.Endpoint
		}
	}
	wrong := etcdTrouble(members, missing)
	if len(wrong) > 0 {
		return Verdict{State: Noted, Text: text + ": " + strings.Join(wrong, "; ")}
	}
	return Verdict{State: Met, Text: text + ", term and index agree"}
}

// etcdTrouble lists what is out of the ordinary.
func etcdTrouble(members []EtcdMember, missing map[string]string) (wrong []string) {
	for endpoint, why := range missing {
		wrong = append(wrong, endpoint+" does not answer ("+why+")")
	}
	slices.Sort(wrong)
	furthest, least := furthestOf(members)
	for _, m := range members {
		switch {
		case !m.HasLeader:
			wrong = append(wrong, m.Endpoint+" knows of no leader")
		case behind(m, furthest):
			wrong = append(wrong, fmt.Sprintf("%s is behind: term %d, index %d of %d", m.Endpoint, m.Term, m.Index, furthest.Index))
		}
		for _, e := range m.Errors {
			wrong = append(wrong, m.Endpoint+" says "+redact.Line(e, lineLimit))
		}
		if m.InUse >= etcdQuota/100*etcdFull {
			wrong = append(wrong, fmt.Sprintf("%s has %s in use; the default quota is %s", m.Endpoint, size(m.InUse), size(etcdQuota)))
		}
		if m.InUse > etcdSmall && m.InUse > etcdDiffers*least {
			wrong = append(wrong, fmt.Sprintf("%s has %s in use, another member %s", m.Endpoint, size(m.InUse), size(least)))
		}
	}
	return wrong
}

// furthestOf is the highest term and the highest index of it, and the smallest
// database.
func furthestOf(members []EtcdMember) (furthest EtcdMember, least int64) {
	for i, m := range members {
		if m.Term > furthest.Term || m.Term == furthest.Term && m.Index > furthest.Index {
			furthest = m
		}
		if i == 0 || m.InUse < least {
			least = m.InUse
		}
	}
	return furthest, least
}

// behind says that a member has not caught up. Members are asked one after
// the other, so that indices differ a little while there are writes.
func behind(m, furthest EtcdMember) bool {
	return m.Term != furthest.Term || m.Index+etcdNear < furthest.Index || m.Applied+etcdNear < m.Index
}

// etcdQuorum says whether a majority is healthy.
func etcdQuorum(r remote.Result) Verdict {
	rows, err := ReadEtcdHealth(r)
	if err != nil {
		return Verdict{State: Unknown, Text: "unknown: " + err.Error()}
	}
	healthy, ill := countHealthy(rows)
	switch text := fmt.Sprintf("%d of %d members are healthy", healthy, len(rows)); {
	case healthy < majority(len(rows)):
		return Verdict{State: NotYet, Text: "no quorum: " + text + ": " + ill}
	case healthy < len(rows):
		return Verdict{State: Noted, Text: "quorum kept, but only " + text + ": " + ill}
	default:
		return Verdict{State: Met, Text: fmt.Sprintf("all %d members are healthy", healthy)}
	}
}

func majority(members int) int { return members/2 + 1 }

// countHealthy counts the healthy members and names the others.
func countHealthy(rows []EtcdHealth) (healthy int, ill string) {
	var names []string
	for _, row := range rows {
		if row.Healthy {
			healthy++
		} else {
			names = append(names, row.Endpoint+" ("+redact.Line(row.Error, lineLimit)+")")
		}
	}
	return healthy, strings.Join(names, ", ")
}

func etcdAlarms(r remote.Result) Verdict {
	if r.Exit != 0 {
		return Verdict{State: Never, Text: fmt.Sprintf("exit code %d: %s", r.Exit, etcdComplaint(r))}
	}
	var alarms []string
	for _, line := range runbooks.ListLines(r.Stdout.String()) {
		if strings.HasPrefix(line, "memberID:") {
			alarms = append(alarms, redact.Line(line, lineLimit))
		}
	}
	if len(alarms) == 0 {
		return Verdict{State: Met, Text: "no alarms"}
	}
	return Verdict{State: Noted, Text: strings.Join(alarms, "; ")}
}

// memberAt finds the row of the host whose names are given; -1 where no
// endpoint shows one of them.
func memberAt[R any](rows []R, endpoint func(R) string, names string) int {
	return slices.IndexFunc(rows, func(row R) bool {
		u, err := url.Parse(endpoint(row))
		return err == nil && u.Hostname() != "" && slices.ContainsFunc(strings.Fields(names), func(name string) bool {
			return strings.EqualFold(name, u.Hostname())
		})
	})
}

func healthAt(rows []EtcdHealth, names string) int {
	return memberAt(rows, func(h EtcdHealth) string { return h.Endpoint }, names)
}

// etcdSpare is the guard before a member is restarted or stopped
// (etcd-runbook.md:122-126): one that serves must be spared by the others; one
// that does not serve may always be restarted, which is how a quorum comes
// back. A member that cannot be told from the others counts as serving.
//
// While a new leader is elected no member is healthy for some seconds
// (measured), so that one whose unit runs does not serve only when it has not
// done so all the time that the step has: see GaveUp.
func etcdSpare(names string, before []byte, r remote.Result) Verdict {
	if unit, seen := recall(before); seen && (unit.State == Down || unit.State == Failed) {
		return Verdict{State: Met, Text: "it does not run, so the others lose nothing"}
	}
	rows, err := ReadEtcdHealth(r)
	if err != nil {
		return Verdict{State: Unknown, Text: "unknown: " + err.Error()}
	}
	healthy, ill := countHealthy(rows)
	at := healthAt(rows, names)
	switch need := majority(len(rows)); {
	case healthy == 0:
		return Verdict{State: NotYet, Text: fmt.Sprintf("none of %d members serves: there is no quorum to lose", len(rows))}
	case at >= 0 && !rows[at].Healthy:
		return Verdict{State: NotYet, Text: rows[at].Endpoint + " does not serve, so the others lose nothing"}
	case len(rows) == 1:
		return Verdict{State: Noted, Text: "it is the only member: etcd, and Deephaven with it, is away until it is back"}
	case healthy-1 < need:
		return Verdict{State: Never, Text: fmt.Sprintf("refused: %d of %d members are healthy, and without this one there would be no quorum of %d; first bring back %s",
			healthy, len(rows), need, ill)}
	default:
		return Verdict{State: Met, Text: fmt.Sprintf("%d of %d members stay, a quorum of %d", healthy-1, len(rows), need)}
	}
}

// etcdServes is the first half of the proof that a member is back. Where it
// cannot be told from the others, all of them must be healthy.
func etcdServes(names string, r remote.Result) Verdict {
	rows, err := ReadEtcdHealth(r)
	if err != nil {
		return Verdict{State: Unknown, Text: "unknown: " + err.Error()}
	}
	healthy, ill := countHealthy(rows)
	at := healthAt(rows, names)
	switch {
	case at >= 0 && rows[at].Healthy:
		return Verdict{State: Met, Text: fmt.Sprintf("%s is healthy, %d of %d members are", rows[at].Endpoint, healthy, len(rows))}
	case at >= 0:
		return Verdict{State: NotYet, Text: fmt.Sprintf("%s is not healthy (%s)", rows[at].Endpoint, redact.Line(rows[at].Error, lineLimit))}
	case healthy == len(rows):
		return Verdict{State: Met, Text: fmt.Sprintf("all %d members are healthy", len(rows))}
	default:
		return Verdict{State: NotYet, Text: "no endpoint is called " + strings.Join(strings.Fields(names), " or ") + ", and not every member is healthy: " + ill}
	}
}

// etcdCaughtUp is the other half: the member has the leader's term and nearly
// the furthest index (etcd-runbook.md:126-132).
func etcdCaughtUp(names string, r remote.Result) Verdict {
	members, missing, err := ReadEtcdStatus(r)
	if err != nil {
		return Verdict{State: Unknown, Text: "unknown: " + err.Error()}
	}
	at := memberAt(members, func(m EtcdMember) string { return m.Endpoint }, names)
	look := members
	if at >= 0 {
		look = members[at : at+1]
	} else if len(missing) > 0 {
		return Verdict{State: NotYet, Text: fmt.Sprintf("%d of %d members do not answer", len(missing), len(missing)+len(members))}
	}
	furthest, _ := furthestOf(members)
	for _, m := range look {
		if !m.HasLeader || m.Learner || behind(m, furthest) {
			return Verdict{State: NotYet, Text: fmt.Sprintf("%s has term %d, index %d; the furthest has term %d, index %d", m.Endpoint, m.Term, m.Index, furthest.Term, furthest.Index)}
		}
	}
	return Verdict{State: Met, Text: fmt.Sprintf("caught up: term %d, index %d", furthest.Term, furthest.Index)}
}

// snapshotGood reads `etcdctl snapshot status FILE --write-out json`. It
// proves that the file can be read as a database; its checksum is looked at
// only by a restore (measured: bytes changed inside go unnoticed).
func snapshotGood(r remote.Result) Verdict {
	if r.Exit != 0 {
		return Verdict{State: Never, Text: fmt.Sprintf("the snapshot cannot be read: exit code %d: %s", r.Exit, etcdComplaint(r))}
	}
	for _, line := range runbooks.ListLines(r.Stdout.String()) {
		var s struct {
			Revision  int64 `json:"revision"`
			TotalKey  int64 `json:"totalKey"`
			TotalSize int64 `json:"totalSize"`
		}
		if !strings.HasPrefix(line, `{"hash":`) || json.Unmarshal([]byte(line), &s) != nil {
			continue
		}
		if s.TotalKey == 0 {
			return Verdict{State: Never, Text: "the snapshot holds no keys"}
		}
		return Verdict{State: Met, Text: fmt.Sprintf("the snapshot can be read: revision %d, %d keys, %s", s.Revision, s.TotalKey, size(s.TotalSize))}
	}
	return Verdict{State: Unknown, Text: "unknown: etcdctl's answer about the snapshot was not understood"}
}

// EtcdRow is what status and health say of one member together.
type EtcdRow struct {
	Endpoint string // host:port
	// Role is leader, member or learner; "" of one that does not answer.
	Role   string
	Ill    string // why it is not healthy; "" where it is, or was not asked
	Size   string // "3.1 MiB of 20.0 MiB in use"
	Raft   string // "term 5, index 73"
	Failed bool   // it does not answer, or is not healthy
}

// EtcdRows lays status and health side by side, by endpoint; either may be
// nil. A member that does not answer has no row in the status (etcd issue
// 9531): it comes from etcdctl's complaint, or from the health, which has a row
// for every endpoint of the client's file.
func EtcdRows(status, health *remote.Result) []EtcdRow {
	rows := map[string]EtcdRow{}
	if status != nil {
		members, missing, _ := ReadEtcdStatus(*status)
		for _, m := range members {
			row := EtcdRow{Role: "member", Size: size(m.InUse) + " of " + size(m.Size) + " in use", Raft: fmt.Sprintf("term %d, index %d", m.Term, m.Index)}
			switch {
			case m.Leader:
				row.Role = "leader"
			case m.Learner:
				row.Role = "learner"
			}
			rows[m.Endpoint] = row
		}
		for endpoint, why := range missing {
			rows[endpoint] = EtcdRow{Ill: why, Failed: true}
		}
	}
	if health != nil {
		list, _ := ReadEtcdHealth(*health)
		for _, h := range list {
			row := rows[h.Endpoint]
			if !h.Healthy {
				row.Ill, row.Failed = redact.Line(h.Error, lineLimit), true
			}
			rows[h.Endpoint] = row
		}
	}
	out := make([]EtcdRow, 0, len(rows))
	for endpoint, row := range rows {
		row.Endpoint = redact.Line(endpoint, lineLimit)
		if u, err := url.Parse(endpoint); err == nil && u.Host != "" {
			row.Endpoint = redact.Line(u.Host, lineLimit)
		}
		out = append(out, row)
	}
	slices.SortFunc(out, func(a, b EtcdRow) int { return strings.Compare(a.Endpoint, b.Endpoint) })
	return out
}
