package notes

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The file is text, one fact a line, and only ever appended to. Replicas on
// one machine may share it:
//
//	dhbot notes v1 INSTALL
//	run R-7F3K 12 90        the run's counter was 12, at revision 90 of the store
//	end R-7F3K 14 95 UNIX   the run ended with counter 14
//	sent R-7F3K 2 WHO       step 2 was about to be sent by WHO
//	handled KEY UNIX        a delivery was handled
const header = "dhbot notes v1 "

// Keep is how long the notes remember an ended run or a handled delivery. A run that was requested
// earlier is not continued: see Allow.
const Keep = 30 * 24 * time.Hour

// Errors of Allow and Sending.
var (
	ErrOlder = errors.New("a newer form of this run was seen before: the store, or this run in it, was reset to an earlier time")
	ErrSent  = errors.New("this step was sent before")
	ErrAged  = fmt.Errorf("it was requested more than %d days ago", int(Keep.Hours()/24))
)

// ErrOther means that the notes and the key belong to different installations.
var ErrOther = errors.New("these notes belong to another installation: restore its key, or set another directory for them (state.notes_dir)")

// Notes is an open file with notes.
type Notes struct {
	file  string
	who   string // this process
	now   func() time.Time
	fresh bool // the file did not exist before

	mu      sync.Mutex
	f       *os.File
	read    int64 // offset after the last read
	runs    map[string]*run
	handled map[string]time.Time
}

type run struct {
	count uint64
	rev   int64 // revision of the store at that counter
	ended time.Time
	sent  map[int]string // step → process that sent it
}

// Open opens the notes of an installation, and creates the file if it is missing. The caller must
// close the notes.
func Open(file, install string, now func() time.Time) (*Notes, error) {
	n := &Notes{file: file, who: rand.Text()[:10], now: now, runs: map[string]*run{}, handled: map[string]time.Time{}}
	if err := n.open(install); err != nil {
		return nil, fmt.Errorf("the notes of sent steps, %s: %w", file, err)
	}
	return n, nil
}

func (n *Notes) open(install string) (err error) {
	n.f, err = os.OpenFile(n.file, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("let the bot's account write the directory of the key: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.f.Close())
		}
	}()
	info, err := n.f.Stat()
	if err != nil {
		return err
	}
	if n.fresh = info.Size() == 0; n.fresh {
		if _, err := n.f.WriteString(header + install + "\n"); err != nil {
			return err
		}
		if err := errors.Join(n.f.Sync(), syncDir(filepath.Dir(n.file))); err != nil {
			return err
		}
	} else if err := n.endLine(info.Size()); err != nil {
		return err
	}
	first, err := bufio.NewReader(io.NewSectionReader(n.f, 0, 4096)).ReadString('\n')
	if err != nil || first != header+install+"\n" {
		return ErrOther
	}
	n.read = int64(len(first))
	return n.refresh()
}

// endLine ends a last line that a crash cut off. It adds words that make the line invalid, so that
// take ignores it. Only a handled delivery whose time was cut off still counts as handled.
func (n *Notes) endLine(size int64) error {
	last := make([]byte, 1)
	if _, err := n.f.ReadAt(last, size-1); err != nil {
		return err
	}
	if last[0] == '\n' {
		return nil
	}
	_, err := n.f.WriteString(" cut off\n")
	return err
}

// Close closes the file.
func (n *Notes) Close() error { return n.f.Close() }

// Fresh reports whether Open created the file. A new file proves nothing about the store.
func (n *Notes) Fresh() bool { return n.fresh }

// Highest returns the highest counter of any run, or 0 without runs.
func (n *Notes) Highest() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	var top uint64
	for _, r := range n.runs {
		top = max(top, r.count)
	}
	return top
}

// Saw writes down which counter a run has at a revision of the store. The note survives a crash of
// the machine only after the next call of Sending.
func (n *Notes) Saw(id string, count uint64, rev int64, ended bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if r, known := n.runs[id]; known && r.count >= count {
		return nil
	}
	line := fmt.Sprintf("run %s %d %d\n", id, count, rev)
	if ended {
		line = fmt.Sprintf("end %s %d %d %d\n", id, count, rev, n.now().Unix())
	}
	return n.add(line)
}

// Handled writes down that a delivery was handled.
func (n *Notes) Handled(key string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.add(fmt.Sprintf("handled %s %d\n", quoted(key), n.now().Unix()))
}

// WasHandled reports whether the notes say that a delivery was handled, even if the store does not
// say so.
func (n *Notes) WasHandled(key string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, handled := n.handled[quoted(key)]
	return handled
}

// quoted returns a key so that it is a single word in a line.
func quoted(key string) string {
	return strings.ReplaceAll(strconv.QuoteToASCII(key), " ", `\x20`)
}

// Allow reports whether the bot may act on a version of a run that was read at revision rev of the
// store. It returns nil, ErrOlder, ErrAged, or an error if the notes cannot be read. It does not
// return ErrOlder if the version was read before the newer version was stored.
func (n *Notes) Allow(id string, count uint64, rev int64, asked time.Time) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.refresh(); err != nil {
		return err
	}
	switch r, known := n.runs[id]; {
	case known && count < r.count && rev > r.rev:
		return ErrOlder
	case n.now().Sub(asked) > Keep:
		return ErrAged
	default:
		return nil
	}
}

// Count returns the highest counter of a run in the notes, or 0 if they do not have the run.
func (n *Notes) Count(id string) uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	if r, known := n.runs[id]; known {
		return r.count
	}
	return 0
}

// Known reports whether the notes have this run.
func (n *Notes) Known(id string) bool { return n.Count(id) > 0 }

// Sending writes down durably that a step is about to be sent. It returns ErrSent if the step was
// sent before, and ErrOlder if the notes know a newer version of the run. After any error, the
// caller must not send the step.
func (n *Notes) Sending(id string, step int, count uint64) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.refresh(); err != nil {
		return err
	}
	if r, known := n.runs[id]; known {
		if _, sent := r.sent[step]; sent {
			return ErrSent
		}
		if count < r.count {
			return ErrOlder
		}
	}
	if err := n.add(fmt.Sprintf("sent %s %d %s\n", id, step, n.who)); err != nil {
		return err
	}
	if err := n.f.Sync(); err != nil {
		return fmt.Errorf("noting that step %d of %s is sent: %w", step, id, err)
	}
	// Another process may have written down the same step at the same time. The first line counts.
	if n.runs[id].sent[step] != n.who {
		return ErrSent
	}
	return nil
}

// add appends lines, and reads them back together with lines that other processes have appended.
// The caller holds mu.
func (n *Notes) add(lines string) error {
	if _, err := n.f.WriteString(lines); err != nil {
		return fmt.Errorf("the notes of sent steps cannot be written: %w", err)
	}
	return n.refresh()
}

// refresh reads the lines that were appended since the last read. The caller holds mu.
func (n *Notes) refresh() error {
	info, err := n.f.Stat()
	if err != nil || info.Size() == n.read {
		return err
	}
	if info.Size() < n.read {
		return fmt.Errorf("%s was truncated while it was in use", n.file)
	}
	b := make([]byte, info.Size()-n.read)
	if _, err := n.f.ReadAt(b, n.read); err != nil {
		return fmt.Errorf("the notes of sent steps cannot be read: %w", err)
	}
	whole := b[:bytes.LastIndexByte(b, '\n')+1] // another process may still be writing the last line
	for line := range strings.Lines(string(whole)) {
		n.take(strings.Fields(line))
	}
	n.read += int64(len(whole))
	return nil
}

// take parses one line. It ignores an invalid line, which a crash has cut off.
func (n *Notes) take(w []string) {
	if len(w) < 3 {
		return
	}
	if w[0] == "handled" {
		if at, err := strconv.ParseInt(w[2], 10, 64); err == nil {
			n.handled[w[1]] = time.Unix(at, 0)
		}
		return
	}
	num, err := strconv.ParseUint(w[2], 10, 63)
	if err != nil {
		return
	}
	r, known := n.runs[w[1]]
	if !known {
		r = &run{}
		n.runs[w[1]] = r
	}
	switch {
	case w[0] == "run" && len(w) == 4:
		r.counted(num, w[3])
	case w[0] == "end" && len(w) == 5:
		r.counted(num, w[3])
		if at, err := strconv.ParseInt(w[4], 10, 64); err == nil {
			r.ended, r.sent = time.Unix(at, 0), nil
		}
	case w[0] == "sent" && len(w) == 4:
		if r.sent == nil {
			r.sent = map[int]string{}
		}
		if _, before := r.sent[int(num)]; !before {
			r.sent[int(num)] = w[3]
		}
	}
}

// counted records a counter and its revision.
func (r *run) counted(count uint64, rev string) {
	if at, err := strconv.ParseInt(rev, 10, 64); err == nil && count > r.count {
		r.count, r.rev = count, at
	}
}

// Open returns the ids of the runs that have not ended according to the notes.
func (n *Notes) Open() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []string
	for id, r := range n.runs {
		if r.ended.IsZero() && r.count > 0 {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// End writes down that a run has ended, whatever the store says.
func (n *Notes) End(id string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	count := uint64(0)
	if r, known := n.runs[id]; known {
		count = r.count
	}
	return n.add(fmt.Sprintf("end %s %d 0 %d\n", id, count, n.now().Unix()))
}
