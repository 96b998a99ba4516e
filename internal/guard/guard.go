// Package guard asks the guards of a plan, the reads that can refuse it by how its
// targets are. A request asks them before an approver is called; the start asks
// those of later targets again, since the engine asks the others itself.
package guard

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"dhbot/internal/engine"
	"dhbot/internal/observe"
	"dhbot/internal/redact"
	"dhbot/internal/remote"
	"dhbot/runbooks"
)

// How long guards are asked. One that answers and says "not yet" is asked again,
// as while etcd elects a leader; all of them together are given allWithin.
const (
	every     = 2 * time.Second
	within    = 5 * time.Second
	allWithin = 20 * time.Second
)

// textRunes is how much is kept of what a guard said.
const textRunes = 500

// RefusedError says which guard refuses a plan, and why.
type RefusedError struct{ Text string }

func (e *RefusedError) Error() string { return e.Text }

// AtRequest asks every guard of a plan. Returned are those that cannot tell, for
// which one approval more is needed, or a *RefusedError. A host that does not
// answer refuses nothing yet: at the start it has to.
func AtRequest(ctx context.Context, r remote.Runner, plan runbooks.Plan) ([]engine.Unclear, error) {
	return ask(ctx, r, plan, plan.Guards())
}

// AtStart asks the guards of a plan that come after its first change, so that a
// run does not stop in the middle for what was to be seen before it. What cannot
// be told then is left to the step itself.
func AtStart(ctx context.Context, r remote.Runner, plan runbooks.Plan) error {
	later := slices.DeleteFunc(plan.Guards(), func(i int) bool { return i < plan.FirstChange() })
	_, err := ask(ctx, r, plan, later)
	return err
}

// answer is what one guard said.
type answer struct {
	step    int
	text    string
	verdict observe.Verdict
}

// ask asks hosts at the same time, and the guards about one host one after the
// other: some go by what those before them saw.
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
		case a.verdict.State == observe.Never:
			return nil, &RefusedError{a.text}
		case a.verdict.State == observe.Unknown && plan.Steps[a.step].Until.Acceptable():
			unclear = append(unclear, engine.Unclear{Step: a.step, Text: a.text})
		}
	}
	return unclear, nil
}

// askHost asks the guards about one host in order, up to the first that refuses.
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
			continue // it reads a directory that an earlier step makes
		}
		text := fmt.Sprintf("%s, on %s: %s", st.Title, of.Host, strings.TrimSuffix(v.Text, "."))
		out = append(out, answer{i, redact.Line(text, textRunes), v})
		if v.State == observe.Never {
			break
		}
	}
	return out
}

// askOne asks one guard. before is what the guards before it saw of its target.
func askOne(ctx context.Context, r remote.Runner, st runbooks.Step, before []byte) (observe.Verdict, remote.Result) {
	st.Within = runbooks.Duration(within)
	until := time.Now().Add(within) // the monotonic clock: a span, not a deadline
	for {
		got := r.Run(ctx, engine.CommandOf(st))
		v := observe.Evaluate(st, before, got, time.Time{})
		electing := v.State == observe.Unknown && st.Until == runbooks.EtcdSpare // perhaps: members are silent for some seconds then
		switch again := time.Now().Add(every).Before(until); {
		case v.State != observe.NotYet && !electing, electing && !again:
			return v, got
		case electing:
		case st.Until == runbooks.EtcdSpare || !again: // a member that is not seen to serve is let go
			return observe.TimedOut(st, before, v), got
		}
		select {
		case <-ctx.Done():
			return observe.TimedOut(st, before, v), got
		case <-time.After(every):
		}
	}
}
