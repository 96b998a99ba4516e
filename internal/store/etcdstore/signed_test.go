package etcdstore_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/store/etcdstore"
	"dhbot/internal/store/sign"
	"dhbot/internal/store/trail"
)

// signedRun returns a new run that is stored with a signature.
func signedRun(t testing.TB, s *etcdstore.Store, state engine.State) engine.Stored {
	t.Helper()
	id, err := s.NewID(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return commit(t, s, change(engine.Stored{Run: engine.Run{ID: id, RequestedAt: time.Now().UTC()}}, state))
}

func healthWhy(t testing.TB, s *etcdstore.Store) string {
	t.Helper()
	h, err := s.Health(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(append(h.Why, h.Notes...), "\n")
}

// alarmsIn returns the alarms that the trail records. An alarm stays there after it is over.
func alarmsIn(t testing.TB, s *etcdstore.Store) string {
	t.Helper()
	var out []string
	ok(t, s.Trail(t.Context(), 1, func(e audit.Sealed) error {
		if e.Record.Action == audit.Alarm {
			out = append(out, e.Record.Text)
		}
		return nil
	}))
	return strings.Join(out, "\n")
}

func listsOpen(t testing.TB, s *etcdstore.Store, id string) (engine.Stored, bool) {
	t.Helper()
	list, err := s.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range list {
		if st.Run.ID == id {
			return st, true
		}
	}
	return engine.Stored{}, false
}

// TestForgedDelivery checks that the bot does not handle a forged delivery, and does not handle a
// delivery twice.
func TestForgedDelivery(t *testing.T) {
	t.Parallel()
	endpoint := startEtcd(t)
	client := raw(t, endpoint)
	key := filepath.Join(t.TempDir(), "state.key")
	if _, err := sign.Create(key); err != nil {
		t.Fatal(err)
	}
	s := open(t, etcdstore.Config{Endpoints: []string{endpoint}, KeyFile: key})
	keys := func() (out []string) {
		err := s.Unsettled(t.Context(), func(key string, _ []byte, _ string, _ time.Time) error { out = append(out, key); return nil })
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if _, err := s.Claim(t.Context(), "slash/1", []byte("restart db_dis")); err != nil {
		t.Fatal(err)
	}
	real := etcdstore.DefaultPrefix + "claim/slash/1"
	r, err := client.Get(t.Context(), real)
	if err != nil || len(r.Kvs) != 1 {
		t.Fatal(err)
	}
	stored := string(r.Kvs[0].Value)
	put := func(name, value string) {
		if _, err := client.Put(t.Context(), etcdstore.DefaultPrefix+"claim/"+name, value); err != nil {
			t.Fatal(err)
		}
	}
	put("slash/2", stored)
	unsigned := `{"v":1,"state":"accepted","replica":"bot","at":1,"payload":"cmVzdGFydA=="}`
	put("slash/3", unsigned)
	put("slash/4", unsigned) // as if a version that signed nothing had handled the delivery
	put("slash/4", unsigned)
	if got := keys(); len(got) != 1 || got[0] != "slash/1" {
		t.Errorf("would be resumed: %v", got)
	}
	st := signedRun(t, s, engine.Waiting)
	c := change(st, engine.Approved)
	c.Claim = "slash/1"
	commit(t, s, c)
	if _, err := client.Delete(t.Context(), real); err != nil {
		t.Fatal(err)
	}
	put("slash/1", stored)
	if got := keys(); len(got) != 0 {
		t.Errorf("a handled delivery would be resumed: %v", got)
	}
}

// TestRotationKeepsDeliveries checks that a delivery that was accepted but not handled survives a
// rotation of the key, and a second rotation.
func TestRotationKeepsDeliveries(t *testing.T) {
	t.Parallel()
	conf := etcdstore.Config{Dir: filepath.Join(t.TempDir(), "state"), KeyFile: filepath.Join(t.TempDir(), "state.key")}
	life(t, conf, func(s *etcdstore.Store) {
		for _, key := range []string{"slash/1", "slash/2"} {
			_, err := s.Claim(t.Context(), key, []byte("restart db_dis"))
			ok(t, err)
		}
		ok(t, s.Settle(t.Context(), "slash/2"))
	})
	ok(t, etcdstore.Rotate(t.Context(), conf))
	ok(t, etcdstore.Rotate(t.Context(), conf))
	life(t, conf, func(s *etcdstore.Store) {
		var left []string
		ok(t, s.Unsettled(t.Context(), func(key string, payload []byte, _ string, _ time.Time) error {
			left = append(left, key+" "+string(payload))
			return nil
		}))
		if !slices.Equal(left, []string{"slash/1 restart db_dis"}) {
			t.Errorf("not handled after the rotation: %v", left)
		}
		if first, err := s.Claim(t.Context(), "slash/2", nil); first || err != nil {
			t.Errorf("a handled delivery counts as new: %v", err)
		}
		ok(t, s.Settle(t.Context(), "slash/1"))
		if why := healthWhy(t, s); strings.Contains(why, "delivery") {
			t.Errorf("health: %s", why)
		}
	})
}

// TestPretendedReplica checks that a replica without notes closes the open runs of a store, unless
// the signed entry of another live replica proves that the store is current. Without the key no one
// can forge such an entry.
func TestPretendedReplica(t *testing.T) {
	t.Parallel()
	for name, pretend := range map[string]func(own string) string{
		"unsigned": func(string) string {
			return fmt.Sprintf(`{"v":1,"pid":1,"host":"a","since":1,"clock":%d}`, time.Now().UnixMilli())
		},
		"an entry of another replica": func(own string) string { return own },
		"its own entry, an hour old":  func(own string) string { return own },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			endpoint := startEtcd(t)
			client := raw(t, endpoint)
			key := filepath.Join(t.TempDir(), "state.key")
			_, err := sign.Create(key)
			ok(t, err)
			conf := etcdstore.Config{Endpoints: []string{endpoint}, KeyFile: key, Replica: "a"}
			if name == "its own entry, an hour old" {
				conf.Now = func() time.Time { return time.Now().Add(-time.Hour) }
			}
			s := open(t, conf)
			st := signedRun(t, s, engine.Approved)
			r, err := client.Get(t.Context(), etcdstore.DefaultPrefix+"replica/a")
			ok(t, err)
			own := string(r.Kvs[0].Value)
			ok(t, s.Close())
			forgetFile(t, key+".sent")
			forged := etcdstore.DefaultPrefix + "replica/b"
			if name == "its own entry, an hour old" {
				forged = etcdstore.DefaultPrefix + "replica/a"
			}
			_, err = client.Put(t.Context(), forged, pretend(own))
			ok(t, err)
			next := open(t, etcdstore.Config{Endpoints: []string{endpoint}, KeyFile: key, Replica: "c"})
			if got, listed := listsOpen(t, next, st.Run.ID); !listed || got.Before == "" {
				t.Errorf("the run would be continued: %v %q", listed, got.Before)
			}
		})
	}
}

// ledger is an HTTP witness.
type ledger struct {
	mu   sync.Mutex
	last string
	code int
}

func (l *ledger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.code != 0:
		w.WriteHeader(l.code)
	case r.Method == http.MethodPost:
		b, _ := io.ReadAll(r.Body)
		l.last = string(b)
	default:
		_, _ = io.WriteString(w, l.last)
	}
}

func copyDir(t testing.TB, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

// life opens and runs a store, and closes it after f has returned.
func life(t testing.TB, c etcdstore.Config, f func(s *etcdstore.Store)) {
	t.Helper()
	c.LeaseTTL, c.Timeout = 10*time.Minute, 30*time.Second
	c.SealEach, c.WitnessEach, c.AppendEach = 20*time.Millisecond, 20*time.Millisecond, time.Millisecond
	s, err := etcdstore.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	f(s)
	cancel()
	if err := errors.Join(<-ended, s.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestRestoredStore checks that a replica recognizes a store that was reset to an earlier time: by
// a witness, by the notes, or because both are missing. It never continues runs that were open at
// that time, and it uses no id and no entry number twice.
func TestRestoredStore(t *testing.T) {
	t.Parallel()
	for name, forget := range map[string]func(t *testing.T, key string){
		"notes and witness": func(*testing.T, string) {},
		"witness alone":     func(t *testing.T, key string) { forgetFile(t, key+".sent") },
		"notes alone":       func(t *testing.T, key string) { forgetFile(t, key+".heads") },
		"neither of them":   func(t *testing.T, key string) { forgetFile(t, key+".sent"); forgetFile(t, key+".heads") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, key := filepath.Join(t.TempDir(), "state"), filepath.Join(t.TempDir(), "state.key")
			conf := etcdstore.Config{Dir: dir, KeyFile: key}
			var st engine.Stored
			life(t, conf, func(s *etcdstore.Store) { st = signedRun(t, s, engine.Approved); witnessed(t, s, 1) })
			backup := copyDir(t, dir)
			var later engine.Stored
			var top audit.Sealed
			life(t, conf, func(s *etcdstore.Store) {
				if got, ok := listsOpen(t, s, st.Run.ID); !ok || got.Before != "" {
					t.Fatalf("after an ordinary restart: %v %q", ok, got.Before)
				}
				st = commit(t, s, change(st, engine.Running))
				if err := s.Sending(st.Run, 0); err != nil {
					t.Fatal(err)
				}
				later = signedRun(t, s, engine.Waiting)
			})
			life(t, conf, func(s *etcdstore.Store) { top, _, _ = s.Head(t.Context()) })
			forget(t, key)
			conf.Dir = backup
			life(t, conf, func(s *etcdstore.Store) {
				got, ok := listsOpen(t, s, st.Run.ID)
				if !ok || !strings.Contains(got.Before, "restore") {
					t.Errorf("the earlier run: %v %q", ok, got.Before)
				}
				head, _, err := s.Head(t.Context())
				if err != nil || head.Record.Kind != audit.Restored || head.N <= top.N || !strings.Contains(head.Record.Text, st.Run.ID) {
					t.Errorf("the trail continues with %d %s %q after %d, %v", head.N, head.Record.Kind, head.Record.Text, top.N, err)
				}
				id, err := s.NewID(t.Context())
				if err != nil || len(id) == len(later.Run.ID) {
					t.Errorf("an id that may be used twice: %s, %v", id, err)
				}
				commit(t, s, change(got, engine.Closed))
				verify(t, s)
			})
			life(t, conf, func(s *etcdstore.Store) {
				h, err := s.Health(t.Context())
				if err != nil || h.Epoch != 2 {
					t.Errorf("after the next start: epoch %d, %v", h.Epoch, err)
				}
				if got, err := s.Get(t.Context(), st.Run.ID); err != nil || got.Run.State != engine.Closed {
					t.Errorf("the run is %s, %v", got.Run.State, err)
				}
			})
		})
	}
}

// TestRestoredEmptyStore restores a store from an empty copy. If the highest used number is
// unknown, the store must not number its entries from 1 again.
func TestRestoredEmptyStore(t *testing.T) {
	t.Parallel()
	dir, key := filepath.Join(t.TempDir(), "state"), filepath.Join(t.TempDir(), "state.key")
	life(t, etcdstore.Config{Dir: dir, KeyFile: key}, func(*etcdstore.Store) {})
	backup := copyDir(t, dir)
	life(t, etcdstore.Config{Dir: dir, KeyFile: key}, func(s *etcdstore.Store) { signedRun(t, s, engine.Waiting); witnessed(t, s, 1) })
	forgetFile(t, key+".sent")
	forgetFile(t, key+".heads")
	life(t, etcdstore.Config{Dir: backup, KeyFile: key}, func(s *etcdstore.Store) {
		head, _, err := s.Head(t.Context())
		if err != nil || head.Record.Kind != audit.Restored || head.N <= 1 {
			t.Errorf("the trail continues with %d %s, %v", head.N, head.Record.Kind, err)
		}
		verify(t, s)
	})
}

func forgetFile(t testing.TB, file string) {
	t.Helper()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}

// TestKeyAndWitness tests each row of a table in docs/threat-model.md: what the bot reports, and
// what still works, after the key or a witness has changed.
func TestKeyAndWitness(t *testing.T) {
	t.Parallel()
	type place struct {
		dir, key string
		witness  *ledger
	}
	refuses := func(want error) func(t *testing.T, c etcdstore.Config, id string) {
		return func(t *testing.T, c etcdstore.Config, _ string) {
			s, err := etcdstore.Open(t.Context(), c)
			if err == nil {
				s.Close()
				t.Fatal("it starts")
			}
			switch want.(type) {
			case *trail.NoKeyError:
				if !errors.As(err, new(*trail.NoKeyError)) || !strings.Contains(err.Error(), "bot state adopt") {
					t.Errorf("error %v, want a *NoKeyError that names `bot state adopt`", err)
				}
			case *trail.OtherKeyError:
				if !errors.As(err, new(*trail.OtherKeyError)) || !strings.Contains(err.Error(), "bot state adopt") {
					t.Errorf("error %v, want an *OtherKeyError that names `bot state adopt`", err)
				}
			}
		}
	}
	// lives returns a check that opens the store. It requires that the health or an alarm in the
	// trail contains the text said. The word run says what must happen to the open run: it goes on, is held or is closed,
	// or all changes stop.
	lives := func(said, run string) func(t *testing.T, c etcdstore.Config, id string) {
		return func(t *testing.T, c etcdstore.Config, id string) {
			life(t, c, func(s *etcdstore.Store) {
				st, listed := listsOpen(t, s, id)
				if !listed {
					t.Fatal("the run is not listed")
				}
				hear := healthWhy
				if said == "not ours" { // over as soon as the witness has a head of the bot
					hear = alarmsIn
				}
				deadline := time.Now().Add(2 * time.Minute)
				heard := hear(t, s)
				for !strings.Contains(heard, said) && time.Now().Before(deadline) {
					<-time.After(20 * time.Millisecond)
					heard = hear(t, s)
				}
				if !strings.Contains(heard, said) || said == "not ours" && strings.Contains(heard, "is empty now") {
					t.Errorf("heard %q, want %q", heard, said)
				}
				_, err := s.Commit(t.Context(), change(st, engine.Queued))
				is := map[bool]string{true: "goes on"}[st.Before == "" && s.Hold(st.Run) == "" && err == nil]
				switch {
				case s.Stopped() != "":
					is = "changes stop"
				case st.Before != "":
					is = "is closed"
				case s.Hold(st.Run) != "":
					is = "is held"
				}
				if is != run {
					t.Errorf("the run %s, want %s (%s, %v)", is, run, st.Before+s.Hold(st.Run)+s.Stopped(), err)
				}
				if _, err := s.Get(t.Context(), id); err != nil {
					t.Errorf("a read: %v", err)
				}
			})
		}
	}
	foreign := func() string {
		k, err := sign.New()
		if err != nil {
			t.Fatal(err)
		}
		b, err := k.SignHead(audit.SignedHead{Install: k.Install(), Epoch: 1, Size: 99}.Text())
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	cases := map[string]struct {
		do   func(t *testing.T, p *place)
		then func(t *testing.T, c etcdstore.Config, id string)
	}{
		"nothing":  {func(*testing.T, *place) {}, lives("", "goes on")},
		"key lost": {func(t *testing.T, p *place) { forgetFile(t, p.key) }, refuses(&trail.NoKeyError{})},
		"key wrong": {func(t *testing.T, p *place) {
			forgetFile(t, p.key)
			_, err := sign.Create(p.key)
			ok(t, err)
		}, refuses(&trail.OtherKeyError{})},
		"key damaged": {func(t *testing.T, p *place) { ok(t, os.WriteFile(p.key, []byte("x"), 0o600)) }, refuses(errors.New(""))},
		"key rotated": {func(t *testing.T, p *place) {
			ok(t, etcdstore.Rotate(t.Context(), etcdstore.Config{Dir: p.dir, KeyFile: p.key}))
		}, lives("", "goes on")},
		"witness down":                            {func(_ *testing.T, p *place) { p.witness.code = 503 }, lives("not witnessed by http", "is held")},
		"witness empty":                           {func(_ *testing.T, p *place) { p.witness.last = "" }, lives("is empty now", "goes on")},
		"witness of another installation":         {func(_ *testing.T, p *place) { p.witness.last = foreign() }, lives("not ours", "goes on")},
		"witness unreadable":                      {func(_ *testing.T, p *place) { p.witness.last = "no head" }, lives("not ours", "goes on")},
		"witness has a newer head than the store": {func(t *testing.T, p *place) { p.witness.last = headOf(t, p.key, 1, 99, "aa") }, lives("", "is closed")},
		"head of a witness contradicts the trail": {func(t *testing.T, p *place) { p.witness.last = headOf(t, p.key, 1, 0, "aa") }, lives("two histories", "changes stop")},
		"trail in the store does not continue a head that was published": {func(t *testing.T, p *place) { p.witness.last = headOf(t, p.key, 1, 1, "aa") }, lives("does not continue", "changes stop")},
	}
	for _, row := range tableOf(t, "../../../docs/threat-model.md", "## Key and witnesses") {
		if _, tried := cases[row]; !tried {
			t.Errorf("no case for the row %q of the threat model", row)
		}
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &place{dir: filepath.Join(t.TempDir(), "state"), key: filepath.Join(t.TempDir(), "state.key"), witness: &ledger{}}
			server := httptest.NewServer(p.witness)
			defer server.Close()
			conf := etcdstore.Config{Dir: p.dir, KeyFile: p.key, Witnesses: []string{server.URL}}
			var id string
			life(t, conf, func(s *etcdstore.Store) {
				st := signedRun(t, s, engine.Waiting)
				id = commit(t, s, change(st, engine.Approved)).Run.ID
				witnessed(t, s, 2)
			})
			c.do(t, p)
			c.then(t, conf, id)
		})
	}
}

// tableOf finds the table below a heading of a page, and returns the first cell of each row.
func tableOf(t testing.TB, page, heading string) (rows []string) {
	t.Helper()
	text, err := os.ReadFile(page)
	ok(t, err)
	_, below, found := strings.Cut(string(text), heading)
	for line := range strings.Lines(below) {
		cells := strings.Split(line, "|")
		if name := strings.TrimSpace(cells[min(1, len(cells)-1)]); len(cells) > 3 && name != "" && !strings.HasPrefix(name, "---") {
			rows = append(rows, name)
		}
	}
	if !found || len(rows) < 8 {
		t.Fatalf("%d rows below %q", len(rows), heading)
	}
	return rows
}

// witnessed waits until n witnesses have the newest head of the trail.
func witnessed(t testing.TB, s *etcdstore.Store, n int) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); <-time.After(20 * time.Millisecond) {
		h, err := s.Health(t.Context())
		ok(t, err)
		behind := slices.ContainsFunc(h.Witnesses, func(w trail.WitnessHealth) bool { return !w.Has || w.Missing > 0 || w.Why != "" })
		if len(h.Witnesses) == n && h.Pending == 0 && h.Sealed > 0 && !behind {
			return
		}
	}
	t.Fatal("the witnesses do not have the newest head")
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// headOf returns a head with a valid signature by the key, whose root belongs to no trail. If size
// is 0, the head has the size of the last head in the file next to the key.
func headOf(t testing.TB, keyFile string, epoch, size uint64, root string) string {
	t.Helper()
	k, err := sign.Load(keyFile)
	ok(t, err)
	h := audit.SignedHead{Install: k.Install(), Epoch: epoch, Size: size, Last: audit.Head{N: size, Hash: root}}
	copy(h.Root[:], root)
	if size == 0 {
		b, err := os.ReadFile(keyFile + ".heads")
		ok(t, err)
		heads := audit.SplitHeads(b)
		last, err := audit.OpenHead(heads[len(heads)-1], k.Verifiers())
		ok(t, err)
		h.Size = last.Size
	}
	b, err := k.SignHead(h.Text())
	ok(t, err)
	return string(b)
}
