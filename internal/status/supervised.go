package status

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"dhbot/internal/fleet"
	"dhbot/internal/observe"
	"dhbot/internal/remote"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
	"dhbot/runbooks/planner"
)

// round is a set of reads that are sent to a host as one command. The first is the list of
// processes, because reading it cannot block. Then come the queries to the supervisors. The last is
// the read of the logs' sizes, because the logs may be on a file server that does not answer.
type round struct {
	*job
	asks   []ask
	listed bool // the list of processes is requested
	logs   []string
	answer func(i int) remote.Result
}

func (j *job) round(ctx context.Context, withLogs bool) *round {
	r := &round{job: j, asks: j.asks(), listed: j.monitored() || j.unitLogged()}
	var questions []question
	if r.listed {
		st, err := j.reads().Pids()
		questions = append(questions, question{st, err})
	}
	for _, a := range r.asks {
		questions = append(questions, question{a.step, a.err})
	}
	if withLogs {
		r.logs = j.logPaths()
	}
	if len(r.logs) > 0 {
		st, err := j.statStep()
		questions = append(questions, question{st, err})
	}
	r.answer = j.begin(ctx, questions)
	return r
}

// supervised returns what the supervisors answered about each process. The result gone means that
// the list of processes lacks one of their pids.
func (r *round) supervised() (list []told, gone bool) {
	list = make([]told, len(r.processes))
	for i, p := range r.processes {
		list[i] = told{process: p}
	}
	var pids observe.Pids
	unlisted := errors.New("not queried")
	at := 0
	if r.listed {
		pids, unlisted = observe.ReadPids(r.answer(at))
		at++
	}
	for _, a := range r.asks {
		said := r.answer(at)
		at++
		for _, i := range a.about {
			list[i].observation, list[i].command = a.read(list[i].process, said), a.step.Command
		}
	}
	r.pids = pids
	for i := range list {
		o := &list[i].observation
		if unlisted == nil && o.Manager == runbooks.Monit {
			r.history.prove(r.key(list[i].process), o, pids)
			gone = gone || o.Alive == observe.AliveGone && !unwatched(*o)
		}
	}
	return list, gone
}

// sizes returns the sizes of all logs of the host's processes.
func (r *round) sizes() logSizes {
	if len(r.logs) == 0 {
		return logSizes{}
	}
	at := len(r.asks)
	if r.listed {
		at++
	}
	return readSizes(r.logs, r.answer(at))
}

func (j *job) key(p *catalogs.Process) key {
	return key{j.scope.cluster.Name, runbooks.Target{Process: p.ID, Host: j.host}}
}

func (j *job) reads() planner.HostReads {
	h, _ := j.scope.cluster.Host(j.host)
	return planner.ReadsOf(j.scope.catalog, h)
}

// monitored reports whether monit supervises any process of the job.
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

// asks returns the queries to the supervisors. If monit supervises only one process of the job,
// monit is queried about this process by name. If it supervises several, monit is queried about all
// services at once.
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

// askOne returns the query about one process, which is the catalog's own command.
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

// Reads returns the reads with which a check of a query begins, host by host, and the targets of
// the check. It does not include the reads of logs that follow.
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
