package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/remote"
	"dhbot/internal/test/fakeclock"
	"dhbot/internal/test/memstore"
	"dhbot/runbooks"
)

// hosts simulates hosts that each supervise one db_dis as monit 5.33 does. A restart returns at
// once, and the pid changes later. The field executed has the changing commands that were
// executed.
type hosts struct {
	mu       sync.Mutex
	executed []string // the changing commands, in order
	asked    int      // the reads
	sick     map[string]bool
	busy     time.Duration             // how long a changing command takes to answer
	lose     func(remote.Command) bool // selects commands that are executed but whose answer is lost
	restarts map[string][]time.Time
}

const (
	firstPID = 4711
	takes    = 1500 * time.Millisecond // from a restart to the new pid
)

func newHosts() *hosts { return &hosts{sick: map[string]bool{}, restarts: map[string][]time.Time{}} }

func (h *hosts) Run(ctx context.Context, c remote.Command) remote.Result {
	r := remote.Result{Started: time.Now(), Outcome: remote.Answered}
	if ctx.Err() != nil {
		return remote.Result{Outcome: remote.Unreachable, Detail: "not sent", Ended: time.Now()}
	}
	if c.Changes {
		r = h.change(ctx, c, r)
	} else {
		out := h.status(c.Host)
		r.Stdout = remote.Output{Head: []byte(out), Total: int64(len(out))}
		if h.isSick(c.Host) {
			r = remote.Result{Outcome: remote.Unreachable, Detail: "could not connect", Started: r.Started}
		}
	}
	r.Ended = time.Now()
	return r
}

func (h *hosts) isSick(host string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sick[host]
}

func (h *hosts) change(ctx context.Context, c remote.Command, r remote.Result) remote.Result {
	h.mu.Lock()
	h.executed = append(h.executed, c.Sent)
	h.restarts[c.Host] = append(h.restarts[c.Host], time.Now())
	lose, busy := h.lose != nil && h.lose(c), h.busy
	h.mu.Unlock()
	select {
	case <-ctx.Done():
		lose = true
	case <-time.After(busy):
	}
	if lose {
		return remote.Result{Outcome: remote.FateUnknown, Detail: "the connection was lost after the command was sent", Started: r.Started}
	}
	return r
}

func (h *hosts) status(host string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked++
	pid, state, data := firstPID, "OK", time.Now().Truncate(5*time.Second)
	for i, at := range h.restarts[host] {
		switch age := time.Since(at); {
		case age < takes:
			state = "OK - restart pending"
		default:
			pid, data = firstPID+i+1, time.Now().Truncate(time.Second)
		}
	}
	return fmt.Sprintf("Monit 5.33.0 uptime: 3h 2m\n\nProcess 'db_dis'\n  status                       %s\n"+
		"  monitoring status            Monitored\n  monitoring mode              active\n  on reboot                    start\n"+
		"  pid                          %d\n  uptime                       1m\n  data collected               %s\n\n",
		state, pid, data.Format("Mon, 02 Jan 2006 15:04:05"))
}

func (h *hosts) did() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.executed)
}

// testEngine is an engine with all its parts, inside a synctest bubble.
type testEngine struct {
	t     *testing.T
	store *memstore.Store
	hosts *hosts
	gate  func(engine.Run) error
	eng   *engine.Engine
}

func newTestEngine(t *testing.T) *testEngine {
	h := &testEngine{t: t, store: memstore.New(memstore.Config{Replica: "bot"}), hosts: newHosts()}
	h.eng = h.engine("bot", h.store, h.hosts)
	return h
}

func (h *testEngine) engine(replica string, runs engine.Runs, runner remote.Runner) *engine.Engine {
	h.t.Helper()
	e, err := engine.New(engine.Config{
		Runs: runs, Runner: runner, Replica: replica, Policy: engine.TestPolicy, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Gate: stored(func(r engine.Run) error {
			if h.gate != nil {
				return h.gate(r)
			}
			return nil
		}),
		Ledger:       h.store,
		DrainTimeout: 10 * time.Second,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return e
}

// stored returns a Gate that derives exactly the stored plan. If recheck is not nil, the Gate
// calls it.
func stored(recheck func(engine.Run) error) engine.Gate {
	return engine.GateFuncs{
		DeriveFunc: func(r engine.Run) (runbooks.Plan, error) { return r.Plan, nil },
		RecheckFunc: func(_ context.Context, r engine.Run) error {
			if recheck == nil {
				return nil
			}
			return recheck(r)
		},
	}
}

// start runs an engine until the returned function is called.
func (h *testEngine) start(e *engine.Engine) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			h.t.Errorf("Run: %v", err)
		}
	}
}

// restart returns a run that restarts db_dis on each host, with the steps that the catalog would
// plan.
func restart(level runbooks.Severity, hosts ...string) engine.Run {
	var steps []runbooks.Step
	for _, host := range hosts {
		before, act, after := engine.TestStep(runbooks.Wait, host), engine.TestStep(runbooks.Exec, host), engine.TestStep(runbooks.Wait, host)
		before.Until, before.Within = runbooks.Supervised, runbooks.Duration(15*time.Second)
		after.Until, after.Within = runbooks.Restarted, runbooks.Duration(3*time.Minute)
		steps = append(steps, before, act, after)
	}
	return engine.TestAsked(level, runbooks.Disruptive, steps...)
}

func (h *testEngine) submit(r engine.Run) engine.Stored {
	h.t.Helper()
	st, err := h.eng.Submit(h.t.Context(), r, "")
	if err != nil {
		h.t.Fatal(err)
	}
	return st
}

func (h *testEngine) apply(id string, e engine.Event) engine.Stored {
	h.t.Helper()
	st, err := h.eng.Apply(h.t.Context(), id, e, "")
	if err != nil {
		h.t.Fatalf("%T: %v", e, err)
	}
	return st
}

func (h *testEngine) get(id string) engine.Run {
	h.t.Helper()
	st, err := h.store.Get(context.Background(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return st.Run
}

// after lets d of fake time pass and returns the run.
func (h *testEngine) after(d time.Duration, id string) engine.Run {
	h.t.Helper()
	fakeclock.Advance(d)
	return h.get(id)
}

func (h *testEngine) want(r engine.Run, s engine.State, words ...string) {
	h.t.Helper()
	text := r.Why
	for _, st := range r.Steps {
		text += "\n" + string(st.State) + ": " + st.Text
	}
	if r.State != s {
		h.t.Fatalf("%s is %q, want %q:\n%s", r.ID, r.State, s, text)
	}
	for _, w := range words {
		if !strings.Contains(text, w) {
			h.t.Errorf("%q is not in\n%s", w, text)
		}
	}
	if r.State.Ended() || r.State == engine.Unknown {
		engine.CheckEnding(h.t, r)
	}
}

func (h *testEngine) wantLocks(runs ...string) {
	h.t.Helper()
	locks, err := h.store.Locks(context.Background())
	if err != nil {
		h.t.Fatal(err)
	}
	held := map[string]bool{}
	for _, l := range locks {
		held[l.Run] = true
	}
	if got := slices.Sorted(maps.Keys(held)); !slices.Equal(got, runs) {
		h.t.Errorf("locks are held by %v, want %v", got, runs)
	}
}

// wantTrail verifies the audit trail, and checks that it has a record of every executed command.
func (h *testEngine) wantTrail() {
	h.t.Helper()
	told := map[string]int{}
	for s, err := range audit.Entries(context.Background(), h.store, 1) {
		if err != nil {
			h.t.Fatal(err)
		}
		if s.Record.Kind == audit.StepStarted {
			told[s.Record.Command]++
		}
	}
	if _, err := audit.Verify(audit.Entries(context.Background(), h.store, 1), audit.Options{}); err != nil {
		h.t.Errorf("trail: %v", err)
	}
	sent := map[string]int{}
	for _, c := range h.hosts.did() {
		if sent[c]++; sent[c] > told[c] {
			h.t.Errorf("%q was executed %d times and recorded %d times", c, sent[c], told[c])
		}
	}
}
