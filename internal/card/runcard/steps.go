package runcard

import (
	"fmt"
	"strings"

	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/runbooks"
)

// around is how many steps of a long run are shown before the current step, and how many from the
// current step on. The card only counts the other steps.
const around = 4

// stepLines show each step and its result.
func stepLines(r engine.Run) []card.Line {
	first, last := window(r)
	var lines []card.Line
	if first > 0 {
		lines = append(lines, card.Line{card.T("✅ " + card.Count(first, "earlier step") + " done")})
	}
	several := len(planHosts(r.Plan)) > 1
	for i := first; i < last; i++ {
		st := r.Steps[i]
		if r.BroughtBack() && st.State == engine.StepSkipped {
			st = engine.Step{State: engine.StepUnknown, Text: "unknown whether it was done: there is no record"}
		}
		l := stepLine(r.Plan.Steps[i], st, several)
		if r.Interrupted(i) {
			l = append(l, card.T("; a person may have begun it"))
		}
		lines = append(lines, l)
	}
	if rest := steps(r) - last; rest > 0 {
		lines = append(lines, card.Line{card.T("· " + card.Count(rest, "more step"))})
	}
	return lines
}

// steps counts the steps that have both a plan and a result.
func steps(r engine.Run) int { return min(len(r.Steps), len(r.Plan.Steps)) }

// window selects the steps of a long run that are shown, from first up to but not including last:
// those around the current step, or the last few if all are done. All steps before first are done.
func window(r engine.Run) (first, last int) {
	n := steps(r)
	if n <= 2*around {
		return 0, n
	}
	at := n
	for i := range n {
		if st := r.Steps[i].State; st != engine.StepDone && st != engine.StepNoted {
			at = i
			break
		}
	}
	return max(0, at-around), min(n, at+around)
}

func stepLine(p runbooks.Step, st engine.Step, withHost bool) card.Line {
	sign := stepSign(st.State)
	if st.State == engine.StepStarted && p.Kind == runbooks.Manual {
		sign = "✋"
	}
	l := card.Line{card.T(sign + " ")}
	if withHost {
		l = append(l, card.T(p.Host+": "))
	}
	switch {
	case p.Kind == runbooks.Exec:
		l = append(l, card.C(p.Command))
	case p.Kind == runbooks.Manual && st.State == engine.StepStarted && p.Command != "":
		l = append(l, card.B(p.Title), card.T(": "+p.Command))
	default:
		l = append(l, card.T(card.OrElse(p.Title, string(p.Until))))
	}
	switch {
	case st.State == engine.StepSkipped:
		return append(l, card.T(" — not done"))
	case st.By != "":
		l = append(l, card.T(" — done by "+st.By))
	case st.State == engine.StepStarted && st.Text == "" && p.Kind != runbooks.Manual:
		return append(l, card.T(" …"))
	}
	if st.Text == "" {
		return l
	}
	if st.State == engine.StepFailed || st.State == engine.StepUnknown || st.State == engine.StepNoted {
		return append(l, card.T(" — "), card.B(st.Text))
	}
	return append(l, card.T(" — "+st.Text))
}

// pidLine shows the state of a process at the time-out of step i, or nothing if i is -1.
func pidLine(r engine.Run, i int) []card.Line {
	if i < 0 || len(r.Steps[i].Kept) == 0 {
		return nil
	}
	return []card.Line{{card.T("State at the time-out: "), card.B(r.Steps[i].Kept[0]), card.T(" · last log lines: details " + r.ID)}}
}

// stepSign returns the emoji for a step's state. The text beside it says the same.
func stepSign(s engine.StepState) string {
	switch s {
	case engine.StepPending:
		return "·"
	case engine.StepStarted:
		return "▶️"
	case engine.StepDone:
		return "✅"
	case engine.StepNoted:
		return "☑️"
	case engine.StepFailed:
		return "❌"
	case engine.StepSkipped:
		return "–"
	default:
		return "❓"
	}
}

// outcomeLines shows the verified outcome for each target, for example the pids before and after,
// and whether the process is ready.
func outcomeLines(r engine.Run) []card.Line {
	var order []runbooks.Target
	said := map[runbooks.Target][]string{}
	for i := range steps(r) {
		p, st := r.Plan.Steps[i], r.Steps[i]
		if st.State != engine.StepDone || !proves(p) || st.Text == "" {
			continue
		}
		t := runbooks.Target{Process: p.Process, Host: p.Host}
		if said[t] == nil {
			order = append(order, t)
		}
		said[t] = append(said[t], st.Text)
	}
	var lines []card.Line
	for _, t := range order {
		text := strings.Join(said[t], " · ")
		if len(order) == 1 {
			return []card.Line{{card.B(text)}}
		}
		lines = append(lines, card.Line{card.B(t.String()), card.T(": " + text)})
	}
	return lines
}

// proves reports whether a step verifies the outcome.
func proves(p runbooks.Step) bool {
	return p.Kind == runbooks.Wait && p.Until != runbooks.Answers && p.Until != runbooks.Supervised
}

// noteLines lists the steps that are done with a note, such as an optional check that did not
// succeed in time.
func noteLines(r engine.Run) []card.Line {
	var lines []card.Line
	for i := range steps(r) {
		if r.Steps[i].State == engine.StepNoted {
			lines = append(lines, stepLine(r.Plan.Steps[i], r.Steps[i], len(planHosts(r.Plan)) > 1))
		}
	}
	return lines
}

// ranLines lists the run's commands and manual steps.
func ranLines(r engine.Run) []card.Line {
	const most = 6
	var lines []card.Line
	n := 0
	for i := range steps(r) {
		p := r.Plan.Steps[i]
		if p.Kind != runbooks.Exec && p.Kind != runbooks.Manual {
			continue
		}
		if n++; n <= most {
			lines = append(lines, stepLine(p, r.Steps[i], true))
		}
	}
	if n > most {
		lines = append(lines, card.Line{card.T(fmt.Sprintf("… and %d more", n-most))})
	}
	return lines
}

// partLines lists which steps are done and which are missing, for a run that stopped half-way.
func partLines(r engine.Run) []card.Line {
	var order []string
	missing := map[string]bool{}
	for i := range steps(r) {
		p, st := r.Plan.Steps[i], r.Steps[i].State
		if p.Kind != runbooks.Exec && p.Kind != runbooks.Manual {
			continue
		}
		t := runbooks.Target{Process: p.Process, Host: p.Host}.String()
		order = append(order, t)
		missing[t] = missing[t] || st != engine.StepDone && st != engine.StepNoted
	}
	var done, not []string
	for _, t := range card.Unique(order) {
		if missing[t] {
			not = append(not, t)
		} else {
			done = append(done, t)
		}
	}
	var lines []card.Line
	if len(done) > 0 {
		lines = append(lines, card.Line{card.B("Done: "), card.T(strings.Join(done, ", "))})
	}
	if len(not) > 0 {
		lines = append(lines, card.Line{card.B("Not done, or incomplete: "), card.T(strings.Join(not, ", "))})
	}
	return lines
}
