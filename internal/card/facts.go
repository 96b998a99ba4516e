package card

import (
	"time"

	"dhbot/internal/engine"
	"dhbot/internal/observe"
	"dhbot/runbooks"
)

// Facts are what a card says, as data for programs: JSON whose keys stay.
// Severities are numbers of the incident key, 0 to 3, and null for unknown. One
// of the fields is set.
type Facts struct {
	Status *StatusFacts `json:"status,omitempty"`
	Run    *RunFacts    `json:"run,omitempty"`
}

// StatusFacts are what was found out about a process, a host or a cluster.
type StatusFacts struct {
	Cluster  string            `json:"cluster"`
	Host     string            `json:"host,omitempty"` // where one was asked about
	Severity runbooks.Severity `json:"severity"`       // the worst of all
	AsOf     time.Time         `json:"as_of"`          // of the oldest observation
	Findings []FindingFacts    `json:"findings"`
}

// FindingFacts are what was found out about one process on one host, or about a
// host where Process is empty.
type FindingFacts struct {
	Host     string            `json:"host"`
	Process  string            `json:"process,omitempty"`
	Severity runbooks.Severity `json:"severity"`
	// WorstCase is the level that it might be where Severity is unknown.
	WorstCase *runbooks.Severity `json:"worst_case,omitempty"`
	Pending   bool               `json:"pending,omitempty"` // the host has not answered yet
	// Code names what was found; it stays, where the headline may be worded anew.
	Code     observe.Code `json:"code,omitempty"`
	Headline string       `json:"headline"`
	Text     string       `json:"text,omitempty"`
	Run      string       `json:"run,omitempty"` // the open run that is about it
	Causes   []string     `json:"causes,omitempty"`
	At       time.Time    `json:"at,omitzero"` // of the observation
	// Maintenance is until when it is in maintenance.
	Maintenance time.Time `json:"maintenance_until,omitzero"`
}

// RunFacts are how a run is.
type RunFacts struct {
	ID       string            `json:"id"`
	Cluster  string            `json:"cluster"`
	Action   string            `json:"action"`
	Class    runbooks.Class    `json:"class"`
	Severity runbooks.Severity `json:"severity"`
	State    engine.State      `json:"state"`
	Why      string            `json:"why,omitempty"`
	Digest   string            `json:"digest"`
	Targets  []runbooks.Target `json:"targets"`
	Steps    []StepFacts       `json:"steps"`
}

// StepFacts are how a step of a run is.
type StepFacts struct {
	Host    string            `json:"host"`
	Process string            `json:"process,omitempty"`
	Kind    runbooks.StepKind `json:"kind"`
	Command string            `json:"command,omitempty"`
	State   engine.StepState  `json:"state"`
	Text    string            `json:"text,omitempty"`
	OldPID  int               `json:"old_pid,omitempty"`
	NewPID  int               `json:"new_pid,omitempty"`
}
