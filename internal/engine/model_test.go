package engine

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dhbot/runbooks"
)

// edge is one row of the transition table in the doc comment of Next.
type edge struct {
	event    string
	from, to State
}

// TestModel walks through every order of events of two voters, the requester, two workers,
// crashes and the clock, for runs that need no vote, one vote or two votes. It checks every
// transition against the rules of world. The transitions that occurred must be exactly the table
// in the doc comment of Next.
func TestModel(t *testing.T) {
	seen := map[edge]bool{}
	for _, r := range []Run{
		asked(runbooks.Low, runbooks.Disruptive, step(runbooks.Wait, "a"), step(runbooks.Exec, "a"), step(runbooks.Wait, "a")),
		asked(runbooks.Critical, runbooks.Disruptive, step(runbooks.Exec, "a"), step(runbooks.Wait, "a"), step(runbooks.Exec, "b")),
		asked(runbooks.Critical, runbooks.Disruptive, step(runbooks.Manual, "a"), step(runbooks.Exec, "a"), step(runbooks.Manual, "b")),
		asked(runbooks.Critical, runbooks.Destructive, step(runbooks.Wait, "a"), step(runbooks.Exec, "a")),
	} {
		explore(t, begin(t, r), seen)
	}
	table := documented(t)
	for e := range seen {
		if !table[e] {
			t.Errorf("happens, but is not in the table: %s, %s → %s", e.event, e.from, e.to)
		}
	}
	for e := range table {
		if !seen[e] {
			t.Errorf("in the table, but never happens: %s, %s → %s", e.event, e.from, e.to)
		}
	}
}

func explore(t *testing.T, start world, seen map[edge]bool) {
	t.Helper()
	all := events(len(start.Run.Steps))
	known := map[string]world{start.key(): start}
	onward := map[string][]string{} // from → to
	for todo := []world{start}; len(todo) > 0; todo = todo[1:] {
		w := todo[0]
		visit := func(next world) {
			k := next.key()
			onward[w.key()] = append(onward[w.key()], k)
			if _, ok := known[k]; !ok {
				known[k] = next
				todo = append(todo, next)
			}
		}
		before := encode(t, w.Run)
		for _, e := range all {
			if next, ok := w.take(t, e); ok {
				seen[edge{strings.TrimPrefix(reflect.TypeOf(e).String(), "engine."), w.Run.State, next.Run.State}] = true
				visit(next)
			}
		}
		if after := encode(t, w.Run); after != before {
			t.Fatalf("Next changed its argument:\n%s\n%s", before, after)
		}
		if !w.Late {
			// Time passes in two steps: first the approval ends soon, then every deadline is over.
			late := w
			late.Late = w.Ending
			late.Ending = true
			visit(late)
		}
	}
	noDeadEnds(t, known, onward)
	t.Logf("need %d: %d worlds", start.Run.Need, len(known))
}

// noDeadEnds checks that a final state can be reached from every state.
func noDeadEnds(t *testing.T, known map[string]world, onward map[string][]string) {
	t.Helper()
	ends := map[string]bool{}
	for k, w := range known {
		ends[k] = w.Run.State.Ended()
	}
	for grown := true; grown; {
		grown = false
		for k, tos := range onward {
			if !ends[k] && slices.ContainsFunc(tos, func(to string) bool { return ends[to] }) {
				ends[k], grown = true, true
			}
		}
	}
	for k, ok := range ends {
		if !ok {
			t.Errorf("no way out of %s", k)
		}
	}
}

// documented returns the transitions that the table in the doc comment of Next lists.
func documented(t *testing.T) map[edge]bool {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "next.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	table := map[edge]bool{}
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Name.Name != "Next" {
			continue
		}
		for _, l := range strings.Split(fn.Doc.Text(), "\n") {
			left, right, ok := strings.Cut(l, "→")
			if !ok {
				continue
			}
			event, from, _ := strings.Cut(strings.TrimSpace(left), " ")
			for _, to := range strings.Split(right, ",") {
				table[edge{event, State(strings.TrimSpace(from)), State(strings.TrimSpace(to))}] = true
			}
		}
	}
	if len(table) < 30 {
		t.Fatalf("only %d transitions found in the doc comment: %v", len(table), slices.Collect(maps.Keys(table)))
	}
	return table
}

// TestAnyPlanAnyOrder checks the rules of world for plans of any shape and events in any order.
func TestAnyPlanAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		kinds := []runbooks.StepKind{runbooks.Exec, runbooks.Exec, runbooks.Wait, runbooks.Wait, runbooks.Manual}
		var steps []runbooks.Step
		for range rapid.IntRange(1, 7).Draw(rt, "steps") {
			steps = append(steps, step(rapid.SampledFrom(kinds).Draw(rt, "kind"), rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "host")))
		}
		r := asked(rapid.SampledFrom([]runbooks.Severity{runbooks.Unknown, runbooks.Critical, runbooks.Moderate, runbooks.Low}).Draw(rt, "level"),
			rapid.SampledFrom([]runbooks.Class{runbooks.Disruptive, runbooks.Destructive}).Draw(rt, "class"), steps...)
		r.Need = rapid.IntRange(0, 2).Draw(rt, "need")
		w := begin(t, r)
		all := events(len(steps))
		for range rapid.IntRange(1, 60).Draw(rt, "events") {
			// Half of the events are events that the run accepts, so that it makes progress.
			e := rapid.SampledFrom(all).Draw(rt, "event")
			if rapid.Bool().Draw(rt, "sensible") {
				e = rapid.SampledFrom(taken(t, w, all)).Draw(rt, "taken")
			}
			w, _ = w.take(t, e)
		}
	})
}

// taken lists the events that a run accepts, except events that end most runs at once. A
// DeadlineCheck is always included, so the list is never empty.
func taken(t *testing.T, w world, all []Event) []Event {
	out := []Event{DeadlineCheck{}}
	for _, e := range all {
		switch e.(type) {
		case DeniedBy, CancelledBy, RecheckFailed, BroughtBack: // these end most runs at once
		default:
			if _, err := Next(w.Run, e, w.now(), patient); err == nil {
				out = append(out, e)
			}
		}
	}
	return out
}
