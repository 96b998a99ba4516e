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
	// loopQuick is how many restarts within the last loopLooks checks are a crash loop. It is also
	// how many starts within a minute are a crash loop if the log has a fatal error.
	loopQuick = 2
	// loopLooks is a number of checks. The same number of restarts within these checks is a crash
	// loop, even if the process ended orderly before each restart.
	loopLooks = 3
	// loopSlow is how many restarts within loopWindow are a crash loop, however often the bot
	// checks.
	loopSlow = 3
	// loopOrderly is how many restarts within loopWindow are a crash loop, even if each looks like
	// a restart by a person.
	loopOrderly = 6
	loopWindow  = 15 * time.Minute
	// loopOver is the shortest time without a restart after which a crash loop is over. If the
	// restarts were far apart, it takes longer.
	loopOver = 2 * time.Minute
	// sameRestart is the largest difference between two observed times of the same restart.
	sameRestart = 3 * time.Second
	// sameStart is how much two times of the same start may differ, one from the process and one
	// from its log, because clocks differ.
	sameStart = 15 * time.Second
)

// history has what earlier checks observed about each process and each host's monit.
type history struct {
	mu     sync.Mutex
	lives  map[key]*lives
	cycles map[hostKey]*cycle
}

// lives has what earlier checks observed about one configured process, such as its pid and its
// restarts.
type lives struct {
	pid     int
	started time.Time
	// dead means that the last check found the process dead or restarting. If it was restarting,
	// again is the time of this check, and collected is the time at which monit had checked it.
	dead  bool
	again time.Time
	// failed means that the last attempt to start the process failed.
	failed    bool
	collected string
	// restarts has the times of recently observed restarts. starts has the times of recent starts
	// in the log, by the log's clock. Both are oldest first, and omit restarts by runs or during
	// maintenance.
	restarts, starts []time.Time
	fatal            bool        // the log has a fatal error after the first time in starts
	orderly          []time.Time // starts after an orderly end, from the log
	looks            []time.Time // times of the last checks
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

// prove records in an observation whether the host's list of processes has the pid. If monit
// reports no pid, because it does not monitor or know the process, prove looks up the last known
// pid.
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

// unwatched reports whether monit does not monitor or know a process. Such a process may still run.
// When its monitoring begins or ends, this does not indicate a restart.
func unwatched(o observe.Observation) bool {
	return o.State == observe.NotMonitored || o.State == observe.Missing
}

// note records the result of a check.
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

// see records one observation. It recognises a restart by a different pid, by a dead or restarting
// process, or, at the first check, by a process that is younger than a minute. A death and the
// start that follows it count as one restart.
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
		l.again = time.Time{} // the restarted process never ran
		l.collected = ""
	case o.State == observe.Recovering, o.Alive == observe.AliveGone && !unwatched(o):
		// monit reports a restart in progress for only one cycle. If a later cycle reports a
		// restart again, the process has crashed again, unless it never started.
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
			l.restarted(o.Started, excused) // the restarted process has ended, and this is the next process
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

// restarted records a restart.
func (l *lives) restarted(at time.Time, excused func(time.Time) bool) {
	if !excused(at) {
		l.restarts = append(l.restarts, at)
	}
}

// readIn records the starts that a process's log shows.
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

// disorderly returns the restarts before which the process did not end orderly. An orderly end
// suggests that a person restarted the process, and a few such restarts are not a crash loop.
func (l *lives) disorderly() []time.Time {
	return slices.DeleteFunc(slices.Clone(l.restarts), func(at time.Time) bool {
		return slices.ContainsFunc(l.orderly, func(o time.Time) bool { return at.Sub(o).Abs() < sameStart })
	})
}

// loop returns the crash loop of a process, or nil if it is in none.
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
	// Restarts after an orderly end are a crash loop if they are too frequent to be by people.
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

// startFailed reports whether the last attempt to start a process failed, and the process has not
// been observed running since.
func (h *history) startFailed(k key) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	l, ok := h.lives[k]
	return ok && l.failed
}

// lately counts the times in list after since.
func lately(list []time.Time, since time.Time) int {
	n := 0
	for _, t := range list {
		if t.After(since) {
			n++
		}
	}
	return n
}
