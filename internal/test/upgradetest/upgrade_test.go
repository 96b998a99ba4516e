package upgradetest

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dhbot/internal/archive"
	"dhbot/internal/audit"
	"dhbot/internal/config"
	"dhbot/internal/engine"
	"dhbot/internal/incident"
	"dhbot/internal/store/etcdstore"
)

// contents is the expected content of a version's fixture.
type contents struct {
	open     map[string]engine.State
	ended    map[string]engine.State // in the store
	archived map[string]engine.State
	locks    int
	head     audit.Head // the head of the trail, including entries that were not sealed yet
}

var v01 = contents{
	open: map[string]engine.State{
		"R-75SZ": engine.Paused, "R-2SGV": engine.Unknown, "R-CD95": engine.Waiting, "R-JHGE": engine.Waiting,
	},
	ended: map[string]engine.State{
		"R-WKB6": engine.Done, "R-8FXA": engine.Done, "R-WRXZ": engine.Done, "R-AHCC": engine.Cancelled,
	},
	archived: map[string]engine.State{
		"R-682F": engine.Done, "R-6VMR": engine.Failed, "R-7QJA": engine.Done, "R-RHDJ": engine.Denied, "R-YRB2": engine.Done,
	},
	locks: 3,
	head:  audit.Head{N: 101, Hash: "09ba7c5508aed240bb6b7da2d0103114755e921382f10a32867d9643c6809aa0"},
}

const v01Dir = "testdata/v0.1"

func TestState(t *testing.T) {
	dir := t.TempDir()
	unpack(t, filepath.Join(v01Dir, "state.tar.gz"), dir)
	state := filepath.Join(dir, "state")
	checkArchive(t, filepath.Join(state, "archive"))
	store := open(t, state)
	check(t, store, v01)
	checkDelivery(t, store)
}

func TestRestore(t *testing.T) {
	f, err := os.Open(filepath.Join(v01Dir, "backup.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	plain, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(t.TempDir(), "state")
	if _, _, err := etcdstore.Restore(t.Context(), plain, state, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	checkArchive(t, filepath.Join(state, "archive"))
	check(t, open(t, state), v01)
}

func open(t *testing.T, dir string) *etcdstore.Store {
	t.Helper()
	store, err := etcdstore.Open(t.Context(), etcdstore.Config{Dir: dir, Archive: filepath.Join(dir, "archive")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// check compares everything in the store with the fixture.
func check(t *testing.T, store *etcdstore.Store, want contents) {
	t.Helper()
	open, err := store.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sameRuns(t, "open", open, want.open)
	ended, err := store.Recent(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	sameRuns(t, "ended", ended, want.ended)
	var archived []engine.Stored
	for id := range want.archived {
		st, err := store.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		archived = append(archived, st)
	}
	sameRuns(t, "archived", archived, want.archived)
	checkAround(t, store, want)
	checkTrail(t, store, want)
}

// sameRuns checks the states of runs, and that the runs were read completely (see form.go
// of package engine).
func sameRuns(t *testing.T, what string, got []engine.Stored, want map[string]engine.State) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d %s runs, want %d", len(got), what, len(want))
	}
	for _, st := range got {
		r := st.Run
		if r.State != want[r.ID] {
			t.Errorf("%s run %s is %q, want %q", what, r.ID, r.State, want[r.ID])
		}
		if r.Asked.Person == "" || r.RequestedAt.IsZero() || len(r.Plan.Digest) != 64 || len(r.Plan.Steps) == 0 || r.Records == 0 || r.Head == "" {
			t.Errorf("%s run %s was not read completely: %+v", what, r.ID, r)
		}
		for _, v := range r.Votes {
			if v.Digest != r.Plan.Digest {
				t.Errorf("%s run %s has an approval of another plan", what, r.ID)
			}
		}
	}
}

// checkAround checks the stored locks, maintenance, watches and incidents.
func checkAround(t *testing.T, store *etcdstore.Store, want contents) {
	t.Helper()
	locks, err := store.Locks(t.Context())
	if err != nil || len(locks) != want.locks {
		t.Errorf("%d locks, %v, want %d", len(locks), err, want.locks)
	}
	for _, l := range locks {
		if want.open[l.Run] == "" {
			t.Errorf("the lock %+v belongs to no open run", l)
		}
	}
	maintenance, err := store.Maintenance(t.Context())
	if err != nil || len(maintenance) != 1 || maintenance[0].Process != "status_dashboard" || maintenance[0].Reason != "new certificates" {
		t.Errorf("maintenance: %+v, %v", maintenance, err)
	}
	follows, err := incident.Follows(t.Context(), store)
	if err != nil || len(follows) != 1 || follows[0].Person != "reader" || follows[0].Scope.Process != "db_tdcp" {
		t.Errorf("watches: %+v, %v", follows, err)
	}
	cluster, _, err := incident.KeptCluster(t.Context(), store, "prod")
	if err != nil || len(cluster.Incidents) == 0 {
		t.Errorf("incidents: %+v, %v", cluster, err)
	}
}

// checkTrail verifies archive and store as one chain, and compares the end of the chain
// with the fixture.
func checkTrail(t *testing.T, store *etcdstore.Store, want contents) {
	t.Helper()
	if _, err := store.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	report, err := audit.Verify(audit.Entries(t.Context(), store, 1), audit.Options{Heads: []audit.Head{want.head}})
	if err != nil || report.Entries < want.head.N || report.Runs != len(want.open)+len(want.ended)+len(want.archived) {
		t.Errorf("the trail: %+v, %v", report, err)
	}
	found := uint64(0)
	_, err = store.Find(t.Context(), audit.Query{Newest: audit.All}, func(audit.Sealed) error { found++; return nil })
	if err != nil || found != report.Entries {
		t.Errorf("%d of %d entries are found, %v", found, report.Entries, err)
	}
}

// checkArchive reads each segment separately, like `bot audit verify --file`.
func checkArchive(t *testing.T, dir string) {
	t.Helper()
	segments, err := archive.New(dir).Segments()
	if err != nil || len(segments) == 0 {
		t.Fatalf("%d segments, %v", len(segments), err)
	}
	for _, s := range segments {
		f, err := os.Open(s.Path)
		if err != nil {
			t.Fatal(err)
		}
		header, trail, err := audit.ReadExport(f)
		if err == nil {
			_, err = audit.Verify(trail, audit.Options{After: header.After})
		}
		if err = errors.Join(err, f.Close()); err != nil {
			t.Errorf("%s: %v", s.Path, err)
		}
	}
}

// checkDelivery checks the one delivery that was accepted and not handled.
func checkDelivery(t *testing.T, store *etcdstore.Store) {
	t.Helper()
	var payloads []string
	err := store.Unsettled(t.Context(), func(_ string, payload []byte, _ string, _ time.Time) error {
		payloads = append(payloads, string(payload))
		return nil
	})
	if err != nil || len(payloads) != 1 || !strings.Contains(payloads[0], "start db_dis") {
		t.Errorf("unhandled deliveries: %q, %v", payloads, err)
	}
}

// TestConfigs only parses the configs of version 0.1: the files that they name do not exist here.
func TestConfigs(t *testing.T) {
	for _, name := range []string{"config.example.yaml", "config.full.yaml"} {
		path := filepath.Join(v01Dir, name)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		c, problems := config.Parse(path, data)
		if err := problems.Err(); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		names := func() (out []string) {
			for _, cl := range c.Fleet.Clusters {
				out = append(out, cl.Name)
			}
			return out
		}()
		if !slices.Contains(names, "prod") || c.Watches["prod"].Channel != "C0INCIDENT" || c.Terminal.Channel == "" || len(c.Rules.People) < 4 {
			t.Errorf("%s was not read completely: %+v", name, c)
		}
	}
}

func unpack(t *testing.T, name, into string) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	plain, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(plain); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := place(filepath.Join(into, filepath.Clean("/"+h.Name)), h.FileInfo().Mode(), r); err != nil {
			t.Fatal(err)
		}
	}
}

func place(path string, mode fs.FileMode, r io.Reader) error {
	if mode.IsDir() {
		return os.MkdirAll(path, 0o700)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode.Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}
