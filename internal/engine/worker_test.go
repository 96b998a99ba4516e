package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"dhbot/auth"
	"dhbot/internal/engine"
	"dhbot/internal/refusal"
	"dhbot/internal/remote"
	"dhbot/internal/test/memstore"
	"dhbot/runbooks"
)

func yes(a engine.Actor, r engine.Run) engine.Voted {
	return engine.Voted{By: a, Digest: r.Plan.Digest}
}

func TestRestartWithApproval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestEngine(t)
		defer h.start(h.eng)()
		r := h.submit(restart(runbooks.Critical, "infra-1")).Run
		h.want(h.after(time.Minute, r.ID), engine.Waiting)
		if did := h.hosts.did(); len(did) > 0 {
			t.Fatalf("executed without a vote: %v", did)
		}
		h.apply(r.ID, yes(engine.Ben, r))
		h.want(h.after(time.Minute, r.ID), engine.Done, "pid 4711 → 4712")
		if did := h.hosts.did(); !slices.Equal(did, []string{"exec infra-1"}) {
			t.Errorf("executed %v", did)
		}
		h.wantLocks()
		h.wantTrail()
	})
}

func TestLowSeverityStartsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestEngine(t)
		defer h.start(h.eng)()
		r := h.submit(restart(runbooks.Moderate, "a", "b")).Run
		h.want(h.after(30*time.Second, r.ID), engine.Done, "pid 4711 → 4712")
		if did := h.hosts.did(); !slices.Equal(did, []string{"exec a", "exec b"}) {
			t.Errorf("executed %v", did)
		}
		h.wantTrail()
	})
}

func TestVoteExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestEngine(t)
		defer h.start(h.eng)()
		r := h.submit(restart(runbooks.Critical, "a")).Run
		h.want(h.after(15*time.Minute+2*time.Second, r.ID), engine.Expired, "expired")
		_, err := h.eng.Apply(t.Context(), r.ID, yes(engine.Ben, r), "")
		wantRefused(t, err, engine.AlreadyEnded)
		h.wantTrail()
	})
}

func wantRefused(t *testing.T, err error, code refusal.Code) {
	t.Helper()
	if !refusal.Is(err, code) {
		t.Errorf("got %v, want a refusal %q", err, code)
	}
}

// TestQueue: a second run with the same locks waits for the first and then runs. If the locks
// are never released, the second run expires.
func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestEngine(t)
		var asked atomic.Int32
		h.gate = func(engine.Run) error { asked.Add(1); return nil }
		defer h.start(h.eng)()
		h.hosts.busy = 20 * time.Second
		first := h.submit(restart(runbooks.Low, "a")).Run
		h.after(5*time.Second, first.ID)
		second := restart(runbooks.Low, "a")
		second.ID = "R-2222"
		h.submit(second)
		r := h.after(10*time.Second, second.ID)
		h.want(r, engine.Queued)
		if n := asked.Load(); n > 3 { // twice for the first, once for the second
			t.Errorf("the gate was called %d times although the second run only waits", n)
		}
		if r.Behind != first.ID {
			t.Errorf("is behind %q", r.Behind)
		}
		h.want(h.after(time.Minute, second.ID), engine.Done, "pid 4712 → 4713")
		h.want(h.get(first.ID), engine.Done)

		h.hosts.lose = func(remote.Command) bool { return true }
		third, fourth := restart(runbooks.Low, "a"), restart(runbooks.Low, "a")
		third.ID, fourth.ID = "R-3333", "R-4444"
		h.submit(third)
		h.after(time.Minute, third.ID)
		h.submit(fourth)
		h.want(h.after(time.Minute, fourth.ID), engine.Queued)
		h.want(h.after(90*time.Second, fourth.ID), engine.Expired, "R-3333")
		h.want(h.get(third.ID), engine.Unknown)
		h.wantLocks("R-3333")
		h.wantTrail()
	})
}

// TestFateUnknown: a run with an unknown outcome keeps its locks, its target is checked, and a
// person closes it.
func TestFateUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestEngine(t)
		defer h.start(h.eng)()
		h.hosts.lose = func(remote.Command) bool { return true }
		r := h.submit(restart(runbooks.Low, "a", "b")).Run
		h.want(h.after(time.Minute, r.ID), engine.Unknown, "unknown", "connection was lost", "pid 4711 → 4712", "Checked at")
		h.wantLocks(r.ID)
		h.apply(r.ID, engine.ClosedBy{By: engine.Anna, Reason: "it runs"})
		h.want(h.get(r.ID), engine.Closed, "it runs")
		h.wantLocks()
		if did := h.hosts.did(); len(did) != 1 {
			t.Errorf("executed %v", did)
		}
		h.wantTrail()
	})
}

func TestGate(t *testing.T) {
	errDiffers := errors.New("the plan differs: db_dis moved to infra-2")
	asleep := &refusal.Error{Code: auth.LookupFailed, Text: "Not allowed: I could not find out who you are."}
	for _, tt := range []struct {
		name  string
		gate  func(asked int, r engine.Run) error
		state engine.State
		did   int
		words []string
	}{
		{"refused before the start", func(int, engine.Run) error { return errDiffers }, engine.Refused, 0, []string{"db_dis moved"}},
		{"refused before the command", func(_ int, r engine.Run) error {
			if r.Current() == 1 {
				return errDiffers
			}
			return nil
		}, engine.Refused, 0, []string{"db_dis moved"}},
		{"refused before the second host", func(_ int, r engine.Run) error {
			if r.Current() == 3 {
				return errDiffers
			}
			return nil
		}, engine.Partly, 1, []string{"db_dis moved", "not done: db_dis on b"}},
		{"refused after a command was sent", func(_ int, r engine.Run) error {
			if r.Current() >= 2 {
				return errDiffers
			}
			return nil
		}, engine.Partly, 1, []string{"db_dis moved", "pid 4711 → 4712", "not done: db_dis on b"}},
		{"a short outage of the platform", func(n int, _ engine.Run) error {
			if n%3 != 0 {
				return fmt.Errorf("the requester anna: %w", asleep)
			}
			return nil
		}, engine.Done, 2, nil},
		{"the platform is down", func(int, engine.Run) error { return asleep }, engine.Refused, 0, []string{"could not find out"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newTestEngine(t)
				asked := 0
				h.gate = func(r engine.Run) error { asked++; return tt.gate(asked, r) }
				defer h.start(h.eng)()
				r := h.submit(restart(runbooks.Low, "a", "b")).Run
				h.want(h.after(5*time.Minute, r.ID), tt.state, tt.words...)
				if did := h.hosts.did(); len(did) != tt.did {
					t.Errorf("executed %v, want %d", did, tt.did)
				}
				h.wantLocks()
				h.wantTrail()
			})
		})
	}
}

// TestHostThatDoesNotAnswer: if a host does not answer before the change, the run fails and has changed
// nothing. If it does not answer after the change, the run is unknown.
func TestHostThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestEngine(t)
		defer h.start(h.eng)()
		h.hosts.sick["a"] = true
		r := h.submit(restart(runbooks.Low, "a")).Run
		h.want(h.after(time.Minute, r.ID), engine.Failed, "nothing was changed")
		if did := h.hosts.did(); len(did) > 0 {
			t.Errorf("executed %v", did)
		}
		h.wantLocks()

		delete(h.hosts.sick, "a")
		h.hosts.lose = func(remote.Command) bool { h.hosts.sick["a"] = true; return false }
		again := restart(runbooks.Low, "a")
		again.ID = "R-2222"
		h.submit(again)
		h.want(h.after(5*time.Minute, again.ID), engine.Unknown, "unknown")
		h.wantLocks("R-2222")
		h.wantTrail()
	})
}

// TestCancelUnderWay: if a running run is cancelled, the step in progress ends, and no later step
// begins.
func TestCancelUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestEngine(t)
		defer h.start(h.eng)()
		h.hosts.busy = 20 * time.Second
		r := h.submit(restart(runbooks.Low, "a", "b")).Run
		h.after(10*time.Second, r.ID)
		h.apply(r.ID, engine.CancelledBy{By: engine.Ben, Reason: "wrong host"})
		h.want(h.get(r.ID), engine.Running)
		h.want(h.after(20*time.Second, r.ID), engine.Partly, "cancelled by ben: wrong host", "not done: db_dis on b")
		h.wantLocks()
		h.wantTrail()
	})
}

func TestManualStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestEngine(t)
		defer h.start(h.eng)()
		req := engine.TestAsked(runbooks.Low, runbooks.Disruptive,
			engine.TestStep(runbooks.Exec, "a"), engine.TestStep(runbooks.Manual, "a"), engine.TestStep(runbooks.Exec, "b"))
		r := h.submit(req).Run
		h.want(h.after(time.Minute, r.ID), engine.Paused)
		h.wantLocks(r.ID)
		h.apply(r.ID, engine.StepCompleted{By: engine.Anna, Index: 1, Note: "moved the file"})
		done := h.after(time.Minute, r.ID)
		h.want(done, engine.Done, "moved the file")
		if done.Steps[1].By != "anna" {
			t.Errorf("ticked by %q", done.Steps[1].By)
		}
		if did := h.hosts.did(); !slices.Equal(did, []string{"exec a", "exec b"}) {
			t.Errorf("executed %v", did)
		}
		h.wantTrail()
	})
}

// TestStoppedAtManualStep: a person may have begun the manual step at which a run was stopped.
func TestStoppedAtManualStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestEngine(t)
		defer h.start(h.eng)()
		req := engine.TestAsked(runbooks.Low, runbooks.Disruptive,
			engine.TestStep(runbooks.Exec, "a"), engine.TestStep(runbooks.Manual, "a"), engine.TestStep(runbooks.Manual, "b"))
		for i := range req.Plan.Steps {
			req.Plan.Steps[i].Title = "step " + string(rune('1'+i))
		}
		r := h.submit(req).Run
		h.want(h.after(time.Minute, r.ID), engine.Paused)
		h.apply(r.ID, engine.CancelledBy{By: engine.Anna})
		partly := h.get(r.ID)
		h.want(partly, engine.Partly, "not done: step 2 (a person may have begun this step), step 3")
		if strings.Contains(partly.Why, "step 3 (") {
			t.Errorf("a step that did not begin: %s", partly.Why)
		}
		h.wantTrail()
	})
}

// TestTwoTapsAtOnce: of twenty simultaneous taps by two approvers and the requester, exactly one
// vote of each approver is accepted.
func TestTwoTapsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestEngine(t)
		req := restart(runbooks.Critical, "a")
		req.Plan.Class = runbooks.Destructive
		r := h.submit(req).Run
		var wg sync.WaitGroup
		var mu sync.Mutex
		accepted := 0
		for i := range 20 {
			wg.Go(func() {
				who := []engine.Actor{engine.Ben, engine.Chris, engine.Anna}[i%3]
				if _, err := h.eng.Apply(t.Context(), r.ID, yes(who, r), ""); err == nil {
					mu.Lock()
					accepted++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if accepted != 2 {
			t.Errorf("%d votes were accepted, want ben's and chris's", accepted)
		}
		h.want(h.get(r.ID), engine.Approved)
		h.wantTrail()
	})
}

func TestSubmitIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestEngine(t)
		for name, change := range map[string]func(*engine.Run){
			"no id":          func(r *engine.Run) { r.ID = "" },
			"no requester":   func(r *engine.Run) { r.Asked = engine.Actor{} },
			"no digest":      func(r *engine.Run) { r.Plan.Digest = "" },
			"no steps":       func(r *engine.Run) { r.Plan.Steps = nil },
			"a listing":      func(r *engine.Run) { r.Plan.Steps[0].Kind = runbooks.List },
			"no command":     func(r *engine.Run) { r.Plan.Steps[1].Sent = " " },
			"no timeout":     func(r *engine.Run) { r.Plan.Steps[1].Timeout = 0 },
			"no lock":        func(r *engine.Run) { r.Plan.Locks = nil },
			"a read changes": func(r *engine.Run) { r.Plan.Class = runbooks.Read },
		} {
			r := restart(runbooks.Low, "a")
			change(&r)
			_, err := h.eng.Submit(t.Context(), r, "")
			wantRefused(t, err, engine.BadRun)
			if t.Failed() {
				t.Fatal(name)
			}
		}
		r := restart(runbooks.Low, "a")
		h.submit(r)
		if _, err := h.eng.Submit(t.Context(), r, ""); !errors.Is(err, engine.ErrIDTaken) {
			t.Errorf("the same id again: %v", err)
		}
		if _, err := h.eng.Apply(t.Context(), "R-9999", engine.DeadlineCheck{}, ""); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("an event for a missing run: %v", err)
		}
	})
}

// TestSubmitTakesNothingForGranted: a caller cannot start a run by setting its state, its votes
// or the number of votes that it needs.
func TestSubmitTakesNothingForGranted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestEngine(t)
		defer h.start(h.eng)()
		req := restart(runbooks.Critical, "a")
		now := time.Now()
		req.State, req.Need, req.ApprovedAt = engine.Approved, -3, &now
		req.Votes = []engine.Vote{{Actor: engine.Ben, Digest: req.Plan.Digest}}
		h.submit(req)
		r := h.after(time.Minute, req.ID)
		h.want(r, engine.Waiting)
		if r.Need != 1 || len(r.Votes) != 0 {
			t.Errorf("need %d, votes %v", r.Need, r.Votes)
		}
	})
}

func TestOrderlyStop(t *testing.T) {
	t.Run("while watching", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newTestEngine(t)
			stop := h.start(h.eng)
			r := h.submit(restart(runbooks.Low, "a")).Run
			h.after(takes/2, r.ID) // sent, not yet verified
			stop()
			if got := h.get(r.ID); got.State != engine.Running || got.Worker != "" {
				t.Fatalf("left as %s with worker %q", got.State, got.Worker)
			}
			h.wantLocks(r.ID)
			time.Sleep(time.Minute)
			defer h.start(h.engine("bot-2", h.store, h.hosts))()
			h.want(h.after(time.Minute, r.ID), engine.Done, "pid 4711 → 4712")
			if did := h.hosts.did(); len(did) != 1 {
				t.Errorf("executed %v", did)
			}
			h.wantTrail()
		})
	})
	t.Run("a command that ends in time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newTestEngine(t)
			h.hosts.busy = 8 * time.Second
			stop := h.start(h.eng)
			r := h.submit(restart(runbooks.Low, "a")).Run
			h.after(time.Second, r.ID)
			stop()
			got := h.get(r.ID)
			if got.State != engine.Running || got.Worker != "" || got.Steps[1].State != engine.StepDone {
				t.Errorf("left as %s with worker %q, step %s", got.State, got.Worker, got.Steps[1].State)
			}
		})
	})
	t.Run("a command that takes too long", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newTestEngine(t)
			h.hosts.busy = time.Hour
			stop := h.start(h.eng)
			r := h.submit(restart(runbooks.Low, "a")).Run
			h.after(time.Second, r.ID)
			stop()
			h.want(h.get(r.ID), engine.Unknown, "unknown")
			h.wantLocks(r.ID)
			defer h.start(h.engine("bot", h.store, h.hosts))()
			h.want(h.after(time.Minute, r.ID), engine.Unknown, "Checked at", "pid 4711 → 4712")
			h.wantTrail()
		})
	})
}

// TestNewFailsClosed: New refuses a config with a missing part.
func TestNewFailsClosed(t *testing.T) {
	if _, err := engine.New(engine.Config{}); err == nil {
		t.Error("accepted an empty config")
	}
	_, err := engine.New(engine.Config{
		Runs: memstore.New(memstore.Config{}), Runner: newHosts(), Now: time.Now, Replica: "bot", Policy: engine.TestPolicy,
		Gate: stored(nil), Ledger: memstore.New(memstore.Config{}),
	})
	if err == nil {
		t.Error("accepted a config without a log")
	}
}
