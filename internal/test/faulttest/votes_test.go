package faulttest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"dhbot/auth"
	"dhbot/internal/engine"
	"dhbot/internal/refusal"
	"dhbot/internal/remote"
	"dhbot/internal/store/etcdstore"
	"dhbot/internal/store/sign"
	"dhbot/runbooks"
)

// act is something that happens to a run before the run starts.
type act struct {
	// what is vote, withdraw, deny, cancel, tick or later. "later" sets the clock past every
	// deadline.
	what string
	who  string
	// early means that the deadline had not passed when the act began. Such an act may count as in
	// time, even if another replica has seen the deadline pass in the meantime.
	early bool
}

// ballot specifies how votes must work. The tests compare the engine with it. The requester is
// anna, and two other people must vote.
type ballot struct {
	state engine.State
	votes map[string]bool
	late  bool
}

// step returns the ballot after an act, and the expected answer, which is "" if the act succeeds.
// Some acts may count as before or as after the deadline. For these, the engine's real answer
// decides, which is the argument answer.
func (b ballot) step(a act, answer refusal.Code) (ballot, refusal.Code) {
	ended := b.state.Ended()
	switch {
	case a.what == "later":
		b.late = true
		return b, ""
	case a.what == "tick":
		if ended || !b.late || a.early && answer == engine.NotDue {
			return b, engine.NotDue
		}
		b.state = engine.Expired
		return b, ""
	case a.what == "vote" && b.late && answer == engine.TooLate:
		// A refusal stores nothing. The engine may have read the run before a change of the run,
		// and the clock after the deadline.
		return b, engine.TooLate
	case ended:
		return b, engine.AlreadyEnded
	case a.what == "cancel":
		b.state = engine.Cancelled
		return b, ""
	case a.what == "withdraw":
		return b.withdraw(a.who)
	case a.what == "deny":
		if a.who == "anna" {
			return b, engine.OwnRequest
		}
		b.state = engine.Denied
		return b, ""
	default:
		return b.vote(a.who, a.early && answer == "")
	}
}

func (b ballot) vote(who string, inTime bool) (ballot, refusal.Code) {
	switch {
	case b.state == engine.Approved:
		return b, engine.AlreadyApproved
	case who == "anna":
		return b, engine.OwnRequest
	case b.votes[who]:
		return b, engine.VotedAlready
	case b.late && !inTime:
		return b, engine.TooLate
	}
	b.votes = maps.Clone(b.votes)
	b.votes[who] = true
	if len(b.votes) == 2 {
		b.state = engine.Approved
	}
	return b, ""
}

func (b ballot) withdraw(who string) (ballot, refusal.Code) {
	if !b.votes[who] {
		return b, engine.NotVoted
	}
	b.votes = maps.Clone(b.votes)
	delete(b.votes, who)
	b.state = engine.Waiting
	return b, ""
}

var ballots = porcupine.Model{
	Init: func() any { return ballot{state: engine.Waiting, votes: map[string]bool{}} },
	Step: func(state, input, output any) (bool, any) {
		next, code := state.(ballot).step(input.(act), output.(refusal.Code))
		return code == output.(refusal.Code), next
	},
	Equal: func(a, b any) bool {
		x, y := a.(ballot), b.(ballot)
		return x.state == y.state && x.late == y.late && maps.Equal(x.votes, y.votes)
	},
	DescribeOperation: func(in, out any) string { return fmt.Sprintf("%v: %q", in, out) },
}

// TestVotesAreLinearizable lets voters, deniers, the requester and the clock act in parallel on
// runs that several replicas share. There must be an order of the events in which all answers are
// correct.
func TestVotesAreLinearizable(t *testing.T) {
	t.Parallel()
	h := newEngines(t, 3)
	for n := range 40 {
		seed := uint64(n)
		history := h.play(t, seed)
		if !porcupine.CheckOperations(ballots, history) {
			for _, o := range history {
				t.Logf("%d–%d %v: %q", o.Call, o.Return, o.Input, o.Output)
			}
			t.Fatalf("seed %d: no order of events explains these answers", seed)
		}
	}
}

// TestVotesCheckDetectsADoubleVote checks that TestVotesAreLinearizable would detect a vote that
// counts twice.
func TestVotesCheckDetectsADoubleVote(t *testing.T) {
	twice := []porcupine.Operation{
		{ClientId: 0, Input: act{what: "vote", who: "ben"}, Output: refusal.Code(""), Call: 0, Return: 10},
		{ClientId: 1, Input: act{what: "vote", who: "ben"}, Output: refusal.Code(""), Call: 5, Return: 15},
	}
	if porcupine.CheckOperations(ballots, twice) {
		t.Error("one person's vote counted twice, and the check did not notice")
	}
}

// engines has several engines that share one etcd.
type engines struct {
	engines []*engine.Engine
	store   *etcdstore.Store
	late    atomic.Bool
}

var noon = time.Now().UTC().Truncate(time.Second)

func (h *engines) now() time.Time {
	if h.late.Load() {
		return noon.Add(time.Hour)
	}
	return noon
}

func newEngines(t *testing.T, replicas int) *engines {
	h := &engines{}
	etcd := startEtcd(t, t.TempDir(), 1)
	key := filepath.Join(t.TempDir(), "state.key")
	if _, err := sign.Create(key); err != nil {
		t.Fatal(err)
	}
	for i := range replicas {
		name := fmt.Sprint("replica-", i+1)
		s, err := etcdstore.Open(t.Context(), etcdstore.Config{Endpoints: etcd.endpoints(), Replica: name, LeaseTTL: time.Minute, KeyFile: key})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		e, err := engine.New(engine.Config{
			Runs: s, Runner: idle{}, Members: s, Gate: engine.GateFuncs{
				DeriveFunc:  func(r engine.Run) (runbooks.Plan, error) { return r.Plan, nil },
				RecheckFunc: func(context.Context, engine.Run) error { return nil },
			},
			Ledger:  s,
			Policy:  engine.Policy{VoteTTL: 15 * time.Minute, StartTTL: 2 * time.Minute},
			Replica: name, Now: h.now, Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		h.engines, h.store = append(h.engines, e), s
	}
	return h
}

// idle is a runner that no test may use, because no run starts in these tests.
type idle struct{}

func (idle) Run(context.Context, remote.Command) remote.Result { panic("a command was sent") }

func (h *engines) play(t *testing.T, seed uint64) []porcupine.Operation {
	h.late.Store(false)
	id, err := h.store.NewID(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	run := engine.Run{ID: id, Asked: voter("anna"), Plan: runbooks.Plan{
		Class: runbooks.Destructive, Severity: runbooks.Critical, Digest: "d1gest", Locks: []string{"prod/infra-1/monit"},
		Steps: []runbooks.Step{{Kind: runbooks.Exec, Sent: "true", Timeout: runbooks.Duration(time.Second), Host: "infra-1"}},
	}}
	if _, err := h.engines[0].Submit(t.Context(), run, ""); err != nil {
		t.Fatal(err)
	}
	var (
		mu      sync.Mutex
		history []porcupine.Operation
		clients sync.WaitGroup
	)
	began := time.Now()
	for client := range 5 {
		r := rand.New(rand.NewPCG(seed, uint64(client)))
		clients.Go(func() {
			for range 4 {
				a := someAct(r)
				a.early = !h.late.Load()
				call := time.Since(began)
				code := h.apply(t, h.engines[r.IntN(len(h.engines))], id, a)
				op := porcupine.Operation{ClientId: client, Input: a, Call: int64(call), Output: code, Return: int64(time.Since(began))}
				mu.Lock()
				history = append(history, op)
				mu.Unlock()
			}
		})
	}
	clients.Wait()
	slices.SortFunc(history, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
	return history
}

// someAct returns a random act. It is mostly a vote, because after an early end of the run the test
// could check no votes.
func someAct(r *rand.Rand) act {
	who := []string{"ben", "chris", "dana", "anna"}[r.IntN(4)]
	switch n := r.IntN(20); {
	case n < 10:
		return act{what: "vote", who: who}
	case n < 15:
		return act{what: "withdraw", who: who}
	case n < 17:
		return act{what: "tick", who: ""}
	case n == 17:
		return act{what: "later", who: ""}
	case n == 18:
		return act{what: "deny", who: who}
	default:
		return act{what: "cancel", who: "anna"}
	}
}

func voter(name string) engine.Actor {
	return engine.Actor{Person: name, Account: auth.Account{Team: "T0HOME", User: "U0" + name}, Via: "button"}
}

func (h *engines) apply(t *testing.T, e *engine.Engine, id string, a act) refusal.Code {
	by := voter(a.who)
	var ev engine.Event
	switch a.what {
	case "later":
		h.late.Store(true)
		return ""
	case "tick":
		ev = engine.DeadlineCheck{}
	case "withdraw":
		ev = engine.WithdrawnVote{By: by}
	case "deny":
		ev = engine.DeniedBy{By: by, Reason: "not now"}
	case "cancel":
		ev = engine.CancelledBy{By: by}
	default:
		ev = engine.Voted{By: by, Digest: "d1gest"}
	}
	_, err := e.Apply(t.Context(), id, ev, "")
	var no *refusal.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &no):
		return no.Code
	default:
		t.Errorf("%v: %v", a, err)
		return "failed"
	}
}
