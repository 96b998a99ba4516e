package etcd

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dhbot/internal/redact"
)

// Limits of anomalies (etcd-runbook.md:168-172).
const (
	DefaultQuota = 2 << 30  // bytes: the file's limit without configuration
	full         = 80       // percent of the quota
	differs      = 2        // ratio of bytes in use to those of another member
	small        = 16 << 20 // bytes in use: smaller sizes may differ
	// caught is how far the revisions of two members at the same index may differ. Such a
	// difference arises if a write happens while a member answers.
	caught = 2
)

// Trouble lists the anomalies, the most serious first. The argument quota is the configured quota
// in bytes, or 0 if it is unknown. It is used only for a member that reports no quota itself.
func (s Status) Trouble(quota int64) []string {
	wrong := slices.Concat(s.clusters(), s.data(), s.silent(), s.raft(), s.ownErrors())
	for _, m := range s.Members {
		if text := m.room(quota); text != "" {
			wrong = append(wrong, text)
		}
	}
	return append(wrong, s.sizes()...)
}

// clusters finds endpoints of the client whose member belongs to another cluster than most members.
func (s Status) clusters() []string {
	return s.odd(s.Members, func(m Member) string {
		if m.Cluster == 0 {
			return ""
		}
		return fmt.Sprintf("%x", m.Cluster)
	}, func(m Member, common string) string {
		return fmt.Sprintf("%s belongs to another cluster (id %x, the others %s)", m.Endpoint, m.Cluster, common)
	})
}

// data finds members with different data. Members at the same index of the raft log must have the
// same revision, and a member at a higher index must not have an earlier revision.
func (s Status) data() []string {
	var known []Member
	for _, m := range s.Members {
		if m.Revision != nil {
			known = append(known, m)
		}
	}
	wrong := s.odd(s.atFurthest(known), func(m Member) string { return fmt.Sprint(*m.Revision) }, func(m Member, common string) string {
		text := fmt.Sprintf("%s is at revision %d, the others at %s, though the raft index is the same: the members hold different data", m.Endpoint, *m.Revision, common)
		if gap := distance(fmt.Sprint(*m.Revision), common); gap <= caught {
			text += ", unless something was written during the check: check again"
		}
		return text
	})
	for _, m := range known {
		for _, o := range known {
			if len(wrong) == 0 && m.Cluster == o.Cluster && m.progress() > o.progress() && *m.Revision+caught < *o.Revision {
				wrong = append(wrong, fmt.Sprintf("%s has applied more entries than %s, but is at an earlier revision (%d, the other %d): the members hold different data",
					m.Endpoint, o.Endpoint, *m.Revision, *o.Revision))
			}
		}
	}
	return wrong
}

// atFurthest returns the largest group of members that are in the same cluster and at the same
// index.
func (s Status) atFurthest(members []Member) []Member {
	groups := map[string][]Member{}
	var most []Member
	for _, m := range members {
		key := fmt.Sprintf("%x %d", m.Cluster, m.progress())
		groups[key] = append(groups[key], m)
		if len(groups[key]) > len(most) {
			most = groups[key]
		}
	}
	return most
}

func distance(a, b string) int64 {
	var x, y int64
	if n, err := fmt.Sscan(a+" "+b, &x, &y); err != nil || n != 2 {
		return caught + 1
	}
	return max(x-y, y-x)
}

// odd describes each member whose value differs from the most common value. If two values are
// equally common, the value of the first member counts as the most common.
func (s Status) odd(members []Member, of func(Member) string, say func(Member, string) string) (wrong []string) {
	count := map[string]int{}
	common := ""
	for _, m := range members {
		if v := of(m); v != "" {
			count[v]++
		}
	}
	for _, m := range members {
		if v := of(m); v != "" && (common == "" || count[v] > count[common]) {
			common = v
		}
	}
	for _, m := range members {
		if v := of(m); v != "" && v != common {
			wrong = append(wrong, say(m, common))
		}
	}
	return wrong
}

func (s Status) silent() (wrong []string) {
	for endpoint, why := range s.Missing {
		wrong = append(wrong, endpoint+" does not answer ("+why+")")
	}
	slices.Sort(wrong)
	return wrong
}

// raft finds members that have no leader, follow another leader, or are behind.
func (s Status) raft() (wrong []string) {
	furthest := s.Furthest()
	for _, m := range s.Members {
		switch {
		case m.LeaderID == 0:
			wrong = append(wrong, m.Endpoint+" has no leader")
		case m.Term == furthest.Term && furthest.LeaderID != 0 && m.LeaderID != furthest.LeaderID && m.Cluster == furthest.Cluster:
			wrong = append(wrong, fmt.Sprintf("%s follows another leader (%x) than %s (%x)", m.Endpoint, m.LeaderID, furthest.Endpoint, furthest.LeaderID))
		case m.Behind(furthest):
			wrong = append(wrong, fmt.Sprintf("%s is behind: term %d, index %d of %d", m.Endpoint, m.Term, m.Index, furthest.Index))
		}
	}
	return wrong
}

// ownErrors returns the errors that the members report. An alarm is listed once, because every
// member reports it.
func (s Status) ownErrors() []string {
	var alarms, others []string
	for _, m := range s.Members {
		for _, e := range m.Errors {
			found := alarmLine.FindStringSubmatch(strings.TrimSpace(e))
			if found == nil {
				others = append(others, m.Endpoint+" says "+redact.Line(e, lineLimit))
				continue
			}
			id, _ := strconv.ParseUint(found[1], 10, 64) // digits, or none: 0 is no member
			if words := alarmWords(id, found[2]); !slices.Contains(alarms, words) {
				alarms = append(alarms, words)
			}
		}
	}
	return append(serious(alarms), others...)
}

// room warns if a member's file is near its quota, else it returns "". The size of the file counts,
// not the part in use.
func (m Member) room(configured int64) string {
	quota, whose := m.quota(configured)
	if m.Size < quota/100*full {
		return ""
	}
	text := fmt.Sprintf("the file of %s is %s of a quota of %s%s", m.Endpoint, Bytes(m.Size), Bytes(quota), whose)
	if m.InUse != nil && *m.InUse < m.Size/2 {
		text += fmt.Sprintf("; only %s are in use, so defragmenting it frees space", Bytes(*m.InUse))
	}
	return text
}

// quota returns the limit of a member's file in bytes, and says where the limit comes from.
func (m Member) quota(configured int64) (bytes int64, whose string) {
	switch {
	case m.Quota != nil && *m.Quota > 0:
		return *m.Quota, ""
	case configured > 0:
		return configured, " (as configured)"
	default:
		return DefaultQuota, " (etcd's default: this version does not report its own)"
	}
}

// Room describes the size of the largest file and its quota. The result is "" if no member reports
// a quota.
func (s Status) Room() string {
	var largest *Member
	for i, m := range s.Members {
		if m.Quota != nil && *m.Quota > 0 && (largest == nil || m.Size > largest.Size) {
			largest = &s.Members[i]
		}
	}
	if largest == nil {
		return ""
	}
	return fmt.Sprintf("%s of a quota of %s", Bytes(largest.Size), Bytes(*largest.Quota))
}

// sizes finds members that use far more space than another member. This is listed last, because it
// is normal after only one member was defragmented (measured).
func (s Status) sizes() (wrong []string) {
	least := int64(-1)
	for _, m := range s.Members {
		if m.InUse != nil && (least < 0 || *m.InUse < least) {
			least = *m.InUse
		}
	}
	for _, m := range s.Members {
		if m.InUse != nil && *m.InUse > small && *m.InUse > differs*least {
			wrong = append(wrong, fmt.Sprintf("%s has %s in use, another member %s", m.Endpoint, Bytes(*m.InUse), Bytes(least)))
		}
	}
	return wrong
}

// Agree says which values are equal on all members. The caller has found no anomalies.
func (s Status) Agree() string {
	for _, m := range s.Members {
		if m.Revision == nil {
			return "term and index agree"
		}
	}
	return "term, index and revision agree"
}
