package audit

import (
	"fmt"
	"strings"
	"time"
)

// Rules are the approval rules that Verify checks for each run.
type Rules struct {
	// Approvals returns the number of approvals that a run needs. The argument is the run's first
	// record, which has its action and level.
	Approvals func(Record) int
	// VoteWithin is the longest time from the request to an approval, and StartWithin is the
	// longest time from the last approval to the start of the run.
	VoteWithin, StartWithin time.Duration
}

// meaning checks whether the records of each run obey the rules.
type meaning struct {
	rules Rules
	runs  map[string]*story
}

func newMeaning(r Rules) *meaning { return &meaning{rules: r, runs: map[string]*story{}} }

// story is the state of a run, according to its records so far.
type story struct {
	asked   Record
	votes   []Record // valid approvals
	ready   time.Time
	started bool
	ended   Kind // the kind of its end, "" while it is open
}

// next checks an entry with the rules. It skips runs whose request is before the verified part of
// the trail.
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

// take applies a record to a run. It returns a description of the rule that the record violates, or
// "".
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

// start checks the first start of a run. It accepts later starts, because they continue a run that
// another replica took over.
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
