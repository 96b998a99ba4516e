package status

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"dhbot/internal/observe"
	"dhbot/internal/observe/complaint"
	"dhbot/internal/redact"
	"dhbot/internal/remote"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
	"dhbot/runbooks/planner"
)

const (
	// mostRead is how many bytes of a log file are read at a time. mostBefore is how many bytes of
	// the previous file are read.
	mostRead   = 64 << 10
	mostBefore = 32 << 10
	// logMemory is how long log events are kept. It is longer than the time for which errors count,
	// and longer than errors must last to be an incident.
	logMemory = 20 * time.Minute
	// whyRunes limits the text that explains why a log was not read, in characters.
	whyRunes = 200
)

// key is a process on a host of a cluster.
type key struct {
	cluster string
	target  runbooks.Target
}

// logBook remembers for each process how far its log was read, and which events it had.
type logBook struct {
	mu   sync.Mutex
	logs map[key]*processLog
}

// processLog is what is known about one process's log. The channel turn is its lock.
type processLog struct {
	turn   chan struct{}
	file   string
	inode  uint64
	offset int64 // offset after the last read
	span   observe.LogSpan
	before time.Time // time of the last line at an earlier check, while the process was not monitored
	// read is when the log of a systemd unit was last read. If this read failed, why is the reason.
	read time.Time
	why  string
}

func (b *logBook) of(k key) *processLog {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.logs == nil {
		b.logs = map[key]*processLog{}
	}
	p := b.logs[k]
	if p == nil {
		p = &processLog{turn: make(chan struct{}, 1)}
		b.logs[k] = p
	}
	return p
}

// logRead is what one check knows about the log of a process.
type logRead struct {
	asked  bool // the process has a log to read
	span   observe.LogSpan
	before time.Time
	at     time.Time
	why    string // why it was not read
}

// logSize has what stat shows about a log file.
type logSize struct {
	inode uint64
	size  int64
}

// logSizes has the sizes of a host's log files by path, from an answer of stat.
type logSizes struct {
	files  map[string]logSize
	result remote.Result
	noise  string // output of the login shell before any answer
}

// readSizes parses the answer of stat about log files.
func readSizes(paths []string, r remote.Result) logSizes {
	out := logSizes{files: map[string]logSize{}, result: r}
	for line := range strings.Lines(out.result.Stdout.String()) {
		f := strings.SplitN(strings.TrimRight(line, "\n"), " ", 3)
		if len(f) != 3 || !slices.Contains(paths, f[2]) {
			if len(out.files) == 0 {
				out.noise += line
			}
			continue
		}
		inode, err1 := strconv.ParseUint(f[0], 10, 64)
		size, err2 := strconv.ParseInt(f[1], 10, 64)
		if err1 == nil && err2 == nil {
			out.files[f[2]] = logSize{inode, size}
		}
	}
	return out
}

func (j *job) logPaths() []string {
	var paths []string
	for _, p := range j.processes {
		paths = append(paths, j.reads().AppLogs(p)...)
	}
	return paths
}

// statStep returns the read of all log sizes. If there are no logs, the step is empty.
func (j *job) statStep() (runbooks.Step, error) {
	paths := j.logPaths()
	if len(paths) == 0 {
		return runbooks.Step{}, nil
	}
	return j.reads().StatLogs(paths)
}

// whyNot explains why stat returned nothing about the log of a process.
func (s logSizes) whyNot(paths []string) string {
	const unread = "Its log was not read: "
	if s.result.Outcome != remote.Answered {
		return unread + redact.Line(s.result.Outcome.String()+": "+s.result.Detail, whyRunes)
	}
	for line := range strings.Lines(s.result.Stderr.String()) {
		for _, path := range paths {
			if strings.Contains(line, path) {
				return unread + redact.Line(line, whyRunes)
			}
		}
	}
	return unread + "the host reported nothing about " + strings.Join(paths, ", ")
}

// readLog reads what was added to a process's log since the last read, which may have been by
// another check.
func (j *job) readLog(ctx context.Context, p *catalogs.Process, sizes logSizes) logRead {
	paths := j.reads().AppLogs(p)
	if len(paths) == 0 {
		return logRead{}
	}
	log := j.logs.of(j.key(p))
	select {
	case log.turn <- struct{}{}:
		defer func() { <-log.turn }()
	case <-ctx.Done():
		return logRead{asked: true, why: "Its log was not read in time"}
	}
	out := logRead{asked: true, at: j.Now()}
	i := slices.IndexFunc(paths, func(path string) bool { _, there := sizes.files[path]; return there })
	if i < 0 {
		out.why = sizes.whyNot(paths)
		return out
	}
	if out.why = j.catchUp(ctx, log, p, paths[i], sizes); out.why != "" {
		return out
	}
	log.span.Forget(out.at.Add(-logMemory))
	out.span, out.before = log.span.Clone(), log.before
	return out
}

// catchUp reads a log file from the offset of the last read. If the file is new or has shrunk, it
// is read from the start, together with the end of the previous file. A process begins a new file
// every quarter of an hour. If there are more than mostRead bytes to read, only the last mostRead
// bytes are read. The result why is the reason why a read failed, or "".
func (j *job) catchUp(ctx context.Context, log *processLog, p *catalogs.Process, file string, sizes logSizes) (why string) {
	now := sizes.files[file]
	same := log.file == file && log.inode == now.inode && now.size >= log.offset
	if same && now.size == log.offset {
		return ""
	}
	from := max(0, now.size-mostRead)
	if same {
		from = max(from, log.offset)
	}
	st, err := j.reads().LogFrom(file, from)
	text, why := whole(j.run(ctx, st, err))
	if why != "" {
		return why
	}
	text = strings.TrimPrefix(text, sizes.noise)
	added := observe.ParseLog(text)
	if !same {
		if earlier, ok := j.fileBefore(ctx, p); ok {
			log.span.Join(earlier)
		}
	}
	if same && from > log.offset {
		log.span = observe.LogSpan{} // there is a gap: the span begins after the gap
	}
	log.span.Join(added)
	log.file = file
	log.inode = now.inode
	log.offset = from + int64(len(text))
	return ""
}

// whole returns the output of a read up to its last complete line, or the reason why the read
// failed.
func whole(r remote.Result) (text, why string) {
	switch {
	case r.Outcome != remote.Answered:
		return "", "Its log was not read: " + redact.Line(r.Outcome.String()+": "+r.Detail, whyRunes)
	case r.Exit != 0:
		return "", "Its log was not read: " + redact.Line(complaint.Of(r), whyRunes)
	}
	text = r.Stdout.String()
	return text[:strings.LastIndexByte(text, '\n')+1], ""
}

// fileBefore reads the end of the previous log file.
func (j *job) fileBefore(ctx context.Context, p *catalogs.Process) (observe.LogSpan, bool) {
	st, err := j.reads().Slices(p)
	listed, why := whole(j.run(ctx, st, err))
	if why != "" {
		return observe.LogSpan{}, false
	}
	newest := ""
	for _, path := range planner.ListLines(listed) {
		if strings.HasPrefix(path, "/") && !strings.HasSuffix(path, ".current") && path > newest {
			newest = path
		}
	}
	if newest == "" {
		return observe.LogSpan{}, false
	}
	st, err = j.reads().LogEnd(newest, mostBefore)
	text, why := whole(j.run(ctx, st, err))
	return observe.ParseLog(text), why == ""
}

// unwatched records the time of the last line in the log of a process that is not monitored, so
// that the next check can detect whether the log grows. For a monitored process, the argument last
// is zero.
func (b *logBook) unwatched(k key, last time.Time) {
	p := b.of(k)
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	default:
		return // another check is reading the log, and will record this
	}
	if p.before.IsZero() || last.IsZero() {
		p.before = last
	}
}
