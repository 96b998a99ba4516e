package call

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dhbot/auth"
	"dhbot/internal/engine"
	"dhbot/internal/redact"
	"dhbot/internal/remote"
	"dhbot/internal/tracing"
	"dhbot/runbooks"
)

// BindPlanFor first checks that the author of a call may request a plan of this class, and then
// calls BindPlan. The class may differ from the verb's class in the command table, because each
// catalog sets its own.
func (s *Base) BindPlanFor(ctx context.Context, c *Call, in runbooks.Inputs) (runbooks.Inputs, runbooks.Plan, error) {
	plan, err := s.Planner.Plan(in)
	if err != nil {
		return in, plan, err
	}
	if err := s.Rules.MayAsk(c.Who.Person, plan.Cluster, plan.Class, c.Channel); err != nil {
		return in, plan, err
	}
	if err := auth.MayInSilence(c.Who.SilentSince, plan.Class, c.Origin, ""); err != nil {
		return in, plan, err
	}
	return s.BindPlan(ctx, in)
}

// BindPlan completes a plan: it runs the discovery reads and adds their results to the inputs. The
// inputs are stored with the run and covered by the digest. A discovery read may depend on the
// result of an earlier read.
func (s *Base) BindPlan(ctx context.Context, in runbooks.Inputs) (_ runbooks.Inputs, _ runbooks.Plan, err error) {
	ctx, span := tracing.Begin(ctx, "plan")
	defer func() { tracing.End(span, err) }()
	const rounds = 4
	for range rounds {
		plan, err := s.Planner.Plan(in)
		if err != nil || len(plan.Discover) == 0 {
			return in, plan, err
		}
		found, err := s.runLists(ctx, plan.Discover)
		if err != nil {
			return in, plan, err
		}
		listed := maps.Clone(in.Listed)
		if listed == nil {
			listed = map[string][]string{}
		}
		maps.Copy(listed, found)
		in.Listed = listed
	}
	return in, runbooks.Plan{}, fmt.Errorf("%s needs more than %d rounds of discovery reads", in.Action, rounds)
}

// runLists runs discovery reads. It stops at a failed read, because an unknown list must not look
// like an empty list.
func (s *Base) runLists(ctx context.Context, steps []runbooks.Step) (map[string][]string, error) {
	out := map[string][]string{}
	for _, st := range steps {
		r := s.Remote.Run(ctx, engine.CommandOf(st))
		switch {
		case r.Outcome != remote.Answered:
			return nil, cannotLook("the list from %s could not be read: %s", st.Host, redact.Line(r.Outcome.String()+": "+r.Detail, 300))
		case r.Exit != 0:
			return nil, cannotLook("the list from %s could not be read: exit code %d: %s", st.Host, r.Exit, redact.Line(r.Stderr.String()+" "+r.Stdout.String(), 300))
		case r.Stdout.Truncated():
			return nil, cannotLook("the list on %s is too long to be shown completely; narrow the request", st.Host)
		}
		lines := []string{}
		for line := range strings.Lines(r.Stdout.String()) {
			if line = strings.TrimRight(line, "\r\n"); line != "" {
				lines = append(lines, line)
			}
		}
		out[st.List] = lines
	}
	return out, nil
}

// ListAgain repeats the discovery reads directly before a run starts. A changed result invalidates
// the approval.
func (s *Base) ListAgain(ctx context.Context, in runbooks.Inputs) error {
	if len(in.Listed) == 0 {
		return nil
	}
	bare := in
	bare.Listed = nil
	again, _, err := s.BindPlan(ctx, bare)
	if err != nil {
		return err
	}
	now := again.Listed
	for _, name := range slices.Sorted(maps.Keys(in.Listed)) {
		was, is := in.Listed[name], now[name]
		if slices.Equal(was, is) {
			continue
		}
		return fmt.Errorf("a list that the plan uses has changed since the request: %s", difference(was, is))
	}
	return nil
}

// difference describes one entry that was added to a list or removed from it. If there is none, it
// says that the order has changed.
func difference(was, is []string) string {
	for _, line := range is {
		if !slices.Contains(was, line) {
			return redact.Line(line+" is new", 200)
		}
	}
	for _, line := range was {
		if !slices.Contains(is, line) {
			return redact.Line(line+" is gone", 200)
		}
	}
	return "the order of its entries"
}
