package card

import (
	"time"

	"dhbot/internal/engine"
	"dhbot/internal/observe"
	"dhbot/runbooks"
)

// Facts are the content of a card as data for programs, in JSON with stable keys. A severity is a
// number from 0 to 3, or null if it is unknown. Exactly one field is set.
type Facts struct {
	Status *StatusFacts `json:"status,omitempty"`
	Run    *RunFacts    `json:"run,omitempty"`
}

// StatusFacts are the state of a process, a host or a cluster.
type StatusFacts struct {
	Cluster  string            `json:"cluster"`
	Host     string            `json:"host,omitempty"` // set if the query was about one host
	Severity runbooks.Severity `json:"severity"`       // the worst of all findings
	AsOf     time.Time         `json:"as_of"`          // the time of the oldest observation
	Findings []FindingFacts    `json:"findings"`
}

// FindingFacts are the state of one process on one host, or of a host if Process is empty.
type FindingFacts struct {
	Host     string            `json:"host"`
	Process  string            `json:"process,omitempty"`
	Severity runbooks.Severity `json:"severity"`
	// WorstCase is the worst possible level if Severity is unknown.
	WorstCase *runbooks.Severity `json:"worst_case,omitempty"`
	Pending   bool               `json:"pending,omitempty"` // the host has not answered yet
	// Code identifies the finding. A code is stable; the text of a headline may change.
	Code     observe.Code `json:"code,omitempty"`
	Headline string       `json:"headline"`
	Text     string       `json:"text,omitempty"`
	Run      string       `json:"run,omitempty"` // the open run that acts on the process
	Causes   []string     `json:"causes,omitempty"`
	At       time.Time    `json:"at,omitzero"` // the time of the observation
	// Maintenance is when the maintenance of the process ends.
	Maintenance time.Time `json:"maintenance_until,omitzero"`
}

// RunFacts are the state of a run.
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

// StepFacts are the state of a step.
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
