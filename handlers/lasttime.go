package handlers

import (
	"context"
	"fmt"
	"slices"

	"dhbot/internal/engine"
	"dhbot/internal/redact"
	"dhbot/runbooks"
)

// Limits of the comparison with the previous run, which approvers read on a phone.
const (
	lastAmong  = 50
	maxDiffers = 5
	differs    = 200 // maximum length of one difference, in runes
)

// lastTime compares a plan with the plan of the newest executed run of the same cluster, action and
// targets. If there is none, it uses the newest run of the same action for the same process. It
// returns nil if the store does not answer.
func (s *Service) lastTime(ctx context.Context, inputs runbooks.Inputs, plan runbooks.Plan) *engine.LastTime {
	ended, err := s.Runs.Recent(ctx, lastAmong)
	if err != nil {
		s.Logger.WarnContext(ctx, "the previous run could not be looked up", "err", err)
		return nil
	}
	before := lastOf(ended, inputs, plan)
	if before == nil {
		return &engine.LastTime{Among: len(ended)}
	}
	out := &engine.LastTime{ID: before.ID, State: before.State, Asked: before.Asked.Person, Among: len(ended)}
	if before.EndedAt != nil {
		out.At = *before.EndedAt
	}
	all := runbooks.Differences(before.Plan, plan)
	for _, d := range all[:min(len(all), maxDiffers)] {
		out.Differs = append(out.Differs, redact.Line(d, differs))
	}
	if more := len(all) - maxDiffers; more > 0 {
		out.Differs = append(out.Differs, fmt.Sprintf("and %d more", more))
	}
	return out
}

// lastOf returns the newest started run of the same action, preferably with the same
// targets, otherwise with the same process.
func lastOf(ended []engine.Stored, inputs runbooks.Inputs, plan runbooks.Plan) *engine.Run {
	var near *engine.Run
	for i := range ended {
		r := &ended[i].Run
		if r.StartedAt == nil || r.Plan.Cluster != plan.Cluster || r.Plan.Action != plan.Action || r.Inputs.Process != inputs.Process {
			continue
		}
		if slices.Equal(r.Plan.Targets, plan.Targets) {
			return r
		}
		if near == nil && inputs.Process != "" {
			near = r
		}
	}
	return near
}
