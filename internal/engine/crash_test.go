package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dhbot/internal/engine"
	"dhbot/internal/refusal"
	"dhbot/internal/remote"
	"dhbot/runbooks"
)

// dyingProcess is a process that dies at its n-th call to the store or to a host, just before or just
// after the call. After its death its calls have no effect, and every answer is an error.
type dyingProcess struct {
	engine.Runs
	hosts *hosts
	die   func() // ends the worker

	mu     sync.Mutex
	calls  int
	dieAt  int
	before bool // the process dies before the call, which then has no effect
	dead   bool
}

var errDead = fmt.Errorf("%w: the process is dead", engine.ErrStoreDown)

// enter counts a call. The result effect reports whether the call takes effect. The result answer
// reports whether the process is still alive to receive the answer.
func (m *dyingProcess) enter() (effect, answer bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return false, false
	}
	if m.calls++; m.calls != m.dieAt {
		return true, true
	}
	m.dead = true
	m.die()
	return !m.before, false
}

func (m *dyingProcess) Commit(ctx context.Context, c engine.Change) (rev int64, err error) {
	effect, answer := m.enter()
	if effect {
		rev, err = m.Runs.Commit(context.WithoutCancel(ctx), c)
	}
	if !answer {
		return 0, errDead
	}
	return rev, err
}

func (m *dyingProcess) Get(ctx context.Context, id string) (engine.Stored, error) {
	if _, answer := m.enter(); !answer {
		return engine.Stored{}, errDead
	}
	return m.Runs.Get(ctx, id)
}

func (m *dyingProcess) Run(ctx context.Context, c remote.Command) (r remote.Result) {
	effect, answer := m.enter()
	if effect {
		r = m.hosts.Run(context.WithoutCancel(ctx), c)
	}
	if !answer {
		return remote.Result{Outcome: remote.FateUnknown, Detail: "the process is dead", Ended: time.Now()}
	}
	return r
}

// members knows which replicas are alive.
type members []string

func (m members) Alive(context.Context) ([]string, error) { return m, nil }

// TestCrashAtEveryBoundary kills the worker before and after each of its calls to the store or to a
// host. Then it starts another worker on the same store, once as the same replica and once as
// another. Every changing command must be executed at most once and be recorded. The run must have
// ended, or be unknown with its locks.
func TestCrashAtEveryBoundary(t *testing.T) {
	for _, heir := range []string{"bot", "bot-2"} {
		for _, before := range []bool{true, false} {
			died, ends := 0, map[engine.State]int{}
			for at := 1; ; at++ {
				state, reached := crash(t, heir, at, before)
				if !reached || t.Failed() {
					break
				}
				died++
				ends[state]++
			}
			t.Logf("heir %s, dying before the call %v: died at each of %d calls, ended as %v", heir, before, died, ends)
			// The run has six steps on two hosts, and each step makes at least three calls: to
			// store its begin, to send a command, and to store its end. The start adds more calls.
			if died < 20 || ends[engine.Done] == 0 || ends[engine.Unknown] == 0 {
				t.Errorf("only %d deaths, ended as %v: the test does not cover enough", died, ends)
			}
		}
	}
}

func crash(t *testing.T, heir string, at int, before bool) (state engine.State, reached bool) {
	t.Helper()
	t.Run(fmt.Sprintf("%s/%d/%v", heir, at, before), func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newTestEngine(t)
			ctx, cancel := context.WithCancel(context.Background())
			m := &dyingProcess{Runs: h.store, hosts: h.hosts, dieAt: at, before: before, die: cancel}
			first := h.engine("bot", m, m)
			ended := make(chan error, 1)
			go func() { ended <- first.Run(ctx) }()
			r := h.submit(restart(runbooks.Critical, "a", "b")).Run
			h.apply(r.ID, yes(engine.Ben, r))
			time.Sleep(time.Minute)
			cancel()
			<-ended
			m.mu.Lock()
			reached = m.dead
			m.mu.Unlock()

			second, err := engine.New(engine.Config{
				Runs: h.store, Runner: h.hosts, Replica: heir, Members: members{heir}, Policy: engine.TestPolicy, Now: time.Now,
				Gate: stored(nil), Ledger: h.store, Log: slog.New(slog.DiscardHandler),
			})
			if err != nil {
				t.Fatal(err)
			}
			stop := h.start(second)
			got := h.after(2*time.Minute, r.ID)
			stop()
			state = got.State
			h.holdCrash(got)
		})
	})
	return state, reached
}

func (h *testEngine) holdCrash(r engine.Run) {
	h.t.Helper()
	seen := map[string]int{}
	for _, c := range h.hosts.did() {
		if seen[c]++; seen[c] > 1 {
			h.t.Errorf("%q was executed twice", c)
		}
	}
	h.wantTrail()
	switch r.State {
	case engine.Done:
		h.want(r, engine.Done, "pid 4711 → 4712")
		h.wantLocks()
		if len(h.hosts.did()) != 2 {
			h.t.Errorf("done, but executed %v", h.hosts.did())
		}
	case engine.Unknown:
		h.want(r, engine.Unknown, "unknown", "Checked at")
		h.wantLocks(r.ID)
	case engine.Expired: // no worker was left within the time to start
		h.wantLocks()
		if len(h.hosts.did()) != 0 {
			h.t.Errorf("expired, but executed %v", h.hosts.did())
		}
	default:
		h.t.Errorf("left as %s: %s", r.State, r.Why)
	}
}

// flakyStore is a store whose commits may fail. fault decides for each commit whether the change
// is stored and which error Commit returns.
type flakyStore struct {
	engine.Runs
	fault func(c engine.Change) (stores bool, fails error)
}

func (m *flakyStore) Commit(ctx context.Context, c engine.Change) (int64, error) {
	stores, fails := m.fault(c)
	if !stores {
		return 0, fails
	}
	rev, err := m.Runs.Commit(ctx, c)
	if err == nil && fails != nil {
		return 0, fails
	}
	return rev, err
}

// TestFailingCommits: whatever a commit returns, each command is sent once and its result is
// not lost.
func TestFailingCommits(t *testing.T) {
	for name, tt := range map[string]struct {
		stores bool
		fails  error
		every  int // every n-th commit fails
	}{
		"no answer, not stored":         {false, engine.ErrStoreDown, 2},
		"no answer, but stored":         {true, engine.ErrStoreDown, 2},
		"never an answer, but stored":   {true, engine.ErrStoreDown, 1},
		"the lease is lost for a while": {false, engine.ErrLeaseLost, 3},
		"conflicts with others":         {false, engine.ErrConflict, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newTestEngine(t)
				var mu sync.Mutex
				n := 0
				m := &flakyStore{h.store, func(engine.Change) (bool, error) {
					mu.Lock()
					defer mu.Unlock()
					if n++; n%tt.every == 0 {
						return tt.stores, tt.fails
					}
					return true, nil
				}}
				h.eng = h.engine("bot", m, h.hosts)
				defer h.start(h.eng)()
				r := restart(runbooks.Critical, "a", "b")
				for {
					_, err := h.eng.Submit(t.Context(), r, "")
					if err == nil {
						break
					}
					if !errors.Is(err, tt.fails) {
						t.Fatal(err)
					}
				}
				for tries := 1; ; tries++ {
					_, err := h.eng.Apply(t.Context(), r.ID, yes(engine.Ben, r), "")
					var no *refusal.Error
					if err == nil || tries > 1 && errors.As(err, &no) {
						break // refused: the earlier vote, whose answer was lost, was stored
					}
					if !errors.Is(err, tt.fails) {
						t.Fatal(err)
					}
				}
				h.want(h.after(100*time.Second, r.ID), engine.Done, "pid 4711 → 4712")
				if did := strings.Join(h.hosts.did(), ", "); did != "exec a, exec b" {
					t.Errorf("executed %s", did)
				}
				h.wantLocks()
				h.wantTrail()
			})
		})
	}
}

// TestResultIsStoredAfterOutage: when a command ends, the store is down for longer than one
// attempt may last. The result is stored when the store is up again.
func TestResultIsStoredAfterOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestEngine(t)
		start := time.Now()
		away := func() bool { age := time.Since(start); return age > 10*time.Second && age < 70*time.Second }
		h.eng = h.engine("bot", &flakyStore{h.store, func(engine.Change) (bool, error) {
			if away() {
				return false, engine.ErrStoreDown
			}
			return true, nil
		}}, h.hosts)
		h.hosts.busy = 15 * time.Second
		defer h.start(h.eng)()
		r := h.submit(restart(runbooks.Low, "a")).Run
		got := h.after(60*time.Second, r.ID)
		if got.State != engine.Running || got.Steps[1].State != engine.StepStarted {
			t.Fatalf("is %s, step %s", got.State, got.Steps[1].State)
		}
		h.want(h.after(60*time.Second, r.ID), engine.Done, "pid 4711 → 4712")
		if did := h.hosts.did(); len(did) != 1 {
			t.Errorf("executed %v", did)
		}
		h.wantTrail()
	})
}

// TestNothingSentWithoutLease: a replica that has lost its lease sends nothing.
func TestNothingSentWithoutLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestEngine(t)
		r := h.submit(restart(runbooks.Critical, "a")).Run
		h.apply(r.ID, yes(engine.Ben, r))
		h.store.LoseLease() // before any worker starts, or the run could begin first
		defer h.start(h.eng)()
		h.after(time.Minute, r.ID)
		if did := h.hosts.did(); len(did) > 0 {
			t.Errorf("executed %v", did)
		}
	})
}

// TestTwoReplicas: two workers on one store execute each run once.
func TestTwoReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestEngine(t)
		defer h.start(h.eng)()
		defer h.start(h.engine("bot-2", h.store, h.hosts))()
		var ids []string
		for i := range 12 {
			r := restart(runbooks.Low, fmt.Sprintf("host-%d", i))
			r.ID = fmt.Sprintf("R-222%c", "23456789ABCD"[i])
			r.Plan.Locks = []string{"prod/" + r.Plan.Steps[0].Host}
			ids = append(ids, h.submit(r).Run.ID)
		}
		time.Sleep(time.Minute)
		for _, id := range ids {
			h.want(h.get(id), engine.Done)
		}
		if did := h.hosts.did(); len(did) != len(ids) {
			t.Errorf("%d commands for %d runs: %v", len(did), len(ids), did)
		}
		h.wantTrail()
	})
}
