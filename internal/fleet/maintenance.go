package fleet

import (
	"cmp"
	"time"
)

// Maintenance is a time in which people work on a process: whatever its
// supervisor then says of it is no incident.
type Maintenance struct {
	Cluster string
	Process string
	Host    string // "" means every host of the process
	From    time.Time
	Until   time.Time
	By      string // who announced it, by the config's name
	Reason  string // "" where none was given
}

// Target is what the announcement is about: there is one for each target at a
// time.
func (m Maintenance) Target() string {
	if m.Host == "" {
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
	return m.Cluster == cluster && m.Process == process && (m.Host == "" || m.Host == host) &&
		!t.Before(m.From) && t.Before(m.Until)
}

// Over says that it has ended by itself at t.
func (m Maintenance) Over(t time.Time) bool { return !t.Before(m.Until) }
