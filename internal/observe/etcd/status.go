package etcd

import (
	"regexp"
	"slices"
	"strings"

	"dhbot/internal/redact"
	"dhbot/internal/remote"
)

// Member is a row of `etcdctl endpoint status --write-out json`. A member that does not answer has
// no row (etcd issue 9531). A field is nil if the member's version does not send it: 3.3 and older
// lack Applied, InUse and Errors, 3.5 and older lack Quota.
type Member struct {
	Endpoint string
	ID       uint64
	Cluster  uint64
	LeaderID uint64 // the leader that it follows; 0 for none
	Version  string
	Learner  bool
	Term     uint64
	Index    uint64 // of its raft log
	Applied  *uint64
	Revision *int64 // of the member's data
	Size     int64  // of the database file, bytes
	InUse    *int64 // bytes of the file that are in use
	Quota    *int64 // limit of the file, bytes
	Errors   []string
}

// Leads reports whether the member is the leader.
func (m Member) Leads() bool { return m.LeaderID != 0 && m.LeaderID == m.ID }

// progress is the index of the last entry of the raft log that the member has applied. Old versions
// do not report this index. For these, progress is the index of the last entry that the member has.
func (m Member) progress() uint64 {
	if m.Applied != nil {
		return *m.Applied
	}
	return m.Index
}

// Status is the output of `endpoint status` for all endpoints.
type Status struct {
	// Members has one entry for each member that answered, sorted by endpoint.
	Members []Member
	// Missing has the reason for each endpoint that did not answer.
	Missing map[string]string
}

type statusRow struct {
	Endpoint string
	Status   struct {
		Header struct {
			ClusterID uint64 `json:"cluster_id"`
			MemberID  uint64 `json:"member_id"`
			Revision  *int64 `json:"revision"`
		} `json:"header"`
		Version          string   `json:"version"`
		DBSize           int64    `json:"dbSize"`
		DBSizeInUse      *int64   `json:"dbSizeInUse"`
		DBSizeQuota      *int64   `json:"dbSizeQuota"`
		Leader           uint64   `json:"leader"`
		RaftIndex        uint64   `json:"raftIndex"`
		RaftTerm         uint64   `json:"raftTerm"`
		RaftAppliedIndex *uint64  `json:"raftAppliedIndex"`
		IsLearner        bool     `json:"isLearner"`
		Errors           []string `json:"errors"`
	}
}

// missing matches etcdctl's message on standard error about a member that does not answer.
var missing = regexp.MustCompile(`^Failed to get the status of endpoint (\S+) \((.*)\)$`)

// ReadStatus parses the status of the endpoints. It returns an error if the output has no status.
// For example, a cluster with access control that has lost its quorum gives none, because etcdctl
// must log in and a login needs the quorum.
func ReadStatus(r remote.Result) (Status, error) {
	var rows []statusRow
	if err := decode(r, &rows, "Endpoint", "Status"); err != nil {
		return Status{}, err
	}
	s := Status{Missing: map[string]string{}}
	for _, row := range rows {
		m := row.member()
		same := func(o Member) bool { return o.ID != 0 && o.ID == m.ID && o.Cluster == m.Cluster }
		if !slices.ContainsFunc(s.Members, same) {
			s.Members = append(s.Members, m)
		}
	}
	slices.SortFunc(s.Members, func(a, b Member) int { return strings.Compare(a.Endpoint, b.Endpoint) })
	log := reasons(r)
	for _, line := range unread(r.Stderr) {
		m := missing.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		why := redact.Line(m[2], lineLimit)
		if reason := reasonOf(log, m[1]); reason != "" {
			why = reason
		}
		s.Missing[m[1]] = why
	}
	return s, nil
}

func (row statusRow) member() Member {
	s := row.Status
	return Member{
		Endpoint: row.Endpoint, ID: s.Header.MemberID, Cluster: s.Header.ClusterID, LeaderID: s.Leader,
		Version: s.Version, Learner: s.IsLearner, Term: s.RaftTerm, Index: s.RaftIndex, Applied: s.RaftAppliedIndex,
		Revision: s.Header.Revision, Size: s.DBSize, InUse: s.DBSizeInUse, Quota: s.DBSizeQuota, Errors: s.Errors,
	}
}

// Furthest returns the member with the highest term and, within that term, the highest index.
func (s Status) Furthest() Member {
	var furthest Member
	for _, m := range s.Members {
		if m.Term > furthest.Term || m.Term == furthest.Term && m.Index > furthest.Index {
			furthest = m
		}
	}
	return furthest
}

// Find returns the index of the member that has one of the names, or -1.
func (s Status) Find(names string) int {
	return Find(s.Members, func(m Member) []string { return []string{hostOf(m.Endpoint)} }, names)
}

// near is how many entries of the raft log a member may lack without counting as behind. The client
// queries the members one after the other, so their indices differ during writes.
const near = 1000

// Behind reports whether a member has not caught up with the furthest member.
func (m Member) Behind(furthest Member) bool {
	return m.Term != furthest.Term || m.Index+near < furthest.Index || m.Applied != nil && *m.Applied+near < m.Index
}
