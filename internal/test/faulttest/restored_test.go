package faulttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/test/suspend"
)

// The tests copy the state directory at every crash point of a run over two
// hosts, like a snapshot of its file system. After the run has ended, they
// start a bot on each copy.

// How the files next to the key are treated when a copy is restored.
const (
	withWitness    = "with the witness"  // with the current notes and heads
	onceMore       = "once more"         // with the notes and heads of the previous restore of the same copy
	withoutWitness = "without a witness" // with only the key, as on a new machine
)

var restoreVariants = []string{withWitness, onceMore, withoutWitness}

// TestRestores checks that a bot that starts on a restored copy sends no command again and notifies
// people. The short version restores a few copies. DHBOT_FAULT_RESTORES=N tries every Nth crash
// point (1 for all). Several worlds play the same run and share the points.
func TestRestores(t *testing.T) {
	long := os.Getenv("DHBOT_FAULT_RESTORES")
	if long == "" { // not in parallel, because each copy delays the run, and the run has deadlines
		gateOnly(t)
		tryRestores(t, func(n int) bool { return n%shortEach == shortEach/2 })
		return
	}
	each, err := strconv.Atoi(long)
	if err != nil || each < 1 {
		t.Fatalf("DHBOT_FAULT_RESTORES=%s is not a number of crash points", long)
	}
	for world := range restoreWorlds {
		t.Run(fmt.Sprintf("world %d", world+1), func(t *testing.T) {
			t.Parallel()
			tryRestores(t, func(n int) bool { return n%(each*restoreWorlds) == each*world })
		})
	}
}

const (
	shortEach     = 128 // every 128th of about 500 crash points
	restoreWorlds = 4
)

// playRestores plays the run once. It copies the state at each crash point n for which chosen(n) is
// true, and then restores each copy. It returns false if the run missed its deadlines, which can
// happen on a busy machine.
func playRestores(t *testing.T, chosen func(n int) bool) (played bool) {
	w := newWorld(t, embedded)
	p := &people{world: w}
	var copies []stateCopy
	w.watch.onEach(func(n int, at point, name string) {
		if !chosen(n) {
			return
		}
		if c, err := w.copyState(n, at, name); err != nil {
			w.violation("%s: the state was not copied: %v", at, err)
		} else {
			copies = append(copies, c)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	twoHosts(ctx, p, nil)
	p.restWithin(2 * restTime) // each crossing waits for its copy
	w.watch.onEach(nil)
	w.halt()
	last, err := w.lastState()
	if err == nil {
		err = w.keepBeside()
	}
	if err != nil {
		t.Fatal(err)
	}
	o := original{executed: executions(w.hosts.Executed()), state: last}
	if o.executed != hostChanges || len(copies) == 0 {
		for _, s := range last.Runs {
			t.Logf("%s %s: %s (%s)", s.Run.ID, s.Run.Plan.Title, s.Run.State, s.Run.Why)
		}
		t.Logf("without a restore %d commands changed something, want %d, at %d crash points", o.executed, hostChanges, len(copies))
		return false
	}
	for _, c := range copies {
		before := o.state.Trail
		for _, variant := range restoreVariants {
			before = w.restored(p, o, before, c, variant)
		}
	}
	t.Logf("%d crash points, %d restores, %d of them began an epoch", len(copies), len(copies)*len(restoreVariants), w.epochs)
	round{shape: embedded, replay: "DHBOT_FAULT_RESTORES=1 go test -timeout 0 -run Restores"}.report(t, p, last)
	return true
}

// tryRestores repeats playRestores, at most three times, until the run that is copied meets its
// deadlines. If it never does, the test fails.
func tryRestores(t *testing.T, chosen func(n int) bool) {
	for range 3 {
		if playRestores(t, chosen) {
			return
		}
	}
	t.Error("the copied run never reached its end")
}

// hostChanges is how many commands of the script change something on a host.
const hostChanges = 5

// twoHosts is a script. It restarts a process on two hosts with an approval, a process without an
// approval, and two more processes on one host.
func twoHosts(ctx context.Context, p *people, _ *rand.Rand) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var others sync.WaitGroup
	others.Go(func() { p.approve(ctx, func(string) []string { return []string{"approver"} }) })
	p.ask(ctx, "operator", "restart db_tdcp")
	p.ask(ctx, "approver", "restart db_ltds")
	p.settleDown(ctx)
	p.ask(ctx, "operator", "restart db_dis")
	p.settleDown(ctx)
	p.ask(ctx, "operator", "restart db_acl_write_server")
	p.settleDown(ctx)
	stop()
	others.Wait()
}

// original describes how the copied run ended.
type original struct {
	executed int
	state    state
}

// stateCopy is a copy of the state directory that was made at a crash point.
type stateCopy struct {
	dir string
	at  point
}

// copyState copies the state directory while its replica is suspended.
func (w *world) copyState(n int, at point, name string) (stateCopy, error) {
	c := stateCopy{dir: w.file(fmt.Sprintf("copy-%04d", n)), at: at}
	r := w.byName(name)
	if r == nil {
		return c, fmt.Errorf("replica %s is gone", name)
	}
	if err := suspend.Process(r.cmd.Process); err != nil {
		return c, err
	}
	err := copyTree(w.stateDir(r.seat), c.dir)
	return c, errors.Join(err, r.cmd.Process.Signal(syscall.SIGCONT))
}

// copyTree copies the files of a directory. It leaves holes for blocks of zeros, because etcd
// preallocates 64 MB.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed meanwhile
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		switch into := filepath.Join(to, rel); {
		case d.IsDir():
			return os.MkdirAll(into, 0o700)
		case d.Type().IsRegular():
			return copySparse(name, into)
		default: // a socket
			return nil
		}
	})
}

func copySparse(from, to string) (err error) {
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	block, size := make([]byte, 64<<10), int64(0)
	zeros := make([]byte, len(block))
	for {
		n, err := io.ReadFull(r, block)
		if n > 0 && !bytes.Equal(block[:n], zeros[:n]) {
			if _, err := w.WriteAt(block[:n], size); err != nil {
				return err
			}
		}
		size += int64(n)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return w.Truncate(size)
		}
		if err != nil {
			return err
		}
	}
}

// halt ends the replicas. The world can continue later.
func (w *world) halt() {
	for _, r := range w.alive() {
		_ = r.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-r.ended:
		case <-time.After(40 * time.Second):
			w.violation("replica %s did not stop within 40 s of SIGTERM", r.name)
			_ = r.cmd.Process.Kill()
			<-r.ended
		}
	}
}

// besideKey names the files that a bot keeps in the directory of the key.
var besideKey = []string{"state.key.sent", "state.key.heads"}

const kept = ".kept"

// keepBeside saves the current files next to the key.
func (w *world) keepBeside() error {
	for _, f := range besideKey {
		if err := copySparse(w.file(f), w.file(f+kept)); err != nil {
			return err
		}
	}
	return nil
}

// clearBeside removes the files next to the key.
func (w *world) clearBeside() error {
	for _, f := range besideKey {
		if err := os.Remove(w.file(f)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// putBeside restores the saved files.
func (w *world) putBeside() error {
	for _, f := range besideKey {
		if err := copySparse(w.file(f+kept), w.file(f)); err != nil {
			return err
		}
	}
	return nil
}

// restored restores a copy, starts a bot on it, and checks the result. before is the trail of the
// previous bot. The result is the trail of the new bot.
func (w *world) restored(p *people, o original, before []audit.Sealed, c stateCopy, variant string) []audit.Sealed {
	wrong := func(format string, args ...any) {
		w.violation("%s restored %s: %s", c.at, variant, fmt.Sprintf(format, args...))
	}
	err := os.RemoveAll(w.stateDir(0))
	if err == nil {
		err = copyTree(c.dir, w.stateDir(0))
	}
	switch variant {
	case withWitness:
		err = errors.Join(err, w.putBeside())
	case withoutWitness:
		err = errors.Join(err, w.clearBeside())
	default: // the files that the previous restore left
	}
	if err != nil {
		wrong("%v", err)
		return before
	}
	began := time.Now()
	w.start(0)
	st := p.rest()
	for end := began.Add(restTime); putBack(st, began) >= 0 && st.open() && time.Now().Before(end); {
		st = p.rest() // a run that waits is also at rest, but it must still be closed
	}
	lost := forgotten(before, st.Trail)
	p.judgeRestored(o, st, lost > 0 || variant == withoutWitness, began, wrong)
	w.halt()
	if n := executions(w.hosts.Executed()); n != o.executed {
		wrong("%d commands were sent again", n-o.executed)
	}
	return st.Trail
}

// putBack returns the index of the trail entry that reports a restored state, by a bot that started
// at began. It returns -1 if there is no such entry.
func putBack(st state, began time.Time) int {
	return slices.IndexFunc(st.Trail, func(e audit.Sealed) bool {
		return e.Record.Kind == audit.Restored && !e.Record.At.Before(began.Add(-time.Second))
	})
}

// open reports whether any run has not ended.
func (st state) open() bool {
	return slices.ContainsFunc(st.Runs, func(s engine.Stored) bool { return !s.Run.State.Ended() })
}

// judgeRestored checks that every run has ended, and that no earlier trail entry has the number of
// the entry about the restore. If the restore closed a run, the requester, the channel and the
// trail must be told. If older is true, the bot must have detected that the state was restored.
func (p *people) judgeRestored(o original, st state, older bool, began time.Time, wrong func(string, ...any)) {
	p.judgeTrail(st)
	p.judgeLocks(st)
	i := putBack(st, began)
	if i < 0 {
		if older {
			wrong("the trail does not report the restore")
		}
		return
	}
	p.epochs++
	entry := st.Trail[i]
	if top := o.state.Trail[len(o.state.Trail)-1].N; entry.N <= top {
		wrong("entry %d is used again, %d were used before", entry.N, top)
	}
	if !p.channelSays("audit", entry.Record.Text) {
		wrong("the audit channel does not show %q", entry.Record.Text)
	}
	for _, s := range st.Runs {
		switch {
		case !s.Run.State.Ended():
			wrong("%s is %s and not closed", s.Run.ID, s.Run.State)
		case s.Run.EndedAt.Before(began.Add(-time.Second)):
		case s.Run.State != engine.Closed || !strings.Contains(s.Run.Why, "from before the restore"):
			wrong("%s ended as %s (%s)", s.Run.ID, s.Run.State, s.Run.Why)
		case !strings.Contains(entry.Record.Text, s.Run.ID):
			wrong("%s was closed, but the trail's entry does not name it: %s", s.Run.ID, entry.Record.Text)
		case !p.channelSays(channel, s.Run.ID, "from before the restore"):
			wrong("the channel does not report that %s is closed", s.Run.ID)
		case !p.channelSays(channel, s.Run.ID, "the run does not continue", s.Run.Asked.Account.User):
			wrong("the requester of %s is not mentioned", s.Run.ID)
		}
	}
}

// forgotten counts the entries of an earlier trail that a later trail lacks.
func forgotten(was, is []audit.Sealed) int {
	n := 0
	for _, e := range was {
		if !slices.ContainsFunc(is, func(x audit.Sealed) bool { return x.N == e.N && audit.Hash(x.Record) == audit.Hash(e.Record) }) {
			n++
		}
	}
	return n
}

// channelSays reports whether a channel has a message that contains all texts.
func (p *people) channelSays(name string, texts ...string) bool {
	list, err := p.slack.Messages(name, "")
	if err != nil {
		p.violation("the channel %s cannot be read: %v", name, err)
		return false
	}
	for _, m := range list {
		shown := words(m)
		if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(shown, text) }) {
			return true
		}
	}
	return false
}
