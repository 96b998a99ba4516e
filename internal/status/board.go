package status

import (
	"time"

	"dhbot/internal/fleet"
	"dhbot/internal/observe"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// Board is the result about one process, one host or a cluster.
type Board struct {
	Cluster string
	Host    string // "" unless the query is about one host
	Several string // the queried hosts or processes, "" for a single one or the whole cluster
	Rows    []Row
	At      time.Time
	// Unrecorded means that the state store did not answer.
	Unrecorded bool
	// Upstream are the dependencies of the rows.
	Upstream []Row
	// Maintenance is the announced maintenance.
	Maintenance []fleet.Maintenance
	// Hosts are findings about hosts as a whole.
	Hosts []HostFinding
	// Needs is a process if the rows are its dependencies, "" for any other board. Unmet are the
	// unmet dependencies, and Absent the dependencies that no host of the config runs.
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
	// NotUp is the time since which the process has been starting or stopping; zero if unknown.
	NotUp time.Time
	// Log is the summary of the process's application log. It is nil if the log was not read;
	// LogWhy is then the reason.
	Log    *observe.LogLook
	LogWhy string
	// ErrorsHeld means that the process's log has had more errors a minute than allowed, for longer
	// than allowed.
	ErrorsHeld bool
	// Stopped is the run that stopped the process, nil for none.
	Stopped *Stop
}

// Target is the row's process on its host.
func (r Row) Target() runbooks.Target { return runbooks.Target{Process: r.Process.ID, Host: r.Host} }

// Stop is a stop of a process by a run.
type Stop struct {
	Run, By string
	At      time.Time
}

// HostFinding concerns a host, not one of its processes.
type HostFinding struct {
	Host     string
	Code     observe.Code
	Severity runbooks.Severity
	Headline string
	Text     string
}

// Severity of a row; without an answer it is unknown.
func (r Row) Severity() runbooks.Severity {
	if r.Pending {
		return runbooks.Unknown
	}
	return r.Finding.Severity
}

// WorstCase is the worst possible level of an unknown row.
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

// WorstCase is the worst possible level of the unknown rows, None if there are none.
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

// AsOf is the time of the oldest observation on the board.
func (b Board) AsOf() time.Time {
	oldest := b.At
	for _, r := range b.Rows {
		if at := r.Observation.At; !r.Pending && !at.IsZero() && at.Before(oldest) {
			oldest = at
		}
	}
	return oldest
}
