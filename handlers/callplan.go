package handlers

import (
	"fmt"
	"time"

	"dhbot/runbooks"
)

// Plan resolves a typed command into what would run. It asks no host and
// stores nothing. The error is a *Misunderstood, or one of the planner's.
func (s *Grammar) Plan(text string, now func() time.Time) (runbooks.Plan, error) {
	c, err := s.parse(Message{Text: text})
	if err != nil {
		return runbooks.Plan{}, err
	}
	if c.cmd.Action == "" {
		return runbooks.Plan{}, &Misunderstood{Text: fmt.Sprintf("%s makes no plan.", c.cmd.Verb)}
	}
	planner := runbooks.Planner{Catalogs: s.Catalogs, Fleet: s.Fleet, Now: now}
	if c.process == nil && c.cmd.Object == AnyTarget {
		return together(&planner, c)
	}
	in, err := c.inputs(now())
	if err != nil {
		return runbooks.Plan{}, err
	}
	return planner.Plan(in)
}

// together is one plan for a read of several processes, as a host or a cluster
// is asked. It has no digest: nobody approves a read.
func together(planner *runbooks.Planner, c *call) (runbooks.Plan, error) {
	asks, err := (&asker{planner: planner}).of(c)
	if err != nil {
		return runbooks.Plan{}, err
	}
	all := runbooks.Plan{Catalog: c.catalog.Name, Cluster: c.cluster.Name, Action: c.cmd.Action, Title: c.cmd.Verb, Class: c.cmd.Class, Locks: []string{}}
	for _, a := range asks {
		all.Steps = append(all.Steps, a.step)
		all.Targets = append(all.Targets, runbooks.Target{Process: a.process.ID, Host: a.host.Name})
		if all.Severity == runbooks.Unknown || a.process.Level.Worse(all.Severity) {
			all.Severity = a.process.Level
		}
	}
	return all, nil
}

// inputs are what a call's plan is made of; what varies is minted here, once.
func (c *call) inputs(now time.Time) (runbooks.Inputs, error) {
	in := runbooks.Inputs{Cluster: c.cluster.Name, Action: c.cmd.Action, Process: c.processID(), Params: c.params}
	if c.host != nil {
		in.Hosts = []string{c.host.Name}
	}
	action, err := c.catalog.Action(in.Action, in.Process)
	if err != nil {
		return in, err
	}
	in.Params, in.Minted = action.Settle(in.Params, now), action.Mint(now)
	return in, nil
}
