package etcdstore_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/store/etcdconn"
	"dhbot/internal/store/etcdstore"
	"dhbot/internal/test/suspend"
	"dhbot/internal/test/testenv"
)

// refuses checks that a store in a bad state accepts no change. Each error must contain the text in
// says.
func refuses(t *testing.T, s *etcdstore.Store, at engine.Stored, says string) {
	t.Helper()
	_, commit := s.Commit(t.Context(), change(at, engine.Approved))
	_, claim := s.Claim(t.Context(), fmt.Sprint("slash/", time.Now().UnixNano()), []byte("{}"))
	appended := s.Append(t.Context(), audit.Record{At: time.Now(), Kind: audit.Note}, "")
	for what, err := range map[string]error{"commit": commit, "claim": claim, "append": appended} {
		if !errors.Is(err, engine.ErrStoreDown) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %v, want ErrStoreDown that says %q", what, err, says)
		}
	}
}

// in checks which state Health reports, and that Health contains the text in says. Instead of well
// it also accepts slow, because the machine may be busy.
func in(t *testing.T, s *etcdstore.Store, want etcdconn.State, says string) {
	t.Helper()
	h, err := s.Health(t.Context())
	text := strings.Join(append(h.Why, h.Notes...), "; ")
	busy := want == etcdconn.Well && h.State == etcdconn.Slow
	if h.State != want && !busy || !strings.Contains(text, says) || (want.Serves() && err != nil) {
		t.Errorf("state %q, %q, %v, want %q with %q", h.State, text, err, want, says)
	}
}

// fill writes records until the store is full. It pauses between writes, because etcd compares its
// quota with the size at its last write to disk, up to 100 ms ago. Without the pauses a fast
// machine writes far more than the quota.
func fill(t *testing.T, s *etcdstore.Store) {
	t.Helper()
	for range 100_000 {
		time.Sleep(20 * time.Millisecond)
		err := s.Append(t.Context(), audit.Record{At: time.Now(), Kind: audit.Note, Text: strings.Repeat("x", 100_000)}, "")
		if errors.Is(err, engine.ErrStoreDown) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Seal(t.Context()); err != nil {
			return
		}
	}
	t.Fatal("the store did not become full")
}

// A full store can be read, but stores nothing. If it has an archive, it frees space on its own,
// when it starts and while it runs.
func TestFull(t *testing.T) {
	t.Parallel()
	// The lease is long, because nothing renews it while the store is filled, and a slow disk takes
	// long.
	c := etcdstore.Config{Dir: t.TempDir(), Quota: 8 << 20, ArchiveEach: 10 * time.Millisecond, LeaseTTL: 10 * time.Minute}
	s, err := etcdstore.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	at := newRun(t, s)
	for range 20 {
		if err := s.Append(t.Context(), audit.Record{At: time.Now(), Kind: audit.Note, Text: strings.Repeat("x", 100_000)}, ""); err != nil {
			t.Fatal(err)
		}
	}
	head := audit.Head{N: verify(t, s).Head.N}
	posted(t, s)
	fill(t, s)
	in(t, s, etcdconn.Full, "full")
	refuses(t, s, at, "full")
	if got, err := s.Get(t.Context(), at.Run.ID); err != nil || got.Rev != at.Rev {
		t.Errorf("reading: %+v, %v", got, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	c.Archive = filepath.Join(c.Dir, "archive")
	s = open(t, c)
	in(t, s, etcdconn.Well, "")
	at = commit(t, s, change(at, engine.Approved))
	if rep := verify(t, s); rep.Entries < head.N {
		t.Errorf("the trail has %d entries, want at least %d", rep.Entries, head.N)
	}
	posted(t, s)
	fill(t, s)
	refuses(t, s, at, "full")
	run(t, s)
	within(t, "it has free space again", func() bool {
		_, err := s.Commit(t.Context(), change(at, engine.Running))
		return err == nil
	})
	within(t, "it is healthy", func() bool {
		h, err := s.Health(t.Context())
		return err == nil && h.State == etcdconn.Well && h.Pending == 0
	})
	verify(t, s)
}

// A store whose process is suspended for a moment is slow. A store whose process stays suspended
// does not answer.
func TestSlowAndSilent(t *testing.T) {
	t.Parallel()
	e := newEtcd(t, "http")
	e.start(t)
	s := open(t, etcdstore.Config{Endpoints: []string{e.client}, Timeout: 2 * time.Second, LeaseTTL: 10 * time.Minute})
	at := newRun(t, s)
	in(t, s, etcdconn.Well, "")
	stop := func() { ok(t, suspend.Process(e.cmd.Process)) }
	resume := func() {
		if err := e.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Error(err)
		}
	}
	stop()
	back := time.AfterFunc(600*time.Millisecond, resume)
	defer back.Stop()
	at = commit(t, s, change(at, engine.Approved))
	in(t, s, etcdconn.Slow, "a call took")
	stop()
	in(t, s, etcdconn.Silent, "does not answer")
	refuses(t, s, at, "does not answer")
	resume()
	within(t, "it answers again", func() bool {
		h, err := s.Health(t.Context())
		return err == nil && h.State.Serves()
	})
}

// If two of three members are down, there is no leader. As soon as one of them is up again, there
// is a leader.
func TestNoLeader(t *testing.T) {
	t.Parallel()
	members := newCluster(t, 3)
	var endpoints []string
	for _, e := range members {
		endpoints = append(endpoints, e.client)
	}
	s := open(t, etcdstore.Config{Endpoints: endpoints, Timeout: 2 * time.Second, LeaseTTL: 10 * time.Minute})
	at := newRun(t, s)
	members[0].kill()
	within(t, "two of three members serve", func() bool {
		_, err := s.Get(t.Context(), at.Run.ID)
		return err == nil
	})
	members[1].kill()
	within(t, "the last member reports that there is no leader", func() bool {
		h, err := s.Health(t.Context())
		return errors.Is(err, engine.ErrStoreDown) && h.State == etcdconn.NoLeader
	})
	in(t, s, etcdconn.NoLeader, "no leader")
	_, err := s.Commit(t.Context(), change(at, engine.Approved))
	if !errors.Is(err, engine.ErrStoreDown) {
		t.Errorf("error %v, want ErrStoreDown", err)
	}
	members[1].start(t)
	within(t, "two of three members serve again", func() bool {
		h, err := s.Health(t.Context())
		return err == nil && h.State.Serves()
	})
}

// newCluster starts an etcd cluster of n members.
func newCluster(t *testing.T, n int) []*etcd {
	t.Helper()
	var members []*etcd
	var initial []string
	for i := range n {
		e := newEtcd(t, "http")
		e.name = fmt.Sprint("m", i)
		members = append(members, e)
		initial = append(initial, e.name+"="+e.peer)
	}
	for _, e := range members {
		e.cluster = strings.Join(initial, ",")
		e.launch(t)
	}
	for _, e := range members {
		e.await(t)
	}
	return members
}

func TestCorrupted(t *testing.T) {
	t.Parallel()
	endpoint := startEtcd(t)
	s := open(t, etcdstore.Config{Endpoints: []string{endpoint}})
	at := newRun(t, s)
	member, err := raw(t, endpoint).Status(t.Context(), endpoint)
	if err != nil {
		t.Fatal(err)
	}
	alarm := &pb.AlarmRequest{Action: pb.AlarmRequest_ACTIVATE, Alarm: pb.AlarmType_CORRUPT, MemberID: member.Header.MemberId}
	if _, err := pb.NewMaintenanceClient(raw(t, endpoint).ActiveConnection()).Alarm(t.Context(), alarm); err != nil {
		t.Fatal(err)
	}
	in(t, s, etcdconn.Corrupted, "corrupted")
	refuses(t, s, at, "corrupted")
}

// If the disk is full, the store stops at once. It tells all callers why, and answers nothing more.
func TestDiskFull(t *testing.T) {
	testenv.NeedRealPrograms(t) // and root, to mount a small disk
	disk := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=150m", "tmpfs", disk).CombinedOutput(); err != nil {
		t.Fatalf("no small disk can be mounted here: %v: %s", err, out)
	}
	defer func() {
		if out, err := exec.Command("umount", "-l", disk).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	}()
	c := etcdstore.Config{Dir: filepath.Join(disk, "state"), Timeout: 3 * time.Second}
	s, err := etcdstore.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	at := newRun(t, s)
	verify(t, s)
	fillDisk(t, filepath.Join(disk, "ballast"))
	ended := make(chan error, 1)
	go func() { ended <- s.Run(t.Context()) }()
	for start := time.Now(); err == nil && time.Since(start) < 2*time.Minute; {
		err = s.Append(t.Context(), audit.Record{At: time.Now(), Kind: audit.Note, Text: strings.Repeat("x", 100_000)}, "")
	}
	var stopped *etcdconn.StoppedError
	select {
	case err := <-ended:
		if !errors.As(err, &stopped) || !stopped.DiskFull || !strings.Contains(err.Error(), "disk") {
			t.Errorf("the store ended with %v, want that its disk is full", err)
		}
	case <-time.After(2 * time.Minute):
		t.Fatal("the store has not stopped")
	}
	in(t, s, etcdconn.Stopped, "disk")
	refuses(t, s, at, "disk")
	if _, err := s.Get(t.Context(), at.Run.ID); !errors.As(err, &stopped) {
		t.Errorf("a store that has stopped answers: %v", err)
	}
	if err := s.Close(); !errors.As(err, &stopped) {
		t.Errorf("closed with %v", err)
	}
}

// fillDisk leaves no free byte.
func fillDisk(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 64<<10); len(block) > 0; {
		if _, err := f.Write(block); errors.Is(err, syscall.ENOSPC) {
			block = block[:len(block)/2]
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// Advice is never empty. For an unknown state it says that the state is not known.
func TestAdvice(t *testing.T) {
	for _, s := range []etcdconn.State{etcdconn.Well, etcdconn.Slow, etcdconn.NoLeader, etcdconn.Full,
		etcdconn.Corrupted, etcdconn.Denied, etcdconn.Silent, etcdconn.Stopped} {
		if a := s.Advice(); a == "" || strings.Contains(a, "not a known state") {
			t.Errorf("%s: %q", s, a)
		}
	}
	if a := etcdconn.State("odd").Advice(); !strings.Contains(a, "not a known state") {
		t.Errorf("odd: %q", a)
	}
}
