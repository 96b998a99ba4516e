package handlers

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"dhbot/internal/card"
	"dhbot/internal/probe"
	"dhbot/internal/redact"
	"dhbot/internal/remote"
	"dhbot/runbooks"
)

const (
	// logsAction is the catalog's name of what reads a process's log.
	logsAction = "logs"
	// logLines is how much of each of its last two files is read: the most
	// that the catalog offers.
	logLines = "500"
	// logKept is how long a look at a log serves for other answers about the
	// same process: people ask again and again, and hosts have other work.
	logKept = time.Minute
)

// seenLog is a look at a log, kept for a while.
type seenLog struct {
	card.LogSeen
	why string
	pid int // of the process at that time
	// unwatched says that nobody watched the process then.
	unwatched bool
}

// seenLogs are the last looks, by cluster and target.
type seenLogs struct {
	mu   sync.Mutex
	last map[[2]string]seenLog
	// reading are the reads under way: who wants a log that is being read for
	// somebody else waits for the same answer.
	reading singleflight.Group
}

func (l *seenLogs) get(key [2]string, now time.Time) (seenLog, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen, ok := l.last[key]
	return seen, ok && now.Sub(seen.At) < logKept
}

// keep remembers a look, and completes it with where the log ended at an earlier
// one, if nobody has watched the process since.
func (l *seenLogs) keep(key [2]string, seen *seenLog) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if earlier := l.last[key]; seen.unwatched && earlier.unwatched {
		if seen.Before = earlier.Before; seen.Before.IsZero() {
			seen.Before = earlier.Log.Last
		}
	}
	if l.last == nil {
		l.last = map[[2]string]seenLog{}
	}
	l.last[key] = *seen
}

// logRead is what came of reading one process's log.
type logRead struct {
	index int // of the ask
	text  string
	why   string // why there is no text
	at    time.Time
}

// logLooks reads the logs of the processes that one status is about, beside
// its asks. Its methods are for the goroutine that fills the board.
type logLooks struct {
	s     *Service
	c     *call
	asks  []ask
	read  chan logRead
	begin func(index int)
	left  int             // reads under way
	begun []bool          // by ask
	early map[int]logRead // came before the supervisor's answer
	off   bool
}

// lookAtLogs begins to read, where wanted, every log that was not looked at a
// moment ago.
func (s *Service) lookAtLogs(ctx context.Context, wg *sync.WaitGroup, c *call, asks []ask, wanted bool) *logLooks {
	l := &logLooks{s: s, c: c, asks: asks, read: make(chan logRead, len(asks)), begun: make([]bool, len(asks)), early: map[int]logRead{}, off: !wanted}
	l.begin = func(i int) {
		l.begun[i] = true
		l.left++
		wg.Go(func() {
			l.read <- s.readShared(ctx, c, asks[i], i, l.key(i))
		})
	}
	for i, a := range asks {
		if l.offers(a) {
			if _, recent := s.seen.get(l.key(i), s.Now()); !recent {
				l.begin(i)
			}
		}
	}
	return l
}

// offers says that a process has a log that can be read for its lines.
func (l *logLooks) offers(a ask) bool {
	if l.off || len(a.process.Logs.App) == 0 {
		return false
	}
	_, err := l.c.catalog.Action(logsAction, a.process.ID)
	return err == nil
}

func (l *logLooks) key(i int) [2]string {
	return [2]string{l.c.cluster.Name, runbooks.Target{Process: l.asks[i].process.ID, Host: l.asks[i].host.Name}.String()}
}

// answered is called when the supervisor has answered: an earlier look will do
// for the very process that was up then, and for no other.
func (l *logLooks) answered(i int, row *card.Row) {
	if early, ok := l.early[i]; ok {
		l.judge(early, row)
		return
	}
	if !l.offers(l.asks[i]) || l.begun[i] {
		return
	}
	o := row.Observation
	seen, recent := l.s.seen.get(l.key(i), l.s.Now())
	switch up := o.State == probe.Up || o.State == probe.Trouble; {
	case recent && up && seen.pid == o.PID:
		row.Log, row.LogWhy = nil, seen.why
		if seen.why == "" {
			row.Log = &seen.LogSeen
		}
	case o.Known():
		l.begin(i)
	default: // a host that cannot be asked has no log to show either
	}
}

// take is called with each read that has ended, and says whether it is worth
// showing a status again that has been shown: that a log was not read is not.
func (l *logLooks) take(r logRead, row *card.Row) bool {
	l.left--
	if row.Pending {
		l.early[r.index] = r
		return true
	}
	l.judge(r, row)
	return r.why == ""
}

// judge finds in the log what counts since the process has settled.
func (l *logLooks) judge(r logRead, row *card.Row) {
	if !row.Observation.Known() {
		return // why the host could not be asked has been said
	}
	since := probe.LogSince(row.Observation, r.at)
	seen := seenLog{LogSeen: card.LogSeen{Log: probe.ReadLog(r.text, since), Since: since, At: r.at}, why: r.why, pid: row.Observation.PID}
	seen.unwatched = row.Observation.State == probe.NotMonitored || row.Observation.State == probe.Missing
	l.s.seen.keep(l.key(r.index), &seen)
	if row.LogWhy = r.why; r.why == "" {
		row.Log = &seen.LogSeen
	}
}

// readShared reads a log, or waits for who is reading it.
func (s *Service) readShared(ctx context.Context, c *call, a ask, index int, key [2]string) logRead {
	v, _, _ := s.seen.reading.Do(key[0]+" "+key[1], func() (any, error) {
		text, why := s.readLog(ctx, c, a)
		return logRead{text: text, why: why, at: s.Now()}, nil
	})
	r, ok := v.(logRead)
	if !ok {
		r.why = "Its log was not read"
	}
	r.index = index
	return r
}

// readLog reads the end of a process's log, this file of it and the one
// before: the catalog's own read of logs.
func (s *Service) readLog(ctx context.Context, c *call, a ask) (text, why string) {
	const unread = "Its log was not read: "
	in, plan, err := s.bind(ctx, runbooks.Inputs{
		Cluster: c.cluster.Name, Action: logsAction, Process: a.process.ID, Hosts: []string{a.host.Name},
		Params: map[string]string{"lines": logLines},
	})
	if err != nil {
		return "", unread + redact.Line(err.Error(), reasonRunes)
	}
	for _, st := range plan.Steps {
		if st.Kind != runbooks.Wait || st.Changes() {
			return "", unread + "the catalog's " + in.Action + " is no plain read"
		}
		r := s.Remote.Run(ctx, command(st))
		switch {
		case r.Outcome != remote.Answered:
			return "", unread + redact.Line(r.Outcome.String()+": "+r.Detail, reasonRunes)
		case r.Exit != 0 && r.Stdout.Total == 0:
			return "", unread + redact.Line(probe.Complaint(r), reasonRunes)
		}
		text += r.Stdout.String()
	}
	return text, ""
}
