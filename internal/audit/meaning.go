package audit

import (
	"fmt"
	"strings"
	"time"
)

// Rules are the approval rules that can be checked with a run's records.
type Rules struct {
	// Approvals returns how many approvers, besides the requester, a run needs at least. The
	// argument is the run's first record, which has its action and level.
	Approvals func(Record) int
	// VoteWithin is how long after the request an approval may come; StartWithin how long after
	// the last approval the run may start.
	VoteWithin, StartWithin time.Duration
}

// meaning follows each run from its request.
type meaning struct {
	rules Rules
	runs  map[string]*story
}

func newMeaning(r Rules) *meaning { return &meaning{rules: r, runs: map[string]*story{}} }

// story is the state of a run.
type story struct {
	asked   Record
	votes   []Record // valid approvals
	ready   time.Time
	started bool
	ended   Kind // the kind of its end, "" while it is open
}

// next checks an entry with the rules. It does not check a run that was requested before the
// verified part.
func (m *meaning) next(s *Sealed) error {
	r := &s.Record
	if r.Seq == 0 {
		return nil // the record only mentions a run
	}
	broken := func(format string, a ...any) error {
		return &BrokenError{s.N, fmt.Sprintf("run %s: ", r.Run) + fmt.Sprintf(format, a...)}
	}
	st, known := m.runs[r.Run]
	switch {
	case r.Kind == Requested && r.Seq == 1:
		m.runs[r.Run] = &story{asked: *r, ready: r.At}
		return nil
	case r.Kind == Requested:
		return broken("it is requested a second time")
	case !known && r.Seq == 1:
		return broken("its first record is %q, not its request", r.Kind)
	case !known:
		return nil
	case st.ended != "":
		return broken("%q comes after its end (%s)", r.Kind, st.ended)
	case r.Digest != st.asked.Digest:
		return broken("%q is for another plan (%.12s) than the requested one (%.12s)", r.Kind, r.Digest, st.asked.Digest)
	}
	if why := st.take(*r, m.rules); why != "" {
		return broken("%s", why)
	}
	return nil
}

// take applies a record to a run. The result why describes the violation, "" for none.
func (st *story) take(r Record, rules Rules) (why string) {
	switch r.Kind {
	case Approved:
		return st.approved(r, rules)
	case Withdrawn:
		return st.withdrawn(r)
	case Started:
		return st.start(r, rules)
	case StepStarted, StepEnded, Ticked:
		if !st.started {
			return fmt.Sprintf("%q comes before its start", r.Kind)
		}
	case Denied, Expired, Refused, Ended, Closed:
		st.ended = r.Kind
	case Cancelled:
		if r.Outcome != "" { // without an outcome the run stops only after its current step
			st.ended = r.Kind
		}
	}
	return ""
}

func (st *story) approved(r Record, rules Rules) string {
	switch {
	case st.started:
		return fmt.Sprintf("the approval by %s comes after its start", r.Person)
	case r.Person == "" || r.Person == st.asked.Person || r.Account == st.asked.Account:
		return fmt.Sprintf("%s approved a request of their own", st.asked.Person)
	case r.At.Before(st.asked.At.Add(-slack)):
		return fmt.Sprintf("the approval by %s is older than the request", r.Person)
	case r.At.After(st.asked.At.Add(rules.VoteWithin + slack)):
		return fmt.Sprintf("the approval by %s came %s after the request, but at most %s is allowed",
			r.Person, r.At.Sub(st.asked.At).Round(time.Second), rules.VoteWithin)
	}
	for _, v := range st.votes {
		if v.Person == r.Person || v.Account == r.Account {
			return fmt.Sprintf("%s approved it twice", r.Person)
		}
	}
	st.votes = append(st.votes, r)
	st.ready = r.At
	return ""
}

func (st *story) withdrawn(r Record) string {
	for i, v := range st.votes {
		if v.Person == r.Person {
			st.votes = append(st.votes[:i:i], st.votes[i+1:]...)
			return ""
		}
	}
	return fmt.Sprintf("%s withdrew an approval that they had not given", r.Person)
}

// start checks the first start; a later one continues a run that was handed over.
func (st *story) start(r Record, rules Rules) string {
	if st.started {
		return ""
	}
	if need := rules.Approvals(st.asked); len(st.votes) < need {
		return fmt.Sprintf("%s was started with %s of %d needed", strings.TrimSpace(st.asked.Action+" ("+st.asked.Severity+")"),
			counted(len(st.votes), "approval"), need)
	}
	if r.At.After(st.ready.Add(rules.StartWithin + slack)) {
		return fmt.Sprintf("it was started %s after its approval, but at most %s is allowed",
			r.At.Sub(st.ready).Round(time.Second), rules.StartWithin)
	}
	st.started = true
	return ""
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
