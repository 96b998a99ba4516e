package guard

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"dhbot/internal/engine"
	"dhbot/internal/observe/proof"
	"dhbot/internal/redact"
	"dhbot/internal/refusal"
	"dhbot/internal/remote"
	"dhbot/runbooks"
)

// Time limits of guards. A guard that answers "not yet" is queried again, for example while etcd
// elects a leader.
const (
	// every is the pause before a guard is queried again.
	every = 2 * time.Second
	// within is how long the queries of one guard are repeated. It does not limit the last query.
	within = 5 * time.Second
	// allWithin is the time limit for all guards of a plan together.
	allWithin = 20 * time.Second
)

// textRunes limits a guard's answer.
const textRunes = 500

// Refuses is the code of a refusal by a guard. The text of the refusal names the guard and the
// reason.
const Refuses refusal.Code = "guard refuses"

// AtRequest queries every guard of a plan. If a guard refuses, it returns a *refusal.Error.
// Otherwise it returns the guards that could not decide; because of them the plan needs one more
// approval. A host that does not answer is not a refusal here, but it must answer when the run
// starts.
func AtRequest(ctx context.Context, r remote.Runner, plan runbooks.Plan) ([]engine.Unclear, error) {
	return ask(ctx, r, plan, plan.Guards())
}

// AtStart queries the guards after the first change of a plan, so that a run does not stop in the
// middle for a reason that was visible before. If a guard cannot decide, AtStart ignores it,
// because its step in the run queries it again.
func AtStart(ctx context.Context, r remote.Runner, plan runbooks.Plan) error {
	later := slices.DeleteFunc(plan.Guards(), func(i int) bool { return i < plan.FirstChange() })
	_, err := ask(ctx, r, plan, later)
	return err
}

// answer is the answer of one guard.
type answer struct {
	step    int
	text    string
	verdict proof.Verdict
}

// ask queries hosts concurrently, and the guards of one host in order, because some guards use
// the answers of earlier guards.
func ask(ctx context.Context, r remote.Runner, plan runbooks.Plan, steps []int) ([]engine.Unclear, error) {
	ctx, cancel := context.WithTimeout(ctx, allWithin)
	defer cancel()
	about := map[string][]int{}
	for _, i := range steps {
		host := plan.Steps[i].Subject().Host
		about[host] = append(about[host], i)
	}
	var (
		wg      sync.WaitGroup
		mu      sync.Mutex
		answers []answer
	)
	for _, of := range about {
		wg.Go(func() {
			said := askHost(ctx, r, plan, of)
			mu.Lock()
			defer mu.Unlock()
			answers = append(answers, said...)
		})
	}
	wg.Wait()
	slices.SortFunc(answers, func(a, b answer) int { return a.step - b.step })
	var unclear []engine.Unclear
	for _, a := range answers {
		switch {
		case a.verdict.State == proof.Never:
			return nil, refusal.New(Refuses, "%s", a.text)
		case a.verdict.State == proof.Unknown && plan.Steps[a.step].Until.Acceptable():
			unclear = append(unclear, engine.Unclear{Step: a.step, Text: a.text})
		}
	}
	return unclear, nil
}

// askHost queries the guards of one host in order, up to the first refusal.
func askHost(ctx context.Context, r remote.Runner, plan runbooks.Plan, steps []int) []answer {
	seen := map[runbooks.Target][]byte{}
	var out []answer
	for _, i := range steps {
		st := plan.Steps[i]
		of := st.Subject()
		v, last := askOne(ctx, r, st, seen[of])
		if v.Seen != nil {
			seen[of] = v.Seen
		}
		if last.Exit != 0 && plan.AlteredBefore(i) {
			continue // the guard reads a directory that an earlier step creates
		}
		text := fmt.Sprintf("%s, on %s: %s", st.Title, of.Host, strings.TrimSuffix(v.Text, "."))
		out = append(out, answer{i, redact.Line(text, textRunes), v})
		if v.State == proof.Never {
			break
		}
	}
	return out
}

// askOne queries one guard. seen is what earlier guards on the same target observed.
func askOne(ctx context.Context, r remote.Runner, st runbooks.Step, seen []byte) (proof.Verdict, remote.Result) {
	st.Within = runbooks.Duration(within)
	until := time.Now().Add(within) // the monotonic clock: a span, not a deadline
	for {
		got := r.Run(ctx, engine.CommandOf(st))
		v := proof.Evaluate(st, seen, got, time.Time{})
		electing := v.State == proof.Unknown && st.Until == runbooks.EtcdSpare // members may not answer for some seconds while etcd elects a leader
		switch again := time.Now().Add(every).Before(until); {
		case v.State != proof.NotYet && !electing, electing && !again:
			return v, got
		case electing:
		case st.Until == runbooks.EtcdSpare || !again: // a member that does not serve may be restarted
			return proof.TimedOut(st, seen, v), got
		}
		select {
		case <-ctx.Done():
			return proof.TimedOut(st, seen, v), got
		case <-time.After(every):
		}
	}
}
