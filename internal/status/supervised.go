package status

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"dhbot/internal/fleet"
	"dhbot/internal/observe"
	"dhbot/internal/remote"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
	"dhbot/runbooks/planner"
)

// supervised queries the supervisors of the host's processes, and the host's list of pids. A
// missing pid may only be older than the list, so then both are queried again.
func (j *job) supervised(ctx context.Context) []told {
	list, gone := j.supervisedOnce(ctx)
	if gone && ctx.Err() == nil {
		list, _ = j.supervisedOnce(ctx)
	}
	return list
}

func (j *job) supervisedOnce(ctx context.Context) (list []told, gone bool) {
	list = make([]told, len(j.processes))
	for i, p := range j.processes {
		list[i] = told{process: p}
	}
	var wg sync.WaitGroup
	for _, a := range j.asks() {
		wg.Go(func() {
			r := j.run(ctx, a.step, a.err)
			for _, i := range a.about {
				list[i].observation, list[i].command = a.read(list[i].process, r), a.step.Command
			}
		})
	}
	var pids observe.Pids
	unlisted := errors.New("not asked for")
	if j.monitored() || j.unitLogged() {
		wg.Go(func() {
			st, err := j.reads().Pids()
			pids, unlisted = observe.ReadPids(j.run(ctx, st, err))
		})
	}
	wg.Wait()
	j.pids = pids
	for i := range list {
		o := &list[i].observation
		if unlisted == nil && o.Manager == runbooks.Monit {
			j.history.prove(j.key(list[i].process), o, pids)
			gone = gone || o.Alive == observe.AliveGone && !unwatched(*o)
		}
	}
	return list, gone
}

func (j *job) key(p *catalogs.Process) key {
	return key{j.scope.cluster.Name, runbooks.Target{Process: p.ID, Host: j.host}}
}

func (j *job) reads() planner.HostReads {
	h, _ := j.scope.cluster.Host(j.host)
	return planner.ReadsOf(j.scope.catalog, h)
}

// monitored reports whether monit supervises one of the processes.
func (j *job) monitored() bool {
	return slices.ContainsFunc(j.processes, func(p *catalogs.Process) bool { return p.Manager == runbooks.Monit })
}

// ask is one query to a supervisor about some of the job's processes.
type ask struct {
	step  runbooks.Step
	err   error
	about []int
	read  func(*catalogs.Process, remote.Result) observe.Observation
}

// asks are the queries to the supervisors: to monit for one service by its name, for several for
// all services at once.
func (j *job) asks() []ask {
	var out []ask
	var monit []int
	for i, p := range j.processes {
		if p.Manager == runbooks.Monit {
			monit = append(monit, i)
			continue
		}
		out = append(out, j.askOne(i))
	}
	switch len(monit) {
	case 0:
		return out
	case 1:
		return append(out, j.askOne(monit[0]))
	}
	listed := func(p *catalogs.Process, r remote.Result) observe.Observation {
		return observe.ObserveListed(p.Service, r)
	}
	st, err := j.reads().Monit()
	return append(out, ask{step: st, err: err, about: monit, read: listed})
}

// askOne queries one process with the catalog's own command.
func (j *job) askOne(i int) ask {
	p := j.processes[i]
	alone := func(p *catalogs.Process, r remote.Result) observe.Observation {
		return observe.Observe(p.Manager, p.Service, r)
	}
	steps, err := j.plan(plannedRead{cluster: j.scope.cluster.Name, action: "status", process: p.ID, host: j.host})
	if err != nil || len(steps) == 0 {
		return ask{err: cmp.Or(err, errors.New("the catalog has no status")), about: []int{i}, read: alone}
	}
	return ask{step: steps[0], about: []int{i}, read: alone}
}

// Reads are the first reads of a check of a scope, host by host, and their targets; reads of logs
// follow.
func Reads(catalogs catalogs.Set, fl *fleet.Fleet, now func() time.Time, q Query) ([]runbooks.Step, []runbooks.Target, error) {
	a := &Assessor{planner: &planner.Planner{Catalogs: catalogs, Fleet: fl, Now: now}}
	a.Catalogs = catalogs
	a.Fleet = fl
	a.Now = now
	s, err := a.resolve(q)
	if err != nil {
		return nil, nil, err
	}
	l := &look{Assessor: a, scope: s, query: q}
	var out []runbooks.Step
	for _, j := range l.jobs() {
		for _, ask := range j.asks() {
			if ask.err != nil {
				return nil, nil, ask.err
			}
			out = append(out, ask.step)
		}
		for _, more := range []func() (runbooks.Step, error){j.reads().Pids, j.statStep} {
			if st, err := more(); err == nil && st.Sent != "" {
				out = append(out, st)
			}
		}
	}
	return slices.Concat(out, l.summarySteps(), l.etcdSteps()), s.rows, nil
}
