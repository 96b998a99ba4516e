package status

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"dhbot/internal/engine"
	"dhbot/internal/observe"
	"dhbot/internal/remote"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// look is one check of a scope. Only the goroutine of run uses its board. Other goroutines send
// their results to run.
type look struct {
	*Assessor
	scope *scope
	query Query
	board Board
	facts facts
	known bool // the facts have arrived
	found chan finding
}

// finding puts a result on the board of a look.
type finding func(*look)

// run queries all hosts and the store concurrently, and returns the board with their answers.
func (l *look) run(ctx context.Context) (Board, error) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	asking := ctx
	if l.query.Within > 0 {
		var stop context.CancelFunc
		asking, stop = context.WithTimeout(ctx, l.query.Within)
		defer stop()
	}
	jobs := l.jobs()
	l.found = make(chan finding, 2*len(jobs)+8)
	left := 0
	begin := func(ask func() finding) {
		left++
		wg.Go(func() {
			f := ask()
			l.found <- func(l *look) { f(l); left-- }
		})
	}
	for _, j := range jobs {
		begin(func() finding { return j.ask(asking) })
	}
	begin(func() finding {
		f := l.factsOf(asking)
		return func(l *look) { l.facts, l.known = f, true }
	})
	for _, step := range l.etcdSteps() {
		begin(func() finding {
			e := readEtcd(step, l.Remote.Run(asking, engine.CommandOf(step)))
			return func(l *look) { l.board.etcd = append(l.board.etcd, e) }
		})
	}
	for _, step := range l.summarySteps() {
		begin(func() finding {
			sum := summary{host: step.Host, result: l.Remote.Run(asking, engine.CommandOf(step))}
			return func(l *look) { l.board.summaries = append(l.board.summaries, sum) }
		})
	}
	if err := l.collect(ctx, &left); err != nil {
		return l.board, err
	}
	l.history.note(l)
	l.judge()
	return l.board, nil
}

// collect puts each result on the board when it arrives. While it waits, it passes partial results
// to the query's Partial.
func (l *look) collect(ctx context.Context, left *int) error {
	tick := time.NewTimer(FirstPartial)
	defer tick.Stop()
	changed := true
	for *left > 0 {
		select {
		case f := <-l.found:
			f(l)
			changed = true
		case <-tick.C:
			if changed && l.query.Partial != nil {
				l.judge()
				if err := l.query.Partial(l.snapshot()); err != nil {
					return err
				}
			}
			changed = false
			tick.Reset(nextPartial)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// snapshot returns a copy of the board for the caller of Assess.
func (l *look) snapshot() Board {
	b := l.board
	b.Rows, b.Upstream = slices.Clone(b.Rows), slices.Clone(b.Upstream)
	return b
}

// row returns the row of a target on the board, or nil.
func (l *look) row(t runbooks.Target) *Row {
	for _, rows := range [][]Row{l.board.Rows, l.board.Upstream} {
		for i := range rows {
			if rows[i].Target() == t {
				return &rows[i]
			}
		}
	}
	return nil
}

// job has the queries to one host.
type job struct {
	*look
	host      string
	processes []*catalogs.Process
	slots     chan struct{} // concurrent commands
	pids      observe.Pids  // of the host, after its supervisors answered
}

// jobs groups the queries by host.
func (l *look) jobs() []*job {
	atOnce := PerHost
	if l.query.Background {
		atOnce = BackgroundPerHost
	}
	var out []*job
	for _, t := range slices.Concat(l.scope.rows, l.scope.needs) {
		i := slices.IndexFunc(out, func(j *job) bool { return j.host == t.Host })
		if i < 0 {
			i = len(out)
			out = append(out, &job{look: l, host: t.Host, slots: make(chan struct{}, atOnce)})
		}
		p, _ := l.scope.catalog.Process(t.Process)
		out[i].processes = append(out[i].processes, p)
	}
	return out
}

// question is a read of the job's host, or the error because of which there is no read.
type question struct {
	step runbooks.Step
	err  error
}

// begin waits for a free slot, and sends questions to the host as one command. The returned
// function waits for the answer to one question. The caller must call it once for each question,
// because the last call frees the slot. If ctx ends first, no command is sent.
func (j *job) begin(ctx context.Context, questions []question) (answer func(i int) remote.Result) {
	var commands []remote.Command
	at := make([]int, len(questions))
	for i, q := range questions {
		at[i] = len(commands)
		if q.err == nil {
			commands = append(commands, engine.CommandOf(q.step))
		}
	}
	select {
	case j.slots <- struct{}{}:
	case <-ctx.Done():
		return func(int) remote.Result {
			return remote.Result{Detail: "the check ended before the host was queried", Ended: j.Now()}
		}
	}
	shared := j.shared.Begin(ctx, commands)
	var answered atomic.Int32
	return func(i int) remote.Result {
		if int(answered.Add(1)) == len(questions) {
			defer func() { <-j.slots }()
		}
		if err := questions[i].err; err != nil {
			return remote.Result{Detail: err.Error(), Ended: j.Now()}
		}
		return shared(at[i])
	}
}

// run runs one step.
func (j *job) run(ctx context.Context, st runbooks.Step, err error) remote.Result {
	if err != nil {
		return remote.Result{Detail: err.Error(), Ended: j.Now()}
	}
	return j.begin(ctx, []question{{step: st}})(0)
}

// told has what a host answered about one process.
type told struct {
	process     *catalogs.Process
	observation observe.Observation
	command     string
	log         logRead
}

// ask checks the host. One command reads the list of processes, the supervisors and the sizes of
// the logs. Then the new parts of the logs are read. If a supervisor's pid is missing from the
// list, the process may just have restarted, so the supervisors and the list are queried again.
func (j *job) ask(ctx context.Context) finding {
	first := j.round(ctx, true)
	list, gone := first.supervised()
	if gone && ctx.Err() == nil {
		list, _ = j.round(ctx, false).supervised()
	}
	early := slices.Clone(list)
	select {
	case j.found <- func(l *look) { l.fill(j.host, early) }:
	default: // these rows are filled when the logs have been read
	}
	logs := first.sizes()
	var wg sync.WaitGroup
	for i := range list {
		if list[i].observation.Known() {
			wg.Go(func() {
				if hasUnitLog(list[i].process) {
					list[i].log = j.readUnitLog(ctx, list[i])
				} else {
					list[i].log = j.readLog(ctx, list[i].process, logs)
				}
			})
		}
	}
	wg.Wait()
	return func(l *look) { l.fill(j.host, list) }
}

// fill puts the answers of a host into the host's rows. A row without an answer stays pending.
func (l *look) fill(host string, list []told) {
	for _, t := range list {
		row := l.row(runbooks.Target{Process: t.process.ID, Host: host})
		if row == nil || t.observation.Outcome == remote.NoOutcome {
			continue
		}
		row.Pending = false
		row.Observation = t.observation
		row.Command = t.command
		if t.log.asked {
			row.Log = nil
			row.LogWhy = t.log.why
			row.ErrorsHeld = false
			if t.log.why == "" {
				seen := t.log.span.LookAt(row.Observation, t.log.at)
				seen.Before = t.log.before
				if row.Observation.State == observe.NotMonitored || row.Observation.State == observe.Missing {
					l.logs.unwatched(key{l.scope.cluster.Name, row.Target()}, seen.Log.Last)
				} else {
					l.logs.unwatched(key{l.scope.cluster.Name, row.Target()}, time.Time{})
				}
				row.Log, row.ErrorsHeld = &seen, t.log.span.Held(l.Policy.ErrorRate, l.Policy.ErrorsFor, seen.Since)
			}
		}
	}
}
