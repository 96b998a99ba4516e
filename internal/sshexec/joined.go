package sshexec

import (
	"context"
	"crypto/rand"
	"slices"
	"time"

	"dhbot/internal/remote"
)

// mostJoined is the maximum length of a joined line in bytes. The limit for a single command is the
// same (runbooks.Quote).
const mostJoined = 16 << 10

// exitSignal is what a shell adds to a signal's number to form an exit code.
const exitSignal = 128

var _ remote.Joiner = (*Pool)(nil)

// RunAll implements remote.Joiner. Each read has its own exit code, output, output limit and time
// limit. The time of a read starts when the previous read has ended. If a read has no answer, or
// the line does not end as expected, Run runs the reads without a result, concurrently.
func (p *Pool) RunAll(ctx context.Context, reads []remote.Command, done func(i int, r remote.Result)) {
	j := &joined{Pool: p, reads: reads, done: done}
	if joinable(reads) && p.begin() {
		j.run(ctx)
		p.wg.Done()
	}
	rest := j.settled
	remote.RunEach(ctx, p, reads[rest:], func(i int, r remote.Result) { done(rest+i, r) })
}

// joinable reports whether commands can be sent as one line.
func joinable(reads []remote.Command) bool {
	return len(reads) > 1 && len(remote.Join(reads, "")) < mostJoined && !slices.ContainsFunc(reads, func(c remote.Command) bool {
		return c.Changes || c.Timeout <= 0 || keyOf(c) != keyOf(reads[0])
	})
}

// joined is the state of several reads that are sent as one line.
type joined struct {
	*Pool
	reads   []remote.Command
	done    func(i int, r remote.Result)
	settled int // number of reads with a result: reads get their results in order
	*session
	mark    string
	started time.Time // start of the first read without a result
}

// settle reports a result for the next read.
func (j *joined) settle(r remote.Result) {
	r.Started = j.started
	j.done(j.settled, told(j.reads[j.settled], r))
	j.settled++
	j.started = time.Now()
}

// run sends the line, and settles the reads in order until a read has no answer.
func (j *joined) run(ctx context.Context) {
	j.started = time.Now()
	conn, channel, requests, failed := j.open(ctx, keyOf(j.reads[0]))
	if failed != nil {
		for j.settled < len(j.reads) {
			j.settle(unsent(failed))
		}
		return
	}
	if conn.alone.Load() {
		j.settle(j.execute(ctx, conn, channel, requests, j.reads[0]))
		return
	}
	j.mark = "dhbot-" + rand.Text()
	j.session = newSession(channel, 2*j.cfg.KeepBytes, j.cfg.StopBytes)
	j.wrote = make(chan struct{}, 1)
	j.count(1)
	j.started = time.Now()
	j.wg.Go(func() { j.session.run(remote.Join(j.reads, j.mark), requests) })
	why := j.follow(ctx)
	j.wg.Go(func() {
		if why == finished { // otherwise do not wait for its shell
			j.awaitOutput()
		}
		j.finish(conn, j.session)
	})
	if j.settled < len(j.reads) {
		j.unfinished(ctx, conn, why)
	}
}

// follow settles the reads as they end, and returns why it stopped. The value finished means that
// all reads are settled or that no more output can come, and wroteMore means that the remaining
// reads must be sent separately. Any other value says what ended the wait.
func (j *joined) follow(ctx context.Context) end {
	for why := wroteMore; ; {
		switch goOn := why == wroteMore && !j.stderr.ends("\n"+j.mark+"\n") || j.take(); {
		case j.settled == len(j.reads):
			return finished
		case why != wroteMore:
			return why
		case !goOn:
			return wroteMore
		}
		limit := j.reads[j.settled].Timeout + killAfter + grace
		why = j.await(ctx, time.Until(j.started.Add(limit)))
	}
}

// take settles the reads that have ended. It returns false if the remaining reads must be sent
// separately. This is so if a signal or a time limit ended a read, or if output was dropped.
func (j *joined) take() bool {
	stdout, stderr := j.stdout.output(), j.stderr.output()
	parts, _ := remote.Split(stdout.Head, stderr.Head, j.mark)
	for _, part := range parts[min(j.settled, len(parts)):min(len(j.reads), len(parts))] {
		r := remote.Result{Outcome: remote.Answered, Exit: part.Exit, Stdout: j.bounded(part.Stdout), Stderr: j.bounded(part.Stderr)}
		if part.Exit > exitSignal && part.Exit != exitKilled {
			return false // the result of Run names the signal
		}
		if part.Exit == exitTimeout || part.Exit == exitKilled {
			missed(&r, j.reads[j.settled], remote.TimedOut, overdue(j.reads[j.settled]))
		}
		j.settle(r)
		if r.Outcome != remote.Answered {
			return false
		}
	}
	return stdout.Total == int64(len(stdout.Head)) && stderr.Total == int64(len(stderr.Head))
}

// bounded returns the output of one read, cut like the output of Run.
func (j *joined) bounded(text []byte) remote.Output {
	keep := min(len(text), j.cfg.KeepBytes)
	return remote.Output{Head: text[:keep], Tail: text[keep:], Total: int64(len(text))}
}

// unfinished settles reads after follow has stopped. If follow stopped waiting for a read,
// unfinished settles that read. If the connection was lost, it settles all remaining reads. RunAll
// sends the others separately.
func (j *joined) unfinished(ctx context.Context, k *conn, why end) {
	var r remote.Result
	c := j.reads[j.settled]
	switch {
	case why == overtime || why == cancelled || why == flooded:
		j.unseen(ctx, &r, c, why)
		j.settle(r)
	case why == finished && (j.exit == nil && !j.refused || k.wire.broken.Load()):
		missed(&r, c, remote.Unreachable, lost)
		for j.settled < len(j.reads) {
			j.settle(r)
		}
	case why == finished:
		stdout, stderr := j.stdout.output(), j.stderr.output()
		if _, begun := remote.Split(stdout.Head, stderr.Head, j.mark); !begun {
			k.alone.Store(true)
		}
	default:
	}
}
