package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"dhbot/internal/engine"
	"dhbot/internal/remote"
	"dhbot/runbooks"
)

// witness returns one line of evidence, which contains the number of commands sent so far.
type witness struct{ hosts *hosts }

func (w witness) Of(_ context.Context, _ string, st runbooks.Step, pid int) []string {
	return []string{fmt.Sprintf("%s, pid %d, %d sent", st.Kind, pid, len(w.hosts.did()))}
}

// TestEvidence: evidence of a process is collected before its restart is sent, and after a wait
// that timed out.
func TestEvidence(t *testing.T) {
	for _, comes := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			h := newTestEngine(t)
			var runner remote.Runner = h.hosts
			if !comes {
				runner = unchanged{h.hosts}
			}
			h.eng = h.watched(runner)
			defer h.start(h.eng)()
			id := h.submit(restart(runbooks.Moderate, "infra-1")).Run.ID
			r := h.after(5*time.Minute, id)
			if kept := r.Steps[1].Kept; len(kept) != 1 || kept[0] != fmt.Sprintf("exec, pid %d, 0 sent", firstPID) {
				t.Errorf("kept before the restart: %q", kept)
			}
			kept := r.Steps[2].Kept
			switch {
			case comes && (r.State != engine.Done || len(kept) != 0):
				t.Errorf("%s, kept %q", r.State, kept)
			case !comes && (r.State != engine.Failed || len(kept) != 1 || kept[0] != fmt.Sprintf("wait, pid %d, 1 sent", firstPID)):
				t.Errorf("%s, kept %q", r.State, kept)
			}
		})
	}
}

// TestEvidenceOfTheUnready: if a process is up but does not report that it is ready, evidence is
// collected, and the run succeeds.
func TestEvidenceOfTheUnready(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestEngine(t)
		h.eng = h.watched(h.hosts)
		defer h.start(h.eng)()
		ready := engine.TestStep(runbooks.Wait, "infra-1")
		ready.Until, ready.Within = runbooks.Ready, runbooks.Duration(time.Minute)
		steps := append(restart(runbooks.Moderate, "infra-1").Plan.Steps, ready)
		r := h.after(10*time.Minute, h.submit(engine.TestAsked(runbooks.Moderate, runbooks.Disruptive, steps...)).Run.ID)
		pid := r.Steps[2].NewPID
		if kept := r.Steps[3].Kept; r.State != engine.Done || !r.NotReady(3) || r.NotReady(2) || len(kept) != 1 || kept[0] != fmt.Sprintf("wait, pid %d, 1 sent", pid) {
			t.Errorf("%s, %+v", r.State, r.Steps[3])
		}
	})
}

// unchanged simulates hosts on which a restart does nothing.
type unchanged struct{ *hosts }

func (u unchanged) Run(ctx context.Context, c remote.Command) remote.Result {
	if !c.Changes {
		return u.hosts.Run(ctx, c)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.executed = append(u.executed, c.Sent)
	return remote.Result{Outcome: remote.Answered, Started: time.Now(), Ended: time.Now()}
}

// watched returns an engine that collects evidence.
func (h *testEngine) watched(runner remote.Runner) *engine.Engine {
	e, err := engine.New(engine.Config{
		Runs: h.store, Runner: runner, Replica: "bot", Policy: engine.TestPolicy, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Gate: stored(nil), Ledger: h.store, Evidence: witness{h.hosts},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return e
}
