package card

import (
	"fmt"
	"slices"
	"strings"

	"dhbot/internal/probe"
	"dhbot/runbooks"
)

// Cause is something upstream that was seen not to serve.
type Cause struct {
	Process string
	Hosts   []string
	State   probe.State
}

// String is the cause as the rest of a sentence: "configuration_server on
// infra-1 is down".
func (c Cause) String() string {
	word, ok := map[probe.State]string{
		probe.Down: "down", probe.Failed: "down and could not be started", probe.Starting: "being started",
		probe.Stopping: "being stopped", probe.Recovering: "only just started again", probe.NotMonitored: "not monitored",
		probe.Missing: "unknown to its supervisor", probe.Trouble: "not answering on its port",
	}[c.State]
	if !ok {
		word = c.State.String()
	}
	return fmt.Sprintf("%s on %s is %s", c.Process, strings.Join(c.Hosts, ", "), word)
}

// Because says causes as a clause: "configuration_server on infra-1 is down".
func Because(causes []Cause) string {
	parts := make([]string, len(causes))
	for i, c := range causes {
		parts[i] = c.String()
	}
	return strings.Join(parts, ", and ")
}

// causes are those of the board and of all its rows, each once.
func (b Board) causes() []Cause {
	out := slices.Clone(b.Unmet)
	for _, r := range b.Rows {
		for _, c := range r.Causes {
			if !slices.ContainsFunc(out, func(o Cause) bool { return o.String() == c.String() }) {
				out = append(out, c)
			}
		}
	}
	return out
}

// because ends a push text or a first line: where to look instead.
func (b Board) because() string {
	causes := b.causes()
	if len(causes) == 0 {
		return ""
	}
	return " · because " + Because(causes)
}

// upstreamLines say of one process where to look instead, or that it is not
// for want of anything that it needs.
func (b Board) upstreamLines() []Line {
	if causes := b.causes(); len(causes) > 0 {
		return []Line{{B("Because " + Because(causes)), T(", which it needs: look there first")}}
	}
	var up []string
	for _, r := range b.Upstream {
		if r.Pending || !r.Observation.Known() || r.Observation.Out() {
			return nil // not all that it needs was seen to be up
		}
		up = append(up, r.Process.ID)
	}
	if len(up) == 0 {
		return nil
	}
	return []Line{{T("What it needs is up: " + strings.Join(unique(up), ", "))}}
}

// causeTaps open what is upstream.
func (b Board) causeTaps() []Button {
	var out []Button
	for _, c := range b.causes() {
		if len(out) < 2 {
			out = append(out, Button{Action: TapCommand, Label: c.Process, Value: fmt.Sprintf("status %s in %s", c.Process, b.Cluster)})
		}
	}
	return out
}

// heldLines are what is out because of something upstream: a line for each
// cause, not one for each process.
func heldLines(bad []Row, withHost bool) []Line {
	var order []string
	held := map[string][]Row{}
	for _, r := range bad {
		if len(r.Causes) == 0 {
			continue
		}
		why := Because(r.Causes)
		if held[why] == nil {
			order = append(order, why)
		}
		held[why] = append(held[why], r)
	}
	var lines []Line
	for _, why := range order {
		lines = append(lines, Line{
			T(Mark(held[why][0].severity()) + " "), B(fmt.Sprintf("%d behind it", len(held[why]))),
			T(": " + strings.Join(names(held[why], withHost), ", ") + ", because " + why),
		})
	}
	return lines
}

// names are the processes of rows, each once, with their hosts where they are
// not all on one.
func names(rows []Row, withHost bool) []string {
	var order []string
	hosts := map[string][]string{}
	for _, r := range rows {
		if hosts[r.Process.ID] == nil {
			order = append(order, r.Process.ID)
		}
		hosts[r.Process.ID] = append(hosts[r.Process.ID], r.Host)
	}
	for i, id := range order {
		if withHost {
			order[i] = id + " on " + strings.Join(hosts[id], "+")
		}
	}
	return order
}

// depsCard is the answer to what a process needs: in the order in which they
// start, it last.
func depsCard(b Board) Card {
	worst := runbooks.None
	for _, r := range b.Rows {
		if r.Process.ID != b.Needs && r.severity().Worse(worst) {
			worst = r.severity()
		}
	}
	if len(b.Absent) > 0 && runbooks.Unknown.Worse(worst) {
		worst = runbooks.Unknown // nobody looked at what has no host
	}
	verdict := "all up"
	switch {
	case len(b.Unmet) > 0:
		verdict = Because(b.Unmet)
	case worst == runbooks.Unknown:
		verdict = "not all seen"
	case worst != runbooks.None:
		verdict = "met, though not all is as it should be"
	}
	c := Card{Head: Line{T(Mark(worst) + " "), B("What " + b.Needs + " needs · " + verdict), T(" · " + b.Cluster)}}
	var lines []Line
	for _, r := range b.Rows {
		lines = append(lines, depLine(r))
	}
	for _, absent := range b.Absent {
		lines = append(lines, Line{T(Mark(runbooks.Unknown) + " "), B(absent), T(" runs on no host that the config names")})
	}
	c.Body = []Element{Text{Lines: lines}}
	c.Buttons = b.causeTaps()
	c.Foot = evidence(b.Rows)
	return b.finish(c, fmt.Sprintf("what %s needs · %s · %s", b.Needs, verdict, b.Cluster))
}

func depLine(r Row) Line {
	if r.Pending {
		return Line{T("⏳ "), B(r.Process.ID), T(" on " + r.Host + " · no answer yet")}
	}
	l := Line{T(Mark(r.severity()) + " "), B(r.Process.ID), T(" on " + r.Host + " · " + r.Finding.Headline)}
	if r.severity() != runbooks.None {
		l = append(l, T(" · "+r.severity().String()))
	}
	if r.InWork != "" {
		l = append(l, T(" · in work: "), B(r.InWork))
	}
	return l
}
