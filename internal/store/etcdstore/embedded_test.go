package etcdstore_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/store/etcdconn"
	"dhbot/internal/store/etcdstore"
)

// change returns a valid change of a run, from its old version to a new state.
func change(old engine.Stored, st engine.State) engine.Change {
	r := old.Run
	r.V, r.State = engine.FormVersion, st
	rec := audit.Link(audit.Record{At: time.Now(), Run: r.ID, Kind: audit.StepStarted, Text: string(st)}, r.Records+1, r.Head)
	r.Records, r.Head = rec.Seq, audit.Hash(rec)
	return engine.Change{Run: r, Rev: old.Rev, Records: []audit.Record{rec}}
}

func commit(t testing.TB, s *etcdstore.Store, c engine.Change) engine.Stored {
	t.Helper()
	rev, err := s.Commit(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return engine.Stored{Run: c.Run, Rev: rev}
}

func newRun(t testing.TB, s *etcdstore.Store) engine.Stored {
	t.Helper()
	id, err := s.NewID(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return commit(t, s, change(engine.Stored{Run: engine.Run{ID: id}}, engine.Waiting))
}

func verify(t testing.TB, s *etcdstore.Store) audit.Report {
	t.Helper()
	if _, err := s.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	rep, err := audit.Verify(audit.Entries(t.Context(), s, 1), audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// Stored data survives an orderly restart. (For a restart after a kill, see TestDirInUse.)
func TestRestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var runs []engine.Stored
	for life := range 3 {
		s, err := etcdstore.Open(t.Context(), etcdstore.Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range runs {
			if got, err := s.Get(t.Context(), r.Run.ID); err != nil || got.Rev != r.Rev {
				t.Errorf("start %d: run %s is at %d, %v, want %d", life, r.Run.ID, got.Rev, err, r.Rev)
			}
		}
		runs = append(runs, newRun(t, s))
		if rep := verify(t, s); rep.Entries != uint64(len(runs)) {
			t.Errorf("start %d: trail of %d entries, want %d", life, rep.Entries, len(runs))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestHelperProcess is not a test, but the other bot that TestDirInUse starts. It opens a store,
// prints a line, and waits to be killed.
func TestHelperProcess(t *testing.T) {
	dir := os.Getenv("DHBOT_TEST_HOLD")
	if dir == "" {
		t.Skip("runs as a process of TestDirInUse")
	}
	s, err := etcdstore.Open(context.Background(), etcdstore.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	at := newRun(t, s)
	fmt.Println("holding", at.Run.ID)
	select {}
}

// If a second bot starts on the same directory, it reports at once which process uses it. After the
// first bot was killed with kill -9, the second starts at once, although the first bot's lease has
// not ended.
func TestDirInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	other := exec.Command(os.Args[0], "-test.run=^TestHelperProcess$", "-test.v")
	other.Env = append(os.Environ(), "DHBOT_TEST_HOLD="+dir)
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	killed := false
	kill := func() {
		if !killed {
			killed = true
			_ = other.Process.Kill() // it only waits to be killed
			_ = other.Wait()
		}
	}
	defer kill()
	id := ""
	for lines := bufio.NewScanner(out); id == "" && lines.Scan(); {
		_, id, _ = strings.Cut(lines.Text(), "holding ")
	}
	if id == "" {
		t.Fatal("the other process did not open the store")
	}

	_, err = etcdstore.Open(t.Context(), etcdstore.Config{Dir: dir})
	var held *etcdconn.DirInUseError
	if !errors.As(err, &held) || held.PID != other.Process.Pid || time.Since(held.Since) > time.Minute {
		t.Fatalf("error %v, want that process %d holds it", err, other.Process.Pid)
	}
	if !strings.Contains(err.Error(), strconv.Itoa(held.PID)) || !strings.Contains(err.Error(), dir) {
		t.Errorf("the message does not name process and directory: %v", err)
	}

	kill()
	s := open(t, etcdstore.Config{Dir: dir})
	if _, err := s.Get(t.Context(), id); err != nil {
		t.Errorf("the killed bot's run: %v", err)
	}
	newRun(t, s)
	if rep := verify(t, s); rep.Entries != 2 {
		t.Errorf("trail of %d entries, want 2", rep.Entries)
	}
}

func TestDirIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "state")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	open(t, etcdstore.Config{Dir: dir})
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// No other process can reach an embedded store, because it listens on no address and no socket.
func TestNoListener(t *testing.T) {
	before := listeners(t)
	open(t, etcdstore.Config{Dir: t.TempDir()})
	if after := listeners(t); after != before {
		t.Errorf("listening sockets of this process went from %d to %d", before, after)
	}
}

// listeners counts the listening sockets of this process. It compares the process's file
// descriptors with the kernel's lists of listening sockets.
func listeners(t *testing.T) int {
	t.Helper()
	mine := map[string]bool{}
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc here")
	}
	for _, fd := range fds {
		link, err := os.Readlink("/proc/self/fd/" + fd.Name())
		if inode, ok := strings.CutPrefix(link, "socket:["); err == nil && ok {
			mine[strings.TrimSuffix(inode, "]")] = true
		}
	}
	n := 0
	for file, column := range map[string][3]any{ // column of state, its value, column of inode
		"tcp": {3, "0A", 9}, "tcp6": {3, "0A", 9}, "unix": {3, "00010000", 6},
	} {
		text, err := os.ReadFile("/proc/self/net/" + file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			state, inode := column[0].(int), column[2].(int)
			if len(f) > inode && f[state] == column[1].(string) && mine[f[inode]] {
				n++
			}
		}
	}
	return n
}

// TestListenersAreSeen checks that TestNoListener would detect a listener.
func TestListenersAreSeen(t *testing.T) {
	before := listeners(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if after := listeners(t); after != before+1 {
		t.Errorf("listening sockets went from %d to %d", before, after)
	}
}

// To open a damaged directory is an error that names the directory. It does not end the process.
func TestDamagedDirectory(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, dir string){
		"write-ahead log cut": func(t *testing.T, dir string) {
			overwrite(t, filepath.Join(dir, "etcd/member/wal/*.wal"), 100)
		},
		"database overwritten": func(t *testing.T, dir string) {
			overwrite(t, filepath.Join(dir, "etcd/member/snap/db"), 0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s, err := etcdstore.Open(t.Context(), etcdstore.Config{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			newRun(t, s)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			damage(t, dir)
			s, err = etcdstore.Open(t.Context(), etcdstore.Config{Dir: dir})
			if err == nil {
				s.Close()
				t.Fatal("a damaged store was opened")
			}
			if !strings.Contains(err.Error(), dir) {
				t.Errorf("the message does not name the directory: %v", err)
			}
			t.Log(err)
		})
	}
}

func overwrite(t *testing.T, pattern string, at int64) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v, %v", pattern, files, err)
	}
	for _, name := range files {
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte(strings.Repeat("damage! ", 2000)), at); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTooBig(t *testing.T) {
	t.Parallel()
	s := open(t, etcdstore.Config{Dir: t.TempDir()})
	at := newRun(t, s)
	c := change(at, engine.Running)
	c.Run.Reason = strings.Repeat("x", 2<<20)
	if _, err := s.Commit(t.Context(), c); err == nil || errors.Is(err, engine.ErrStoreDown) || !strings.Contains(err.Error(), "bytes") {
		t.Errorf("2 MB: error %v", err)
	}
	c = change(at, engine.Running)
	for i := range 200 {
		c.Take = append(c.Take, fmt.Sprint("lock ", i))
	}
	if _, err := s.Commit(t.Context(), c); err == nil || errors.Is(err, engine.ErrStoreDown) || !strings.Contains(err.Error(), "operations") {
		t.Errorf("200 locks: error %v", err)
	}
	c.Take = c.Take[:100]
	at = commit(t, s, c)
	c = change(at, engine.Done)
	c.Release = true
	commit(t, s, c)
	if _, err := s.Claim(t.Context(), "x", make([]byte, 2<<20)); err == nil || errors.Is(err, engine.ErrStoreDown) {
		t.Errorf("a claim of 2 MB: error %v", err)
	}
}

// A read command costs two transactions.
func TestTransactionsOfARead(t *testing.T) {
	t.Parallel()
	s := open(t, etcdstore.Config{Dir: t.TempDir()})
	before := s.Txns()
	if _, err := s.Claim(t.Context(), "slash/1", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if err := s.Append(t.Context(), audit.Record{At: time.Now(), Kind: audit.ReadDone}, "slash/1"); err != nil {
		t.Fatal(err)
	}
	if n := s.Txns() - before; n != 2 {
		t.Errorf("%d transactions, want 2", n)
	}
}

func TestHealthAndRun(t *testing.T) {
	t.Parallel()
	s := open(t, etcdstore.Config{Dir: t.TempDir(), SealEach: 10 * time.Millisecond})
	newRun(t, s)
	h, err := s.Health(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !h.Embedded || !h.Leader || !h.Alive || len(h.Alarms) != 0 || h.Pending != 1 || h.Sealed != 0 || h.Size == 0 || h.Quota != 2<<30 {
		t.Errorf("health %+v", h)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	within(t, "the record is sealed", func() bool {
		h, err = s.Health(t.Context())
		return err == nil && h.Sealed == 1
	})
	if h.Pending != 0 || h.Sealer != "bot" || h.LastSeal.IsZero() {
		t.Errorf("health %+v", h)
	}
	newRun(t, s)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if h, err = s.Health(t.Context()); err != nil || h.Pending != 0 || h.Sealed != 2 {
		t.Errorf("after an orderly stop health is %+v, %v", h, err)
	}
}

// within waits until a condition holds, which takes only a moment on an idle machine. It fails the
// test after some minutes.
func within(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(4 * time.Minute)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// TestClosedStoreIsDown checks that OpenWork of a closed store returns ErrStoreDown. While the
// store is open, OpenWork reads from the memory of the server.
func TestClosedStoreIsDown(t *testing.T) {
	t.Parallel()
	s := open(t, etcdstore.Config{Dir: t.TempDir()})
	run := newRun(t, s)
	if list, _, err := s.OpenWork(t.Context()); err != nil || len(list) != 1 || list[0].Run.ID != run.Run.ID {
		t.Fatalf("open before: %v, %v", list, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if list, _, err := s.OpenWork(t.Context()); !errors.Is(err, engine.ErrStoreDown) {
		t.Errorf("open after: %v, %v, want ErrStoreDown", list, err)
	}
}

// Closing a store ends its watches.
func TestCloseEndsWatches(t *testing.T) {
	t.Parallel()
	s, err := etcdstore.Open(t.Context(), etcdstore.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	newRun(t, s)
	seen, ended := make(chan engine.Stored, 1), make(chan error, 1)
	go func() { ended <- s.Watch(t.Context(), func(r engine.Stored) { seen <- r }) }()
	shown(t, seen)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	select {
	case err := <-ended:
		if !errors.Is(err, engine.ErrStoreDown) {
			t.Errorf("the watch ended with %v, want ErrStoreDown", err)
		}
	case <-time.After(2 * time.Minute):
		t.Error("the watch has not ended")
	}
	if _, err := s.Get(t.Context(), "R-7F3K"); !errors.Is(err, engine.ErrStoreDown) {
		t.Errorf("a closed store answers %v, want ErrStoreDown", err)
	}
}
