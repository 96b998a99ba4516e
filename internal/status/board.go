package status

import (
	"time"

	"dhbot/internal/fleet"
	"dhbot/internal/observe"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// Board is the result of an assessment, about processes, hosts or a cluster.
type Board struct {
	Cluster string
	Host    string // "" unless the query is about one host
	Several string // the queried hosts or processes, "" for a single one or the whole cluster
	Rows    []Row
	At      time.Time
	// Unrecorded means that the state store did not answer, so the effects of runs are unknown.
	Unrecorded bool
	// Upstream has the rows of the dependencies of Rows.
	Upstream []Row
	// Maintenance is the announced maintenance.
	Maintenance []fleet.Maintenance
	// Hosts has the findings about hosts as a whole.
	Hosts []HostFinding
	// Needs is a process if the query was about its dependencies. It is "" for any other board.
	// Unmet has the dependencies that are not met, and Absent those that no host in the config
	// runs.
	Needs  string
	Unmet  []Cause
	Absent []string

	etcd      []etcdHealth // reported by the members of etcd
	summaries []summary
}

// Row is one process on one host.
type Row struct {
	Process     catalogs.Process
	Host        string
	Pending     bool   // no answer yet
	InWork      string // the open run about the process, or ""
	Held        string // the run whose current or recent step keeps the process from being an incident; or ""
	Command     string // the command that was sent
	Observation observe.Observation
	Finding     observe.Finding
	Causes      []Cause // the dependencies because of which the process is down or cannot work
	// Maintenance is the announced maintenance of the process, or nil.
	Maintenance *fleet.Maintenance
	// NotUp is the time since which the process has been starting or stopping. It is zero if
	// unknown.
	NotUp time.Time
	// Log is the summary of the process's log. If the log was not read, Log is nil and LogWhy is
	// the reason.
	Log    *observe.LogLook
	LogWhy string
	// ErrorsHeld means that the log has had too many errors a minute for too long (see Policy).
	ErrorsHeld bool
	// Stopped is how a run stopped the process. It is nil if no run did.
	Stopped *Stop
}

// Target returns the process and the host of the row.
func (r Row) Target() runbooks.Target { return runbooks.Target{Process: r.Process.ID, Host: r.Host} }

// Stop tells which run stopped a process, who requested it, and when.
type Stop struct {
	Run, By string
	At      time.Time
}

// HostFinding is a finding about a whole host, not about one of its processes.
type HostFinding struct {
	Host     string
	Code     observe.Code
	Severity runbooks.Severity
	Headline string
	Text     string
}

// Severity returns the severity of a row. It is Unknown if there is no answer yet.
func (r Row) Severity() runbooks.Severity {
	if r.Pending {
		return runbooks.Unknown
	}
	return r.Finding.Severity
}

// WorstCase returns the worst severity that a row of unknown severity could have.
func (r Row) WorstCase() runbooks.Severity {
	if r.Pending {
		return r.Process.Level
	}
	return r.Finding.WorstCase
}

// Worst returns the worst severity on the board. It is Unknown if the board has no rows.
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

// WorstCase returns the worst severity that the rows of unknown severity could have. It is None if
// there are no such rows.
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

// AsOf returns the time of the oldest observation on the board.
func (b Board) AsOf() time.Time {
	oldest := b.At
	for _, r := range b.Rows {
		if at := r.Observation.At; !r.Pending && !at.IsZero() && at.Before(oldest) {
			oldest = at
		}
	}
	return oldest
}
