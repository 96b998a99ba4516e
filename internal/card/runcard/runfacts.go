package runcard

import (
	"dhbot/internal/card"
	"dhbot/internal/engine"
)

// FactsOfRun returns a run as data.
func FactsOfRun(r engine.Run) *card.Facts {
	f := &card.RunFacts{
		ID:       r.ID,
		Cluster:  r.Plan.Cluster,
		Action:   r.Plan.Action,
		Class:    r.Plan.Class,
		Severity: r.Plan.Severity,
		State:    r.State,
		Why:      r.Why,
		Digest:   r.Plan.Digest,
		Targets:  r.Plan.Targets,
		Steps:    []card.StepFacts{},
	}
	for i, p := range r.Plan.Steps {
		s := card.StepFacts{Host: p.Host, Process: p.Process, Kind: p.Kind, Command: p.Command, State: engine.StepPending}
		if i < len(r.Steps) {
			done := r.Steps[i]
			s.State = done.State
			s.Text = done.Text
			s.OldPID, s.NewPID = done.OldPID, done.NewPID
		}
		f.Steps = append(f.Steps, s)
	}
	return &card.Facts{Run: f}
}
