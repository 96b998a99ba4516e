package evidence

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"dhbot/internal/engine"
	"dhbot/internal/fleet"
	"dhbot/internal/redact"
	"dhbot/internal/remote"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
	"dhbot/runbooks/planner"
)

// Limits of the evidence about one process. The evidence must be small, because the store keeps a
// run and its evidence in a single value.
const (
	within      = 10 * time.Second // for all reads together
	logLines    = 10
	threadLines = 60  // lines of a thread dump
	lineRunes   = 160 // runes of any line
)

// Collector collects evidence.
type Collector struct {
	Catalogs catalogs.Set
	Fleet    *fleet.Fleet
	Remote   remote.Runner
}

var _ engine.Evidence = (*Collector)(nil)

// Of returns lines of evidence about the process of a step. If a read failed, a line says so. It
// takes at most ten seconds.
func (c *Collector) Of(ctx context.Context, cluster string, st runbooks.Step, pid int) []string {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	p, reads, dumps, ok := c.about(cluster, st)
	if !ok {
		return nil
	}
	parts := []func() []string{func() []string { return c.usage(ctx, reads, pid) }}
	if files := reads.AppLogs(p); len(files) > 0 {
		parts = append(parts, func() []string { return c.log(ctx, reads, files) })
	}
	if dumps {
		parts = append(parts, func() []string { return c.threads(ctx, reads, p, pid) })
	}
	lines := make([][]string, len(parts))
	var wg sync.WaitGroup
	for i, read := range parts {
		wg.Go(func() { lines[i] = read() })
	}
	wg.Wait()
	return slices.Concat(lines...)
}

// about returns the process of a step and the reads of its host. The result dumps reports whether a
// thread dump is allowed there, and ok is false if the process is not known.
func (c *Collector) about(cluster string, st runbooks.Step) (p *catalogs.Process, reads planner.HostReads, dumps, ok bool) {
	cl, ok := c.Fleet.Cluster(cluster)
	if !ok {
		return nil, reads, false, false
	}
	catalog, ok := c.Catalogs.Get(cl.Catalog)
	if !ok {
		return nil, reads, false, false
	}
	p, known := catalog.Process(st.Process)
	h, there := cl.Host(st.Host)
	if !known || !there {
		return nil, reads, false, false
	}
	return p, planner.ReadsOf(catalog, h), h.ThreadDump != "" && p.Manager == runbooks.Monit, true
}

// ask sends one read, and returns the answer, or the reason why there is none.
func (c *Collector) ask(ctx context.Context, st runbooks.Step, err error) (text, why string) {
	if err != nil {
		return "", err.Error()
	}
	r := c.Remote.Run(ctx, engine.CommandOf(st))
	if r.Outcome != remote.Answered {
		return "", r.Outcome.String() + ": " + r.Detail
	}
	if text = r.Stdout.String(); strings.TrimSpace(text) == "" {
		return "", fmt.Sprintf("exit code %d: %s", r.Exit, r.Stderr.String())
	}
	return text, ""
}

// usage returns a line such as "pid 705: sleeping, up 1h2m3s, 812 MB, 143 threads".
func (c *Collector) usage(ctx context.Context, reads planner.HostReads, pid int) []string {
	st, err := reads.Usage(pid)
	text, why := c.ask(ctx, st, err)
	head := fmt.Sprintf("pid %d: ", pid)
	f := strings.Fields(text)
	if why == "" && len(f) >= 4 {
		f = f[len(f)-4:] // a login shell may have printed text first
		age, errAge := strconv.Atoi(f[1])
		rss, errRSS := strconv.Atoi(f[2])
		if errAge == nil && errRSS == nil {
			return []string{fmt.Sprintf("%s%s, up %s, %d MB, %s threads", head, state(f[0]), time.Duration(age)*time.Second, rss>>10, f[3])}
		}
	}
	if strings.HasPrefix(why, "exit code 1: ") {
		return []string{head + "the process no longer exists"}
	}
	return []string{clean(head + "the process status could not be read: " + why)}
}

// state puts the state that ps prints for a process into words.
func state(stat string) string {
	words := map[byte]string{
		'R': "running", 'S': "sleeping", 'D': "waiting for a disk or the kernel, cannot be ended", 'T': "stopped by a signal",
		't': "stopped by a debugger", 'Z': "ended, not yet collected by its parent", 'I': "idle", 'X': "dead",
	}
	if w, ok := words[stat[0]]; ok {
		return w
	}
	return "state " + stat
}

func (c *Collector) log(ctx context.Context, reads planner.HostReads, files []string) []string {
	st, err := reads.LastLines(files, logLines)
	text, why := c.ask(ctx, st, err)
	if why != "" {
		return []string{clean("the log could not be read: " + why)}
	}
	lines := bounded(text, logLines)
	return append([]string{"last lines of the log:"}, lines[max(0, len(lines)-logLines):]...)
}

func (c *Collector) threads(ctx context.Context, reads planner.HostReads, p *catalogs.Process, pid int) []string {
	st, err := reads.ThreadDump(p, pid)
	text, why := c.ask(ctx, st, err)
	if why != "" {
		return []string{clean("no thread dump: " + why)}
	}
	lines := bounded(text, threadLines+1)
	head := "thread dump:"
	if n := strings.Count(text, "\n"); len(lines) > threadLines {
		lines = lines[:threadLines]
		head = fmt.Sprintf("thread dump, the first %d of %d lines:", threadLines, n)
	}
	return append([]string{head}, lines...)
}

// bounded returns the non-empty lines of a text, each safe to show. It stops after four times the
// wanted number of lines.
func bounded(text string, wanted int) []string {
	all := planner.ListLines(redact.Text(text)) // redacted as a whole, because a key has several lines
	if len(all) > 4*wanted {
		all = all[:4*wanted]
	}
	var out []string
	for _, l := range all {
		if l = clean(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}

func clean(line string) string { return redact.Line(line, lineRunes) }
