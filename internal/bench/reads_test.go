package bench

import (
	"context"
	"slices"
	"sync"
	"testing"

	"dhbot/internal/app"
	"dhbot/internal/remote"
)

// line is a line that is sent to one host for a status.
type line struct{ host, sent string }

// recorder passes reads to another runner, and records the lines in which the reads are sent.
type recorder struct {
	app.Remote

	mu    sync.Mutex
	lines []line
}

// Run implements remote.Runner.
func (r *recorder) Run(ctx context.Context, c remote.Command) remote.Result {
	r.keep(c.Host, c.Sent)
	return r.Remote.Run(ctx, c)
}

// RunAll implements remote.Joiner.
func (r *recorder) RunAll(ctx context.Context, reads []remote.Command, done func(i int, result remote.Result)) {
	if len(reads) == 1 {
		r.keep(reads[0].Host, reads[0].Sent)
	} else {
		r.keep(reads[0].Host, remote.Join(reads, "mark"))
	}
	remote.RunAll(ctx, r.Remote, reads, done)
}

func (r *recorder) keep(host, sent string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, line{host, sent})
}

func (r *recorder) take() []line {
	r.mu.Lock()
	defer r.mu.Unlock()
	lines := r.lines
	r.lines = nil
	return lines
}

// record requests the status of each process and returns the lines that were sent for it. It
// requests each status twice and keeps the lines of the second, because the first status of a
// process reads the log from the beginning.
func record(tb testing.TB, e *estate, ours *side, r *recorder) map[string][]line {
	tb.Helper()
	lines := map[string][]line{}
	for range 2 * len(e.hosts) {
		process := e.hosts[ours.next%len(e.hosts)].process
		r.take()
		ours.round(tb, e, 1, 1)
		lines[process] = r.take()
		if !slices.ContainsFunc(lines[process], func(l line) bool { return len(l.sent) > 0 }) {
			tb.Fatalf("no line was sent for the status of %s", process)
		}
	}
	clear(ours.rounds)
	return lines
}

// oneCommand returns, for each process, the line of its status command and no other reads.
func (e *estate) oneCommand() map[string][]line {
	lines := map[string][]line{}
	for _, h := range e.hosts {
		lines[h.process] = []line{{h.name, h.sent}}
	}
	return lines
}
