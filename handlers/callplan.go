package handlers

import (
	"time"

	"dhbot/handlers/call"
	"dhbot/internal/command"
	"dhbot/internal/command/parser"
	"dhbot/internal/status"
	"dhbot/runbooks"
	"dhbot/runbooks/planner"
)

// PlanText returns the plan of a typed command. It queries no host and stores nothing. The
// error is a *command.Question or a planner error.
func PlanText(g *command.Grammar, text string, now func() time.Time) (runbooks.Plan, error) {
	r, err := parser.Parse(g, parser.Input{Text: "plan " + text})
	if err != nil {
		return runbooks.Plan{}, err
	}
	c := call.New(call.Message{}, r)
	if assessesSeveral(c) {
		return together(g, c, now)
	}
	in, err := c.Inputs(now())
	if err != nil {
		return runbooks.Plan{}, err
	}
	planner := planner.Planner{Catalogs: g.Catalogs, Fleet: g.Fleet, Now: now}
	return planner.Plan(in)
}

// assessesSeveral reports whether a call queries several processes at once.
func assessesSeveral(c *call.Call) bool {
	return c.Process == nil && (c.Cmd.Verb == "status" || c.Cmd.Verb == "verify")
}

// together returns one plan for a read of several processes, in the order in which `status` queries
// the processes. The plan has no digest: a read needs no approval.
func together(g *command.Grammar, c *call.Call, now func() time.Time) (runbooks.Plan, error) {
	steps, targets, err := status.Reads(g.Catalogs, g.Fleet, now, c.Query())
	if err != nil {
		return runbooks.Plan{}, err
	}
	all := runbooks.Plan{
		Catalog: c.Catalog.Name,
		Cluster: c.Cluster.Name,
		Action:  c.Cmd.Action,
		Title:   c.Cmd.Verb,
		Class:   c.Cmd.Class,
		Locks:   []string{},
		Steps:   steps,
		Targets: targets,
	}
	for _, t := range targets {
		if p, ok := c.Catalog.Process(t.Process); ok && (all.Severity == runbooks.Unknown || p.Level.Worse(all.Severity)) {
			all.Severity = p.Level
		}
	}
	return all, nil
}
