package etcdstore_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/store/etcdstore"
	"dhbot/internal/store/sign"
	"dhbot/internal/store/trail"
)

// rewritten is a store with three entries, and an etcd client that changes the store behind the
// bot's back.
type rewritten struct {
	t        *testing.T
	s        *etcdstore.Store
	conf     etcdstore.Config
	client   *clientv3.Client
	oldBytes string        // the first form of a run
	now      engine.Stored // the newest form of that run
	other    engine.Stored // another run
}

func newRewritten(t *testing.T, endpoint string) *rewritten {
	t.Helper()
	x := &rewritten{t: t, client: raw(t, endpoint)}
	key := filepath.Join(t.TempDir(), "state.key")
	_, err := sign.Create(key)
	ok(t, err)
	prefix := strings.NewReplacer(" ", "-", "/", "-").Replace(t.Name()) + "/"
	x.conf = etcdstore.Config{Endpoints: []string{endpoint}, Prefix: prefix, KeyFile: key}
	x.s = open(t, x.conf)
	seal := func() {
		t.Helper()
		_, err := x.s.Seal(t.Context())
		ok(t, err)
	}
	first := signedRun(t, x.s, engine.Waiting)
	x.oldBytes = x.get("run/" + first.Run.ID)
	seal()
	x.now = commit(t, x.s, change(first, engine.Approved))
	seal()
	x.other = signedRun(t, x.s, engine.Approved)
	seal()
	if st, listed := listsOpen(t, x.s, x.now.Run.ID); !listed || st.Before != "" {
		t.Fatalf("before anything is rewritten: %v %q", listed, st.Before)
	}
	ok(t, x.s.VerifyHistory(t.Context()))
	if why := x.why(); why != "" {
		t.Fatalf("before anything is rewritten: %s", why)
	}
	return x
}

// why returns the problems that Health lists.
func (x *rewritten) why() string {
	x.t.Helper()
	h, err := x.s.Health(x.t.Context())
	ok(x.t, err)
	return strings.Join(h.Why, "\n")
}

func (x *rewritten) get(key string) string {
	x.t.Helper()
	r, err := x.client.Get(x.t.Context(), x.conf.Prefix+key)
	if err != nil || len(r.Kvs) == 0 {
		x.t.Fatalf("no key %s: %v", key, err)
	}
	return string(r.Kvs[0].Value)
}

func (x *rewritten) put(key, value string) {
	x.t.Helper()
	if r, err := x.client.Get(x.t.Context(), x.conf.Prefix+key); err == nil && len(r.Kvs) > 0 && string(r.Kvs[0].Value) == value {
		x.t.Fatalf("the rewrite of %s changes nothing", key)
	}
	_, err := x.client.Put(x.t.Context(), x.conf.Prefix+key, value)
	ok(x.t, err)
}

// change replaces old by new in the value of a key.
func (x *rewritten) change(key, old, new string) {
	x.t.Helper()
	x.put(key, strings.Replace(x.get(key), old, new, 1))
}

func (x *rewritten) remove(keys ...string) {
	x.t.Helper()
	for _, k := range keys {
		if r, err := x.client.Delete(x.t.Context(), x.conf.Prefix+k, clientv3.WithPrefix()); err != nil || r.Deleted == 0 {
			x.t.Fatalf("%s: %v", k, err)
		}
	}
}

func (x *rewritten) run() string { return "run/" + x.now.Run.ID }

// rewrittenRuns has changes that someone with write access to the store could make to a run.
var rewrittenRuns = map[string]func(x *rewritten){
	"a field of the run":  func(x *rewritten) { x.change(x.run(), `"state":"approved"`, `"state":"running"`) },
	"bytes to be sent":    func(x *rewritten) { x.change(x.run(), `"steps":null`, `"steps":[]`) },
	"a forged vote":       func(x *rewritten) { x.change(x.run(), `"need":0`, `"votes":[{"person":"ben"}],"need":0`) },
	"the counter":         func(x *rewritten) { x.change(x.run(), `"n":2`, `"n":9`) },
	"the epoch":           func(x *rewritten) { x.change(x.run(), `"epoch":1`, `"epoch":7`) },
	"no signature":        func(x *rewritten) { b, _ := engine.EncodeRun(x.now.Run); x.put(x.run(), string(b)) },
	"an older form":       func(x *rewritten) { x.put(x.run(), x.oldBytes) },
	"another run's bytes": func(x *rewritten) { x.put(x.run(), x.get("run/"+x.other.Run.ID)) },
	"a deleted run":       func(x *rewritten) { x.remove(x.run(), "open/"+x.now.Run.ID, "id/"+x.now.Run.ID) },
	"its key in open/":    func(x *rewritten) { x.remove("open/" + x.now.Run.ID) },
}

// TestRewrittenRun checks that no one can make the bot act by writing to the store. The bot does
// not continue a run that differs from what it stored. Health, the audit channel and verify name
// such a run.
func TestRewrittenRun(t *testing.T) {
	t.Parallel()
	endpoint := startEtcd(t)
	for name, rewrite := range rewrittenRuns {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newRewritten(t, endpoint)
			rewrite(x)
			if _, listed := listsOpen(t, x.s, x.now.Run.ID); listed {
				t.Error("the run would be continued")
			}
			if name != "its key in open/" { // the run itself is unchanged
				if got, err := x.s.Get(t.Context(), x.now.Run.ID); err == nil {
					t.Errorf("the run was accepted: %+v", got)
				}
				if _, err := x.s.Commit(t.Context(), change(x.now, engine.Running)); err == nil {
					t.Error("the invalid run could be changed")
				}
			}
			ok(t, x.s.VerifyHistory(t.Context()))
			if why := x.why(); !strings.Contains(why, x.now.Run.ID) {
				t.Fatalf("health does not name the run: %q", why)
			}
			alarmed(t, x.s, x.now.Run.ID)
		})
	}
}

// rewrittenTrails has changes that someone with write access to the store could make to the trail.
// says is a part of the problem in Health. shows is true if a person who has an earlier head can
// detect the change from the entries alone.
var rewrittenTrails = map[string]struct {
	do    func(x *rewritten)
	says  string
	shows bool
}{
	"a record": {func(x *rewritten) { x.change("trail/0000000000000002", "approved", "expired!") }, "does not continue a head", true},
	"a new record": {func(x *rewritten) {
		x.put("trail/0000000000000003", x.resealed())
		x.put("head", strings.TrimSpace(x.resealed()))
	}, "does not continue a head", true},
	"a new record without its tree": {func(x *rewritten) {
		x.put("trail/0000000000000003", x.resealed())
		x.put("head", strings.TrimSpace(x.resealed()))
		x.remove("checkpoint")
	}, "no longer in the store", true},
	"cut short": {func(x *rewritten) {
		x.remove("trail/0000000000000003")
		x.put("head", strings.TrimSpace(x.get("trail/0000000000000002")))
	}, "the trail in the store is broken", true},
	"records in another order": {func(x *rewritten) {
		a, b := x.get("trail/0000000000000001"), x.get("trail/0000000000000002")
		x.put("trail/0000000000000001", b)
		x.put("trail/0000000000000002", a)
	}, "does not continue a head", true},
	"no trail":              {func(x *rewritten) { x.remove("trail/", "head", "checkpoint") }, "no longer in the store", true},
	"no trail but its tree": {func(x *rewritten) { x.remove("trail/", "head") }, "the trail in the store is broken", true},
	"a smaller tree":        {func(x *rewritten) { x.change("checkpoint", `"size":3`, `"size":2`) }, "not signed by this key", false},
	"no tree":               {func(x *rewritten) { x.remove("checkpoint") }, "no longer in the store", false},
	"the installation":      {func(x *rewritten) { x.change("install", `"n":1`, `"n":4`) }, "the record of the installation", false},
	"no installation":       {func(x *rewritten) { x.remove("install") }, "the record of the installation", false},
}

// resealed returns the last entry with a changed text, and with a hash that matches this text.
func (x *rewritten) resealed() string {
	x.t.Helper()
	var before, last audit.Sealed
	ok(x.t, x.s.Trail(x.t.Context(), 1, func(e audit.Sealed) error {
		before, last = last, e
		return nil
	}))
	if last.N != 3 { // the rewritten entry is in the store already
		x.t.Fatalf("the last entry is %d", last.N)
	}
	last.Record.Text = "rewritten"
	line, err := audit.CanonicalEntry(audit.Seal(before, last.Rev, audit.Link(last.Record, last.Record.Seq, last.Record.Prev)))
	ok(x.t, err)
	return string(line) + "\n"
}

// TestRewrittenTrail checks that Health and verify find a rewritten trail, even if its hashes are
// valid and no change makes the bot read it.
func TestRewrittenTrail(t *testing.T) {
	t.Parallel()
	endpoint := startEtcd(t)
	for name, rewrite := range rewrittenTrails {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newRewritten(t, endpoint)
			last, _, err := x.s.Head(t.Context())
			ok(t, err)
			rewrite.do(x)
			_, committed := x.s.Commit(t.Context(), change(x.other, engine.Running))
			ok(t, x.s.VerifyHistory(t.Context()))
			if why := x.why(); !strings.Contains(why, rewrite.says) {
				t.Errorf("health does not report %q: %q", rewrite.says, why)
			}
			_, err = audit.Verify(audit.Entries(t.Context(), x.s, 1), audit.Options{Heads: []audit.Head{{N: last.N, Hash: last.Hash}}})
			if rewrite.shows != (err != nil) {
				t.Errorf("verify: %v", err)
			}
			if strings.Contains(name, "installation") && committed == nil {
				t.Error("a commit succeeded with a forged installation")
			}
			if name == "the installation" {
				x.conf.Replica = "next"
				if _, err := etcdstore.Open(t.Context(), x.conf); !errors.As(err, new(*trail.OtherKeyError)) {
					t.Errorf("opened with the forged installation: %v", err)
				}
			}
		})
	}
}

// TestWitnessesGetHeads checks that a replica sends a head to a witness without reading the trail
// again, if it sealed the entries itself. It does not matter how many chunks were sealed since the
// last head.
func TestWitnessesGetHeads(t *testing.T) {
	t.Parallel()
	x := newRewritten(t, startEtcd(t))
	tell := func() {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // so KeepWitnesses sends the heads once and returns
		ok(t, x.s.KeepWitnesses(ctx))
	}
	tell()
	for range 2 {
		r := read
		r.At = time.Now()
		ok(t, x.s.Append(t.Context(), r, ""))
		_, err := x.s.Seal(t.Context())
		ok(t, err)
	}
	x.put("trail/0000000000000002", "not to be read\n")
	tell()
	h, err := x.s.Health(t.Context())
	ok(t, err)
	if len(h.Witnesses) != 1 || h.Witnesses[0].Entries != 5 || h.Witnesses[0].Missing != 0 {
		t.Errorf("the witness has %+v", h.Witnesses)
	}
}

// TestReplacedInstallation removes the record of the installation from a store. The bot must not
// treat this store like the store of a version without signatures: it ignores unsigned values, and
// closes the signed open runs.
func TestReplacedInstallation(t *testing.T) {
	t.Parallel()
	endpoint := startEtcd(t)
	for name, forget := range map[string]func(t *testing.T, key string){
		"notes and witness": func(*testing.T, string) {},
		"witness alone":     func(t *testing.T, key string) { forgetFile(t, key+".sent") },
		"notes alone":       func(t *testing.T, key string) { forgetFile(t, key+".heads") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newRewritten(t, endpoint)
			run(t, x.s)
			witnessed(t, x.s, 1)
			forged := x.now.Run
			forged.ID = "R-ZZZZ"
			b, err := engine.EncodeRun(forged)
			ok(t, err)
			x.remove("install")
			x.put("run/R-ZZZZ", string(b))
			x.put("open/R-ZZZZ", "")
			ok(t, x.s.Close())
			forget(t, x.conf.KeyFile)
			x.conf.Replica = "next"
			x.s = open(t, x.conf)
			if _, listed := listsOpen(t, x.s, "R-ZZZZ"); listed {
				t.Error("an unsigned run is listed")
			}
			if st, listed := listsOpen(t, x.s, x.now.Run.ID); !listed || st.Before == "" {
				t.Errorf("the earlier run: %v %q", listed, st.Before)
			}
			if why := x.why(); !strings.Contains(why, "R-ZZZZ") {
				t.Errorf("health: %q", why)
			}
		})
	}
}

// alarmed fails the test unless the trail has an alarm whose text contains what. The audit channel
// and verify show the same record.
func alarmed(t testing.TB, s *etcdstore.Store, what string) {
	t.Helper()
	run(t, s)
	for end := time.Now().Add(2 * time.Minute); ; <-time.After(20 * time.Millisecond) {
		report, err := audit.Verify(audit.Entries(t.Context(), s, 1), audit.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(report.Alarms, func(e audit.Sealed) bool { return strings.Contains(e.Record.Text, what) }) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("no alarm contains %s: %+v", what, report.Alarms)
		}
	}
}

// TestCommitBesideInstallation writes the record of the installation, as another replica would,
// between two commits. The second commit succeeds if the epoch is the same. It fails if the epoch
// is another, or if the record is invalid.
func TestCommitBesideInstallation(t *testing.T) {
	t.Parallel()
	endpoint := startEtcd(t)
	for name, c := range map[string]struct {
		write func(x *rewritten)
		want  func(error) bool
	}{
		"within the epoch": {
			func(x *rewritten) {
				_, err := x.client.Put(t.Context(), x.conf.Prefix+"install", x.get("install"))
				ok(t, err)
			},
			func(err error) bool { return err == nil },
		},
		"another epoch": {
			func(x *rewritten) {
				x.remove("install")
				next := x.conf
				next.Replica = "next"
				open(t, next)
			},
			func(err error) bool { return errors.Is(err, engine.ErrConflict) },
		},
		"a forged record": {
			func(x *rewritten) { x.change("install", `"n":1`, `"n":2`) },
			func(err error) bool { return err != nil && strings.Contains(err.Error(), "nothing is changed") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newRewritten(t, endpoint)
			c.write(x)
			if _, err := x.s.Commit(t.Context(), change(x.now, engine.Running)); !c.want(err) {
				t.Errorf("the commit ended with: %v", err)
			}
		})
	}
}
