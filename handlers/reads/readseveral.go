package reads

import (
	"context"
	"strings"
	"sync"

	"dhbot/handlers/call"
	"dhbot/internal/card/outputcard"
	"dhbot/runbooks"
)

// boundRead is the planned read of one process, or the reason why it could not be planned.
type boundRead struct {
	process string
	inputs  runbooks.Inputs
	plan    runbooks.Plan
	err     error
}

// bindReads plans a read for each process of a call, concurrently. It returns an error if a read is
// refused, if an internal error occurs, or if no read can be planned.
func (s *Reads) bindReads(ctx context.Context, c *call.Call) ([]boundRead, error) {
	parts := c.Req.Parts()
	reads := make([]boundRead, len(parts))
	var wg sync.WaitGroup
	for i, p := range parts {
		wg.Go(func() {
			r := boundRead{}
			if p.Process != nil {
				r.process = p.Process.ID
			}
			if r.inputs, r.err = c.InputsOf(p, s.Now()); r.err == nil {
				r.inputs, r.plan, r.err = s.BindPlanFor(ctx, c, r.inputs)
			}
			reads[i] = r
		})
	}
	wg.Wait()
	bad := 0
	for _, r := range reads {
		if r.err != nil && !call.IsPlanError(r.err) {
			return nil, r.err
		}
		if r.err != nil {
			bad++
		}
	}
	if bad == len(reads) {
		return nil, reads[0].err
	}
	return reads, nil
}

// readsPlan combines all reads and their parameters into one plan. Its class is the most
// sensitive class of the reads. It keeps the digest of the first planned read. Nothing uses that
// digest, because a read needs no approval.
func readsPlan(reads []boundRead) (all runbooks.Plan, params map[string]string) {
	if len(reads) == 1 {
		return reads[0].plan, reads[0].inputs.Params
	}
	var names []string
	for _, r := range reads {
		names = append(names, r.process)
		switch {
		case r.err != nil:
			continue
		case params == nil:
			all, params = r.plan, r.inputs.Params
			all.Steps, all.Targets = nil, nil
		case r.plan.Class == runbooks.Sensitive:
			all.Class = runbooks.Sensitive
		}
		all.Steps = append(all.Steps, r.plan.Steps...)
		all.Targets = append(all.Targets, r.plan.Targets...)
	}
	all.Title = all.Action + " " + strings.Join(names, ", ")
	return all, params
}

// byProcess adds the process name to each answer, and a line with the reason for each
// failed read.
func byProcess(reads []boundRead, answers []outputcard.Answer) (out []outputcard.Answer) {
	for _, r := range reads {
		if r.err != nil {
			out = append(out, outputcard.Answer{Process: r.process, Title: "not read", Why: r.err.Error()})
			continue
		}
		n := len(r.plan.Steps)
		for _, a := range answers[:n] {
			a.Process = r.process
			out = append(out, a)
		}
		answers = answers[n:]
	}
	return out
}
