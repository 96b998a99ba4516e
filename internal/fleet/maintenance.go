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

// Maintenance is a time in which people work on a process: whatever its
// supervisor then says of it is no incident. A window is one over every process
// of some hosts, or of the cluster.
type Maintenance struct {
	Cluster string
	Process string // "" of a window
	Host    string // "" means every host; of a window one or several, as JoinHosts has them
	From    time.Time
	Until   time.Time
	By      string // who announced it, by the config's name
	Reason  string // "" where none was given

	// Waits says that a window still takes somebody else's approval before it
	// begins; Approver is who gave it. Origin is the user of the bot's machine
	// that a window was asked for by, "" where it was not asked for there.
	Waits    bool
	Approver string
	Origin   string
	// Rev is the revision of the store at which a window was last changed, 0 for
	// one that is not stored yet.
	Rev int64
}

// IsWindow reports whether it is over whole hosts.
func (m Maintenance) IsWindow() bool { return m.Process == "" }

// JoinHosts is the Host of a window over these hosts.
func JoinHosts(names []string) string {
	return strings.Join(slices.Compact(slices.Sorted(slices.Values(names))), ",")
}

// Hosts are the hosts of a window, none where it is over the cluster.
func (m Maintenance) Hosts() []string {
	if m.Host == "" {
		return nil
	}
	return strings.Split(m.Host, ",")
}

// ID names a window by everything that is approved of it.
func (m Maintenance) ID() string {
	data, err := json.Marshal([]any{m.Cluster, m.Host, m.From.UnixMilli(), m.Until.UnixMilli(), m.By, m.Reason})
	if err != nil {
		return "" // strings and numbers cannot fail
	}
	sum := sha256.Sum256(data)
	return "M-" + base32.StdEncoding.EncodeToString(sum[:])[:12]
}

// Target is what the announcement is about: there is one for each target at a
// time.
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

// Covers says that the announcement is about this process on this host at t.
func (m Maintenance) Covers(cluster, process, host string, t time.Time) bool {
	about := m.Process == process && (m.Host == "" || m.Host == host)
	if m.IsWindow() {
		about = m.Host == "" || slices.Contains(m.Hosts(), host)
	}
	return about && !m.Waits && m.Cluster == cluster && !t.Before(m.From) && t.Before(m.Until)
}

// Over says that it has ended by itself at t: a window that nobody approved ends
// when it would begin.
func (m Maintenance) Over(t time.Time) bool {
	if m.Waits {
		return !t.Before(m.From)
	}
	return !t.Before(m.Until)
}
