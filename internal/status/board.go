// Package status finds out how processes are: it asks hosts, reads logs, and
// judges the answers by what should be there. Every surface that says how a
// process is (the answers to `status` and `verify`, Home, the monitor, the check
// that ends a sequence) shows what it returns, so that none is greener than
// another.
package status

import (
	"time"

	"dhbot/internal/fleet"
	"dhbot/internal/observe"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// Board is what was found out about one process, one host or a cluster.
type Board struct {
	Cluster string
	Host    string // "" unless one host was asked about
	Several string // the hosts or processes that were asked about, "" for one, and for the whole cluster
	Rows    []Row
	At      time.Time
	// Unrecorded says that the state store did not answer.
	Unrecorded bool
	// Upstream is what else was asked: what the rows need.
	Upstream []Row
	// Maintenance is what people work on.
	Maintenance []fleet.Maintenance
	// Hosts are findings about hosts as a whole.
	Hosts []HostFinding
	// Needs is the process whose needs the rows are, "" for any other board.
	// Unmet are those that are not met, and Absent those that no host of the
	// config runs.
	Needs  string
	Unmet  []Cause
	Absent []string

	etcd      []etcdHealth // what the members of etcd say of themselves
	summaries []summary
}

// Row is one process on one host.
type Row struct {
	Process     catalogs.Process
	Host        string
	Pending     bool   // not answered yet
	InWork      string // the open run that is about it, or ""
	Held        string // the run whose step acts on it, or did until a moment ago; no incident meanwhile
	Command     string // what was asked
	Observation observe.Observation
	Finding     observe.Finding
	Causes      []Cause // upstream, where it is out or cannot work because of something else
	// Maintenance is what was announced of it, or nil.
	Maintenance *fleet.Maintenance
	// NotUp is since when it has been on its way up, where it was followed
	// for that long.
	NotUp time.Time
	// Log is what its application log says, nil where it was not read, and
	// LogWhy why it could not be.
	Log    *observe.LogLook
	LogWhy string
	// ErrorsHeld says that its log has held more errors a minute than the
	// config allows, for as long as it allows.
	ErrorsHeld bool
	// Stopped is the run that stopped it, nil where none did.
	Stopped *Stop
}

// Target is the row's process on its host.
func (r Row) Target() runbooks.Target { return runbooks.Target{Process: r.Process.ID, Host: r.Host} }

// Stop is a run's own stop of a process.
type Stop struct {
	Run, By string
	At      time.Time
}

// HostFinding is about a host and not about one of its processes.
type HostFinding struct {
	Host     string
	Code     observe.Code
	Severity runbooks.Severity
	Headline string
	Text     string
}

// Severity of a row; what has not answered is unknown.
func (r Row) Severity() runbooks.Severity {
	if r.Pending {
		return runbooks.Unknown
	}
	return r.Finding.Severity
}

// WorstCase is, of a row that is unknown, the level that it might be.
func (r Row) WorstCase() runbooks.Severity {
	if r.Pending {
		return r.Process.Level
	}
	return r.Finding.WorstCase
}

// Worst is the worst severity on the board.
func (b Board) Worst() runbooks.Severity {
	worst := runbooks.None
	if len(b.Rows) == 0 {
		return runbooks.Unknown
	}
	for _, r := range b.Rows {
		worst = worse(worst, r.Severity())
	}
	for _, h := range b.Hosts {
		worst = worse(worst, h.Severity)
	}
	return worst
}

// WorstCase is the worst level that anything unknown on the board might be,
// None where nothing is unknown.
func (b Board) WorstCase() runbooks.Severity {
	worst := runbooks.None
	for _, r := range b.Rows {
		if r.Severity() == runbooks.Unknown {
			worst = worse(worst, r.WorstCase())
		}
	}
	return worst
}

func worse(a, b runbooks.Severity) runbooks.Severity {
	if b.Worse(a) {
		return b
	}
	return a
}

// AsOf is the time of the oldest observation on the board: nothing shown is
// older than it says.
func (b Board) AsOf() time.Time {
	oldest := b.At
	for _, r := range b.Rows {
		if at := r.Observation.At; !r.Pending && !at.IsZero() && at.Before(oldest) {
			oldest = at
		}
	}
	return oldest
}
