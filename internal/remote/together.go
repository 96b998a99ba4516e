package remote

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Joiner is a Runner that can send several reads of one host as one command line, at the cost of one
// session and one login shell.
type Joiner interface {
	Runner
	// RunAll runs reads with the same host, address, login and jump hosts. It calls done once for
	// each read, as soon as the result is known, one call at a time. It returns after the last
	// call. A read may be sent twice: once joined with others, and once alone.
	RunAll(ctx context.Context, reads []Command, done func(i int, r Result))
}

// RunAll calls the runner's own RunAll if the runner is a Joiner, and otherwise RunEach.
func RunAll(ctx context.Context, on Runner, reads []Command, done func(i int, r Result)) {
	if j, ok := on.(Joiner); ok {
		j.RunAll(ctx, reads, done)
		return
	}
	RunEach(ctx, on, reads, done)
}

// RunEach runs all reads concurrently, each as a separate command. It calls done once for each
// read, one call at a time.
func RunEach(ctx context.Context, on Runner, reads []Command, done func(i int, r Result)) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	for i := range reads {
		wg.Go(func() {
			r := on.Run(ctx, reads[i])
			mu.Lock()
			defer mu.Unlock()
			done(i, r)
		})
	}
	wg.Wait()
}

// inC is the prefix with which runbooks.Wrap sets the C locale of a command.
const inC = "env LC_ALL=C "

// Join returns one line for a POSIX shell that runs reads one after the other. Before the first
// read and after each read, the line prints the mark to both streams. After a read, the mark on
// standard output is followed by the exit code. The mark consists of letters, digits and hyphens;
// it must be unpredictable and new for each line, so that no read can print it. If all reads start
// with `env LC_ALL=C`, the shell sets the locale once, which saves one process for each read.
func Join(reads []Command, mark string) string {
	var b strings.Builder
	b.WriteString(`printf '%s\n' ` + mark + `; printf '%s\n' ` + mark + ` >&2`)
	same := !slices.ContainsFunc(reads, func(c Command) bool { return !strings.HasPrefix(c.Sent, inC+"timeout ") })
	if same {
		b.WriteString("; export LC_ALL=C")
	}
	for _, c := range reads {
		sent := c.Sent
		if same {
			sent = strings.TrimPrefix(sent, inC)
		}
		b.WriteString("; " + sent + `; printf '\n%s %d\n' ` + mark + ` $?; printf '\n%s\n' ` + mark + ` >&2`)
	}
	return b.String()
}

// Part is the output and the exit code of one read of a joined line.
type Part struct {
	Stdout, Stderr []byte
	Exit           int
}

// Split finds the reads that have ended, in order, in the complete output so far of a joined line.
// The result begun is true if both streams have the first mark, which means that the line runs.
func Split(stdout, stderr []byte, mark string) (parts []Part, begun bool) {
	_, stdout, begun = bytes.Cut(stdout, []byte(mark+"\n"))
	_, stderr, also := bytes.Cut(stderr, []byte(mark+"\n"))
	if !begun || !also {
		return nil, false
	}
	for {
		var p Part
		var code, rest []byte
		var ended, told bool
		p.Stdout, rest, ended = bytes.Cut(stdout, []byte("\n"+mark+" "))
		p.Stderr, stderr, also = bytes.Cut(stderr, []byte("\n"+mark+"\n"))
		code, stdout, told = bytes.Cut(rest, []byte("\n"))
		exit, err := strconv.ParseUint(string(code), 10, 8)
		if !ended || !also || !told || err != nil {
			return parts, true
		}
		p.Exit = int(exit)
		parts = append(parts, p)
	}
}
