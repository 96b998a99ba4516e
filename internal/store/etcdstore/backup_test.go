package etcdstore_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/store/etcdstore"
)

var silent = slog.New(slog.DiscardHandler)

// backed returns an open store with data of every kind, a run in the store, and a backup of the
// store.
func backed(t *testing.T) (*etcdstore.Store, engine.Stored, []byte) {
	t.Helper()
	s := open(t, small(t.TempDir()))
	notes(t, s, 450)
	if m := moved(t, s); m.Entries == 0 {
		t.Fatal("nothing was archived")
	}
	run(t, s)
	c := change(newRun(t, s), engine.Running)
	c.Take = []string{"prod/db_dis"}
	at := commit(t, s, c)
	if _, err := s.Claim(t.Context(), "slash/1", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	verify(t, s)
	var b bytes.Buffer
	m, err := s.Backup(t.Context(), &b)
	if head, _, err2 := s.Head(t.Context()); err != nil || err2 != nil || m.Head != (audit.Head{N: head.N, Hash: head.Hash}) {
		t.Fatalf("manifest %+v, %v, %v", m, err, err2)
	}
	return s, at, b.Bytes()
}

func TestBackup(t *testing.T) {
	t.Parallel()
	s, at, b := backed(t)
	newRun(t, s) // stored after the backup, so the backup does not contain it
	dir := filepath.Join(t.TempDir(), "deep", "restored")
	m, report, err := etcdstore.Restore(t.Context(), bytes.NewReader(b), dir, silent)
	if err != nil || report.Head != m.Head || report.Entries != 452 {
		t.Fatalf("manifest %+v, report %+v, %v", m, report, err)
	}
	r := open(t, small(dir))
	if got, err := r.Get(t.Context(), at.Run.ID); err != nil || got.Rev != at.Rev || got.Run.Head != at.Run.Head {
		t.Errorf("run %+v, %v", got, err)
	}
	if open, err := r.Open(t.Context()); err != nil || len(open) != 1 {
		t.Errorf("%d open runs, %v, want the one of the backup", len(open), err)
	}
	if locks, err := r.Locks(t.Context()); err != nil || len(locks) != 1 || locks[0].Run != at.Run.ID {
		t.Errorf("locks %v, %v", locks, err)
	}
	if first, err := r.Claim(t.Context(), "slash/1", nil); err != nil || first {
		t.Errorf("a delivery was forgotten: %v, %v", first, err)
	}
	if h, err := r.Health(t.Context()); err != nil || h.Posted != 450 || len(h.Why) != 0 {
		t.Errorf("health %+v, %v", h, err)
	}
	// The restored store works, and its trail continues.
	c := change(at, engine.Done)
	c.Release = true
	commit(t, r, c)
	notes(t, r, 300)
	moved(t, r)
	if rep := verify(t, r); rep.Entries != 753 {
		t.Errorf("%d entries", rep.Entries)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(dir), ".restoring-*")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// A damaged backup cannot be restored. The attempt leaves no files behind.
func TestBackupDamaged(t *testing.T) {
	t.Parallel()
	_, _, b := backed(t)
	middle := bytes.Index(b, []byte("note 60"))
	if middle < 0 {
		t.Fatal("the backup does not hold the archive")
	}
	for name, c := range map[string]struct {
		data []byte
		says string
	}{
		"cut off":            {b[:len(b)/2], "damaged"},
		"cut between files":  {without(t, b, "SHA256SUMS"), "cut off"},
		"a byte changed":     {append(append(bytes.Clone(b[:middle]), 'N'), b[middle+1:]...), "damaged"},
		"without a segment":  {without(t, b, "archive/trail/0000000000000001-0000000000000090.jsonl"), "damaged"},
		"without a manifest": {without(t, b, "manifest.json"), "damaged"},
		"an unknown file":    {with(t, "../../etc/passwd"), "unexpected file"},
		"an empty file":      {nil, "cut off"},
		"not a tar file":     {[]byte(strings.Repeat("hello ", 1000)), "not a backup"},
	} {
		dir := filepath.Join(t.TempDir(), "restored")
		_, _, err := etcdstore.Restore(t.Context(), bytes.NewReader(c.data), dir, silent)
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "nothing was restored") {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.says)
		}
		if left, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(left) != 0 {
			t.Errorf("%s: left behind %v, %v", name, left, err)
		}
	}
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := etcdstore.Restore(t.Context(), bytes.NewReader(b), full, silent); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("restored into a directory that is not empty: %v", err)
	}
}

// without returns a copy of a tar file, but omits the named file.
func without(t *testing.T, b []byte, name string) []byte {
	t.Helper()
	in := tar.NewReader(bytes.NewReader(b))
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Name == name {
			continue
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(w, in); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// with returns a tar file that contains only one file, which is empty.
func with(t *testing.T, name string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestBackupOfACluster(t *testing.T) {
	t.Parallel()
	s := open(t, etcdstore.Config{Endpoints: []string{startEtcd(t)}})
	if _, err := s.Backup(t.Context(), io.Discard); !errors.Is(err, etcdstore.ErrNotEmbedded) {
		t.Errorf("error %v", err)
	}
}
