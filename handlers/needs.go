package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"dhbot/handlers/call"
	"dhbot/internal/engine"
	"dhbot/internal/incident"
	"dhbot/internal/refusal"
	"dhbot/internal/status"
	"dhbot/runbooks"
)

// needsPatience limits how long a request waits for the state of its dependencies. A request is not
// refused because an answer is missing.
const needsPatience = 5 * time.Second

// starts reports whether a plan starts a process, which needs its dependencies.
func starts(plan runbooks.Plan) bool {
	return slices.Contains([]string{"start", "restart", "monitor"}, plan.Action)
}

// needsServe refuses to start a process while a dependency is down, because the process would not
// start, and a restart could stop a process that still works. A dependency whose state is unknown
// does not count as down. The parameter anyway overrides the check.
func (s *Service) needsServe(ctx context.Context, plan runbooks.Plan, anyway bool) error {
	if anyway {
		return nil
	}
	process, why, err := s.unmet(ctx, plan)
	if err != nil || process == "" {
		return err
	}
	return refusal.New(call.NotUp, "Nothing was run: dependencies of %[1]s are not up: %[2]s. Start them first; `deps %[1]s` shows them. To run the command anyway, repeat it with anyway=yes.",
		process, why)
}

// needsStillServe repeats the check of needsServe directly before the start of a run.
func (s *Service) needsStillServe(ctx context.Context, r engine.Run, plan runbooks.Plan) error {
	if r.Anyway {
		return nil
	}
	process, why, err := s.unmet(ctx, plan)
	if err != nil || process == "" {
		return err
	}
	return fmt.Errorf("dependencies of %[1]s are no longer up: %[2]s; start them first (`deps %[1]s` shows them), or request the run again with anyway=yes", process, why)
}

// unmet returns the first process of a plan with a dependency that is down, and the reason. The
// result process is "" if there is none. Dependencies that the plan itself starts first do not
// count.
func (s *Service) unmet(ctx context.Context, plan runbooks.Plan) (process, why string, err error) {
	if !starts(plan) {
		return "", "", nil
	}
	catalog, ok := s.Catalogs.Get(plan.Catalog)
	if !ok {
		return "", "", fmt.Errorf("there is no catalog %q", plan.Catalog)
	}
	var before []string
	for _, t := range plan.Targets {
		if slices.Contains(before, t.Process) {
			continue
		}
		p, ok := catalog.Process(t.Process)
		if ok && len(p.Needs) > 0 {
			causes, err := s.unmetBy(ctx, plan, p.ID)
			causes = slices.DeleteFunc(causes, func(c status.Cause) bool { return slices.Contains(before, c.Process) })
			if err != nil || len(causes) > 0 {
				return p.ID, status.Because(causes), err
			}
		}
		before = append(before, t.Process)
	}
	return "", "", nil
}

// unmetBy returns the dependencies of one process of a plan that are down.
func (s *Service) unmetBy(ctx context.Context, plan runbooks.Plan, process string) ([]status.Cause, error) {
	targets := slices.DeleteFunc(slices.Clone(plan.Targets), func(t runbooks.Target) bool { return t.Process != process })
	scope := incident.Scope{Cluster: plan.Cluster, Process: process}
	b, err := s.Status.Assess(ctx, status.Query{Scope: scope, Targets: targets, Needs: process, Within: needsPatience})
	if errors.Is(err, status.ErrNothingThere) {
		return nil, nil
	}
	return b.Unmet, err
}
