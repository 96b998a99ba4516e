package fleet

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Maintenance is an announced time in which people work on a process. Problems of the process are
// then not an incident. A maintenance window covers every process on some hosts or in the cluster.
type Maintenance struct {
	Cluster string
	Process string // "" for a window
	Host    string // "" means every host; for a window one or several, from JoinHosts
	From    time.Time
	Until   time.Time
	By      string // who announced it, by their name in the config
	Reason  string // "" where none was given

	// Waits means that a window still needs another person's approval before it begins. Approver is
	// the person who approved it. Origin is the local user if the window was requested at a
	// terminal, otherwise "".
	Waits    bool
	Approver string
	Origin   string
	// Rev is the store's revision in which the window last changed, or 0 for a window that is not
	// stored yet.
	Rev int64
}

// IsWindow reports whether the announcement covers all processes of its hosts.
func (m Maintenance) IsWindow() bool { return m.Process == "" }

// JoinHosts returns the value of Maintenance.Host for a window that covers the named hosts.
func JoinHosts(names []string) string {
	return strings.Join(slices.Compact(slices.Sorted(slices.Values(names))), ",")
}

// Hosts returns the hosts of a window, or nil if the window covers the whole cluster.
func (m Maintenance) Hosts() []string {
	if m.Host == "" {
		return nil
	}
	return strings.Split(m.Host, ",")
}

// ID returns the id of a window. The id is a hash of everything that the approver approves, so it
// changes when the window changes.
func (m Maintenance) ID() string {
	data, err := json.Marshal([]any{m.Cluster, m.Host, m.From.UnixMilli(), m.Until.UnixMilli(), m.By, m.Reason})
	if err != nil {
		return "" // strings and numbers cannot fail
	}
	sum := sha256.Sum256(data)
	return "M-" + base32.StdEncoding.EncodeToString(sum[:])[:12]
}

// Target is what the announcement covers, in words: a process or hosts. A target has at most one
// announcement at a time.
func (m Maintenance) Target() string {
	switch {
	case m.IsWindow() && m.Host == "":
		return "every host"
	case m.IsWindow():
		return strings.Join(m.Hosts(), ", ")
	case m.Host == "":
		return m.Process
	}
	return m.Process + "@" + m.Host
}

// Compare orders announcements by cluster, process and host.
func (m Maintenance) Compare(o Maintenance) int {
	return cmp.Or(cmp.Compare(m.Cluster, o.Cluster), cmp.Compare(m.Process, o.Process), cmp.Compare(m.Host, o.Host))
}

// Covers reports whether the announcement covers this process on this host at t.
func (m Maintenance) Covers(cluster, process, host string, t time.Time) bool {
	about := m.Process == process && (m.Host == "" || m.Host == host)
	if m.IsWindow() {
		about = m.Host == "" || slices.Contains(m.Hosts(), host)
	}
	return about && !m.Waits && m.Cluster == cluster && !t.Before(m.From) && t.Before(m.Until)
}

// Over reports whether the announcement is over at t. A window that still waits for its approval is
// over when it should begin.
func (m Maintenance) Over(t time.Time) bool {
	if m.Waits {
		return !t.Before(m.From)
	}
	return !t.Before(m.Until)
}
