package handlers

import (
	"sync"

	"dhbot/internal/card"
	"dhbot/internal/fleet"
	"dhbot/runbooks"
)

// statusAction is the catalog's name of what asks a supervisor.
const statusAction = "status"

// ask is one status command.
type ask struct {
	process *runbooks.Process
	host    *fleet.Host
	step    runbooks.Step
}

// asker knows with which commands a status is asked for. They are the same each
// time, as long as catalogs and fleet are, and so they are planned once.
type asker struct {
	planner *runbooks.Planner
	planned sync.Map // asked → []ask, which nobody changes
}

// asked is a process on a host of a cluster.
type asked struct {
	cluster *fleet.Cluster
	process *runbooks.Process
	host    *fleet.Host
}

// of resolves a status call into the commands to send, hosts in config order.
func (a *asker) of(c *call) ([]ask, error) {
	var out []ask
	for i := range c.cluster.Hosts {
		h := &c.cluster.Hosts[i]
		if c.host != nil && h.Name != c.host.Name {
			continue
		}
		for _, id := range h.Processes {
			if c.process != nil && id != c.process.ID {
				continue
			}
			p, ok := c.catalog.Process(id)
			if !ok {
				continue // the config's cross-check reports it
			}
			asks, err := a.one(asked{c.cluster, p, h})
			if err != nil {
				return nil, err
			}
			out = append(out, asks...)
		}
	}
	return out, nil
}

// about are the status commands of processes that the call did not name.
func (a *asker) about(c *call, targets []runbooks.Target) ([]ask, error) {
	var out []ask
	for _, t := range targets {
		p, known := c.catalog.Process(t.Process)
		h, there := c.cluster.Host(t.Host)
		if !known || !there {
			continue // the catalog's and the config's checks report it
		}
		asks, err := a.one(asked{c.cluster, p, h})
		if err != nil {
			return nil, err
		}
		out = append(out, asks...)
	}
	return out, nil
}

func (a *asker) one(of asked) ([]ask, error) {
	if asks, ok := a.planned.Load(of); ok {
		return asks.([]ask), nil
	}
	plan, err := a.planner.Plan(runbooks.Inputs{Cluster: of.cluster.Name, Action: statusAction, Process: of.process.ID, Hosts: []string{of.host.Name}})
	if err != nil {
		return nil, err
	}
	asks := make([]ask, len(plan.Steps))
	for i, st := range plan.Steps {
		asks[i] = ask{of.process, of.host, st}
	}
	a.planned.Store(of, asks)
	return asks, nil
}

// rowsOf are the rows that the asks will fill.
func rowsOf(asks []ask) []card.Row {
	rows := make([]card.Row, len(asks))
	for i, a := range asks {
		rows[i] = card.Row{Process: *a.process, Host: a.host.Name, Pending: true}
	}
	return rows
}
