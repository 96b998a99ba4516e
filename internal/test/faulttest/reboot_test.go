package faulttest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"dhbot/internal/engine"
	"dhbot/internal/sim/slacklocal"
	"dhbot/runbooks"
)

// patience is how long each step of this test may take, even on a busy machine.
const patience = 5 * time.Minute

// TestPatchGoesOnAfterReboots reboots the bot's host twice during a rolling patch: while a person
// installs the package, and while a command runs. The patch continues, and does not repeat steps
// that were verified.
func TestPatchGoesOnAfterReboots(t *testing.T) {
	gateOnly(t)
	t.Parallel()
	w := newWorld(t, embedded)
	p := &people{world: w}
	p.types("operator", "rolling-patch because "+p.newTag())
	first := p.run("the patch waits for approvals", func(r engine.Run) bool { return r.State == engine.Waiting })
	p.approveByName(first)

	p.tick(first.ID, "no process is left")
	p.run("the package is to be installed", at("install the package"))
	reboot(w)
	p.run("the package is still to be installed", at("install the package"))
	p.allSlack()

	// The first of two query nodes receives "start all". The bot's host goes down before the node
	// answers.
	var lost string
	w.watch.trap(point{"send after", len(w.changes()) + 3}, func(string) {
		lost = w.changes()[len(w.changes())-1]
		reboot(w)
	})
	p.tick(first.ID, "install the package")
	unknown := p.run("the fate of a step is unknown", func(r engine.Run) bool { return r.State == engine.Unknown && r.ProbedAt != nil })
	p.allSlack()
	p.types("approver", "close "+unknown.ID+" looked at the host, the process did start")
	p.run("the patch is closed", func(r engine.Run) bool { return r.State == engine.Closed })

	step := 1 + slices.IndexFunc(unknown.Steps, func(s engine.Step) bool { return s.State == engine.StepUnknown })
	p.click("operator", unknown.ID, fmt.Sprintf("Continue from step %d", step))
	rest := p.run("the rest waits for approvals", func(r engine.Run) bool { return r.ID != first.ID && r.State == engine.Waiting })
	if c := rest.Inputs.Continue; len(c) != 1 || c[0].Run != first.ID || c[0].From != step || len(rest.Votes) != 0 {
		t.Errorf("the new run continues %+v with %d approvals; want step %d of %s and no approvals", c, len(rest.Votes), step, first.ID)
	}
	p.approveByName(rest)
	p.tick(rest.ID, "stand-alone servers")
	done := p.run("the patch is done", func(r engine.Run) bool { return r.ID == rest.ID && r.State == engine.Done })
	if len(done.Votes) != 2 {
		t.Errorf("the run of the remaining steps had %d approvals", len(done.Votes))
	}

	st := p.restAndStop(func() state { return p.restWithin(patience) })
	p.judgeTrail(st)
	p.judgeCommands(st)
	p.judgeLocks(st)
	p.judgeMessages(st)
	sent := map[string]int{}
	for _, c := range w.changes() {
		sent[c]++
	}
	for _, s := range first.Plan.Steps {
		c := s.Host + ": " + s.Sent
		if n := sent[c]; s.Kind == runbooks.Exec && n != 1 && (c != lost || n != 2) {
			p.violation("%q was sent %d times", c, n)
		}
	}
	if lost == "" {
		p.violation("no command was running at the second reboot")
	}
	round{shape: embedded, replay: "go test -run PatchGoesOn"}.report(t, p, st)
}

// reboot kills the bot and starts it again. Only the stored state remains.
func reboot(w *world) {
	for _, r := range w.alive() {
		kill(0).do(w, rand.New(rand.NewPCG(0, 0)), r.name)
	}
}

// allSlack waits until the bot is connected to Slack again.
func (p *people) allSlack() {
	p.need("the bot is connected to Slack", func() bool { return len(p.alive()) == 1 && p.slack.Connections() == 2 })
}

// changes returns the executed commands that change something on a host, in order.
func (w *world) changes() (out []string) {
	for _, x := range w.hosts.Executed() {
		if x.Changes {
			out = append(out, x.Host+": "+x.Line)
		}
	}
	return out
}

// need waits until a condition holds, or fails the test after some time.
func (p *people) need(what string, ok func() bool) {
	p.t.Helper()
	if !p.until(what, patience, ok) {
		st, _ := p.peek()
		round{shape: p.shape, replay: "go test -run PatchGoesOn"}.report(p.t, p, st)
		p.t.FailNow()
	}
}

// run waits until a run meets a condition and its message is up to date.
func (p *people) run(what string, is func(engine.Run) bool) (out engine.Run) {
	p.t.Helper()
	p.need(what, func() bool {
		st, err := p.peek()
		if err != nil {
			return false
		}
		i := slices.IndexFunc(st.Runs, func(s engine.Stored) bool { return is(s.Run) && st.Posts[s.Run.ID].Rev >= s.Rev })
		if i >= 0 {
			out = st.Runs[i].Run
		}
		return i >= 0
	})
	return out
}

// at returns a condition: the run waits for a person to do the step with this title.
func at(title string) func(engine.Run) bool {
	return func(r engine.Run) bool {
		i := slices.IndexFunc(r.Steps, func(s engine.Step) bool { return s.State == engine.StepStarted })
		return r.State == engine.Paused && i >= 0 && r.Plan.Steps[i].Title == title
	}
}

// types sends a slash command, and repeats it as long as Slack reports a failure. If the first
// attempt was delivered nevertheless, the bot refuses the second.
func (p *people) types(who, text string) {
	p.t.Helper()
	p.need(who+" types "+text, func() bool { return p.typed(who, text) })
}

func (p *people) typed(who, text string) bool {
	a, err := p.slack.Slash(slacklocal.SlashCommand{User: who, Channel: channel, Text: text})
	if err != nil {
		p.violation("%s types %q: %v", who, text, err)
	}
	if err == nil && !a.OK {
		time.Sleep(askPause)
	}
	return err == nil && a.OK
}

// approveByName makes both approvers type an approve command that names the run and its target.
func (p *people) approveByName(r engine.Run) {
	p.t.Helper()
	for _, who := range []string{"approver", "approver2"} {
		p.types(who, "approve "+r.ID+" prod")
	}
}

// tick completes a manual step, once the run has reached it. Before it repeats the command, it
// gives the run time to continue, because the next step may be manual too.
func (p *people) tick(id, title string) {
	p.t.Helper()
	there := func(r engine.Run) bool { return r.ID == id && at(title)(r) }
	p.run(title, there)
	p.need(title+" is ticked", func() bool {
		if p.typed("operator", "done "+id) {
			return true
		}
		for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(askPause) {
			st, err := p.peek()
			if err == nil && !slices.ContainsFunc(st.Runs, func(s engine.Stored) bool { return there(s.Run) }) {
				return true
			}
		}
		return false
	})
}

// click taps a button on the message of a run.
func (p *people) click(who, id, label string) {
	p.t.Helper()
	st, err := p.peek()
	if err != nil {
		p.t.Fatal(err)
	}
	list, err := p.slack.Messages(channel, who)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, m := range list {
		for _, b := range m.Buttons() {
			if m.TS == st.Posts[id].TS && b.Label == label {
				p.need(who+" taps "+label, func() bool {
					a, err := p.slack.Click(slacklocal.Click{User: who, Channel: m.Channel, TS: m.TS, ActionID: b.ActionID, BlockID: b.BlockID, Value: b.Value})
					return err != nil || a.OK // the tap was delivered and the button is gone
				})
				return
			}
		}
	}
	var shown []string
	for _, m := range list {
		shown = append(shown, strings.SplitN(m.Text, "\n", 2)[0])
	}
	p.violation("no message of %s has the button %q: %q", id, label, shown)
}
