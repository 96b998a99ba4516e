package card

import (
	"fmt"
	"strings"

	"dhbot/internal/engine"
	"dhbot/runbooks"
)

// shownSteps is how many steps of a plan its card shows; details have them all.
const shownSteps = 8

// planLines show what will run, exactly and in order, under the host that it
// runs on. Steps that only look and change nothing are left out, except those
// that prove the effect.
func planLines(p runbooks.Plan) []Line {
	steps := worthShowing(p.Steps)
	places := 0
	for i, st := range steps {
		if i == 0 || place(st) != place(steps[i-1]) {
			places++
		}
	}
	head := Line{B("What runs")}
	if places == 1 {
		head = append(head, T(" on "), B(steps[0].Host), T(as(steps[0])))
	} else if n := len(planHosts(p)); n > 1 {
		head = append(head, T(fmt.Sprintf(" on %d hosts, one after the other; a failure stops the rest", n)))
	}
	lines := []Line{head}
	for i, st := range steps {
		if i == shownSteps {
			return append(lines, Line{B(fmt.Sprintf("… and %s", count(len(steps)-i, "more step"))), T(": Details shows all of them")})
		}
		if places > 1 && (i == 0 || place(st) != place(steps[i-1])) {
			lines = append(lines, Line{T("— "), B(st.Host), T(as(st))})
		}
		lines = append(lines, planLine(i+1, st))
	}
	return lines
}

// worthShowing leaves out the reads before and after that decide nothing for
// an approver.
func worthShowing(steps []runbooks.Step) []runbooks.Step {
	var out []runbooks.Step
	for _, st := range steps {
		look := st.Kind == runbooks.Wait && (st.Until == runbooks.Answers || st.Until == runbooks.Supervised || st.Until == runbooks.Ready)
		if !look && st.Kind != runbooks.List {
			out = append(out, st)
		}
	}
	return out
}

func place(st runbooks.Step) string { return st.Host + " " + st.Login }

func as(st runbooks.Step) string {
	if st.Login == "" {
		return ""
	}
	return " as " + st.Login
}

func planLine(n int, st runbooks.Step) Line {
	l := Line{T(fmt.Sprintf("%d  ", n))}
	switch st.Kind {
	case runbooks.Exec:
		return append(l, C(st.Command))
	case runbooks.Wait:
		return append(l, T(fmt.Sprintf("%s (at most %s)", orElse(st.Title, "wait until "+string(st.Until)), span(st.Within.D()))))
	case runbooks.Manual:
		l = append(l, B("by hand: "), T(st.Title))
		if st.Command != "" && st.Command != st.Title {
			l = append(l, T(" — "+st.Command))
		}
		return l
	default:
		return append(l, T(orElse(st.Title, string(st.Kind))))
	}
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// impactLines are whom it hits, whether it can be undone, and what is alike
// but not meant.
func impactLines(r engine.Run) []Line {
	var lines []Line
	if r.Plan.Impact != "" {
		lines = append(lines, Line{B("Impact while it lasts: "), T(r.Plan.Impact)})
	}
	if r.Plan.Class == runbooks.Destructive {
		lines = append(lines, Line{T("⚠️ "), B("It cannot be undone."), T(" Approving asks you to type "), C(Target(r))})
	}
	if len(r.Beside) > 0 {
		lines = append(lines, Line{T("⚠️ "), B("Not touched: "), T(Target(r) + " on " + strings.Join(r.Beside, ", "))})
	}
	return lines
}

// votesWanted is "1 approval needed", or how many are in of several.
func votesWanted(r engine.Run) string {
	need, have := r.Needed(), r.Approvals()
	if have == 0 {
		return count(need, "approval") + " needed"
	}
	return fmt.Sprintf("%d of %d approvals", have, need)
}
