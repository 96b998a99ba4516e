package status

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"dhbot/internal/observe"
	"dhbot/runbooks"
)

const (
	// loopQuick is how many restarts make a loop within loopLooks looks, or
	// within so short a time that the log of one look shows them; loopSlow is
	// how many do within loopWindow, however often it is looked at. loopOrderly is
	// the same for restarts that each follow an orderly end, as by hand.
	loopQuick   = 2
	loopLooks   = 3
	loopSlow    = 3
	loopOrderly = 6
	loopWindow  = 15 * time.Minute
	// loopOver is how long a process must have been up for its loop to be over.
	loopOver = 2 * time.Minute
	// sameRestart is how close two signs of a restart are to be of one.
	sameRestart = 3 * time.Second
	// sameStart is how far the start of a process and the word of its log about
	// it may be apart, with clocks that differ.
	sameStart = 15 * time.Second
)

// history is what earlier looks have seen of each process.
type history struct {
	mu     sync.Mutex
	lives  map[key]*lives
	cycles map[hostKey]*cycle
}

// lives are the processes that were seen under one name.
type lives struct {
	pid     int
	started time.Time
	// dead says that the last look saw it dead, or being started again; of the
	// latter again is when that was, and collected when monit had looked then.
	dead  bool
	again time.Time
	// failed says that the last attempt to start it was seen to fail.
	failed    bool
	collected string
	// restarts are those that were seen lately, and starts those that its log
	// tells of, by the log's own clock; oldest first, without those of runs and
	// maintenance.
	restarts, starts []time.Time
	fatal            bool        // the log tells of a fatal error since the first of starts
	orderly          []time.Time // starts that followed an orderly end, by the log
	looks            []time.Time // the last few
}

func (h *history) of(k key) *lives {
	if h.lives == nil {
		h.lives = map[key]*lives{}
	}
	l := h.lives[k]
	if l == nil {
		l = &lives{}
		h.lives[k] = l
	}
	return l
}

// prove completes an observation with what the host's list of processes says.
// Of a process that monit does not watch or does not know, and so names no pid
// of, the pid from before is looked for.
func (h *history) prove(k key, o *observe.Observation, pids observe.Pids) {
	pids.Prove(o)
	if !unwatched(*o) || o.PID != 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if l := h.of(k); l.pid != 0 {
		o.PID, o.Started = l.pid, l.started
		o.Alive = pids.Runs(l.pid, l.started)
	}
}

// unwatched says that monit does not watch a process, or does not know it: it may
// run all the same, and whether it does is no restart.
func unwatched(o observe.Observation) bool {
	return o.State == observe.NotMonitored || o.State == observe.Missing
}

// note takes in what a look has seen.
func (h *history) note(l *look) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hear(l.scope.cluster.Name, slices.Concat(l.board.Rows, l.board.Upstream))
	for _, rows := range [][]Row{l.board.Rows, l.board.Upstream} {
		for i := range rows {
			r := &rows[i]
			if r.Pending || !r.Observation.Known() {
				continue
			}
			excused := func(at time.Time) bool { return l.facts.touched(r.Target(), at) || inMaintenance(l, r.Target(), at) }
			lives := h.of(key{l.scope.cluster.Name, r.Target()})
			lives.see(r.Observation, excused)
			if r.Log != nil {
				lives.readIn(r.Log.Span, r.Observation.At, excused)
			}
		}
	}
}

func inMaintenance(l *look, t runbooks.Target, at time.Time) bool {
	for _, m := range l.facts.maintenance {
		if m.Covers(l.scope.cluster.Name, t.Process, t.Host, at) {
			return true
		}
	}
	return false
}

// see takes in one observation. A restart shows as another pid, as a process
// that is younger than a minute at the first look, or as one that is dead or
// just started again. What is dead and then another process is one restart.
func (l *lives) see(o observe.Observation, excused func(time.Time) bool) {
	at, first := o.At, l.pid == 0
	l.failed = l.failed && (o.State != observe.Up || o.Alive == observe.AliveGone)
	l.looks = append(l.looks, at)
	l.looks = l.looks[max(0, len(l.looks)-loopLooks):]
	switch {
	case o.State == observe.Failed:
		l.failed = true
		if !l.dead {
			l.restarted(at, excused)
		}
		l.dead = true
		l.again = time.Time{} // what was being started never ran
		l.collected = ""
	case o.State == observe.Recovering, o.Alive == observe.AliveGone && !unwatched(o):
		// monit says so for one cycle only: in another it has died again, but for
		// one that never started.
		if !l.dead || o.State == observe.Recovering && !l.failed && l.collected != "" && o.Collected != l.collected {
			l.restarted(at, excused)
		}
		l.dead = true
		l.again = time.Time{}
		l.collected = ""
		if o.State == observe.Recovering {
			l.again, l.collected = at, o.Collected
		}
	case o.Alive == observe.AliveProved && !unwatched(o):
		another := o.PID != l.pid || o.Started.Sub(l.started).Abs() > sameRestart
		switch {
		case !another:
		case first && !l.dead && at.Sub(o.Started) < time.Minute, !first && !l.dead:
			l.restarted(o.Started, excused)
		case l.dead && !l.again.IsZero() && o.Started.Sub(l.again) > sameRestart:
			l.restarted(o.Started, excused) // not the process that was being started then
		}
		l.pid = o.PID
		l.started = o.Started
		l.dead = false
	case o.Manager == runbooks.Systemd && o.PID != 0:
		if !first && o.PID != l.pid && !l.dead {
			l.restarted(at, excused)
		}
		l.pid = o.PID
		l.started = at
		l.dead = false
	}
	l.restarts = slices.DeleteFunc(l.restarts, func(t time.Time) bool { return at.Sub(t) > loopWindow })
}

// restarted notes a restart.
func (l *lives) restarted(at time.Time, excused func(time.Time) bool) {
	if !excused(at) {
		l.restarts = append(l.restarts, at)
	}
}

// readIn takes in what a log says of its process's starts.
func (l *lives) readIn(span observe.LogSpan, now time.Time, excused func(time.Time) bool) {
	l.starts = nil
	l.orderly = nil
	l.fatal = false
	last := ""
	for _, e := range span.Events {
		started := e.Word == "INITIALIZING" && now.Sub(e.At) <= loopWindow
		switch {
		case started && last == "SHUTTING_DOWN":
			l.orderly = append(l.orderly, e.At)
		case started && !excused(e.At):
			l.starts = append(l.starts, e.At)
		case e.Fatal && len(l.starts) > 0:
			l.fatal = true
		}
		last = cmp.Or(e.Word, last)
	}
}

// disorderly are the restarts that did not follow an orderly end: what people
// restart time and again is no crash loop.
func (l *lives) disorderly() []time.Time {
	return slices.DeleteFunc(slices.Clone(l.restarts), func(at time.Time) bool {
		return slices.ContainsFunc(l.orderly, func(o time.Time) bool { return at.Sub(o).Abs() < sameStart })
	})
}

// loop is what is known of a process's dying again and again, nil where it
// does not.
func (h *history) loop(k key, now time.Time) *observe.Loop {
	h.mu.Lock()
	defer h.mu.Unlock()
	l, ok := h.lives[k]
	if !ok {
		return nil
	}
	window := now
	if len(l.looks) >= loopLooks {
		window = l.looks[0].Add(-time.Minute)
	}
	list := l.disorderly()
	quick := lately(list, window) >= loopQuick
	told := l.fatal && lately(l.starts, now.Add(-time.Minute)) >= loopQuick
	slow := max(len(list), len(l.starts)) >= loopSlow
	if len(l.starts) > len(list) {
		list = l.starts
	}
	// What ends in an orderly way each time is a loop where it is too often for
	// people.
	if lately(l.restarts, window) >= loopLooks || len(l.restarts) >= loopOrderly {
		quick = true
		list = l.restarts
	}
	if !quick && !told && !slow || len(list) == 0 {
		return nil
	}
	longest := time.Duration(0)
	for i := 1; i < len(list); i++ {
		longest = max(longest, list[i].Sub(list[i-1]))
	}
	if now.Sub(list[len(list)-1]) > max(loopOver, 2*longest) {
		return nil
	}
	return &observe.Loop{Restarts: len(list), Since: list[0]}
}

// startFailed says that the last attempt to start a process was seen to fail,
// and that it has not been seen to run since.
func (h *history) startFailed(k key) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	l, ok := h.lives[k]
	return ok && l.failed
}

// lately counts the times since a moment.
func lately(list []time.Time, since time.Time) int {
	n := 0
	for _, t := range list {
		if t.After(since) {
			n++
		}
	}
	return n
}
