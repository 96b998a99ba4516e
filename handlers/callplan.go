package handlers

import (
	"time"

	"dhbot/internal/command"
	"dhbot/internal/status"
	"dhbot/runbooks"
	"dhbot/runbooks/planner"
)

// PlanText resolves a typed command into what would run. It asks no host and
// stores nothing. The error is a *command.Question, or one of the planner's.
func PlanText(g *command.Grammar, text string, now func() time.Time) (runbooks.Plan, error) {
	r, err := g.Parse(command.Input{Text: "plan " + text})
	if err != nil {
		return runbooks.Plan{}, err
	}
	c := newCall(Message{}, r)
	if assessesSeveral(c) {
		return together(g, c, now)
	}
	in, err := c.inputs(now())
	if err != nil {
		return runbooks.Plan{}, err
	}
	planner := planner.Planner{Catalogs: g.Catalogs, Fleet: g.Fleet, Now: now}
	return planner.Plan(in)
}

// assessesSeveral says that a call looks at several processes at once.
func assessesSeveral(c *call) bool {
	return c.process == nil && (c.cmd.Verb == "status" || c.cmd.Verb == "verify")
}

// together is one plan for a read of several processes, as a host or a cluster
// is asked. It has no digest: a read takes no approval.
func together(g *command.Grammar, c *call, now func() time.Time) (runbooks.Plan, error) {
	steps, targets, err := status.Reads(g.Catalogs, g.Fleet, now, c.query())
	if err != nil {
		return runbooks.Plan{}, err
	}
	all := runbooks.Plan{
		Catalog: c.catalog.Name,
		Cluster: c.cluster.Name,
		Action:  c.cmd.Action,
		Title:   c.cmd.Verb,
		Class:   c.cmd.Class,
		Locks:   []string{},
		Steps:   steps,
		Targets: targets,
	}
	for _, t := range targets {
		if p, ok := c.catalog.Process(t.Process); ok && (all.Severity == runbooks.Unknown || p.Level.Worse(all.Severity)) {
			all.Severity = p.Level
		}
	}
	return all, nil
}
