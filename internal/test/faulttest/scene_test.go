package faulttest

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"dhbot/internal/engine"
	"dhbot/internal/pause"
	"dhbot/internal/sim/slacklocal"
)

// TestScenes plays scenes that have only one correct end. The short version plays each scene in one
// world, and the long version in both worlds.
func TestScenes(t *testing.T) {
	t.Parallel()
	// Before this point the bot has made the first check. Other checks follow.
	starting := point{"commit started before", 1}
	scenes := map[string]round{
		// A vote does not count if the voter is no longer an approver.
		"approver leaves": {
			script: request("operator", "approver"), also: never(engine.Refused),
			snares: []snare{{starting, fault{name: "the approver is deactivated", do: deactivate}}},
		},
		// The approved plan differs from the current plan.
		"plan changes": {
			script: request("operator", "approver"), also: never(engine.Refused),
			snares: []snare{{starting, fault{name: "killed, and back with another config", do: comeBackChanged}}},
		},
		// Requesters cannot approve their own request, whatever their roles.
		"own vote": {script: request("approver", "approver"), also: never(engine.Waiting)},
		// The connection is lost while a command runs. The command must run only once, and the
		// process stays locked until a person closes the run.
		"fate unknown": {
			script: request("operator", "approver"), also: onceAndUnknown,
			snares: []snare{{point{"send before", 1}, fault{name: "the host drops the connection", do: func(w *world, _ *rand.Rand, _ string) {
				if err := w.hosts.Fault("infra-1", "", "drop"); err != nil {
					w.violation("%v", err)
				}
			}}}},
		},
		// Two replicas have different configs. The config of the leader decides.
		"configs differ": {script: disagree, also: oneDone},
	}
	for i, name := range slices.Sorted(maps.Keys(scenes)) {
		for n, s := range []shape{embedded, shared} {
			rd := scenes[name]
			rd.shape = s
			rd.replay = fmt.Sprintf("DHBOT_FAULT_ROUNDS=1 go test -run 'Scenes/%s/%s'", name, s)
			switch {
			case name == "configs differ" && s.Replicas == 1:
				continue
			case name != "configs differ" && !long() && i%2 != n:
				continue
			}
			t.Run(name+"/"+s.String(), func(t *testing.T) {
				t.Parallel()
				rd.play(t)
			})
		}
	}
}

// request requests a restart that needs a vote. Then a person taps Approve until the run has a
// result, or until two taps had no effect.
func request(asks, votes string) script {
	return func(ctx context.Context, p *people, _ *rand.Rand) {
		ctx, stop := context.WithTimeout(ctx, time.Minute)
		defer stop()
		var voting sync.WaitGroup
		voting.Go(func() {
			p.approve(ctx, func(string) []string { return []string{votes} })
		})
		p.ask(ctx, asks, "restart db_dis")
		for pause.For(ctx, 200*time.Millisecond) {
			if st, err := p.peek(); err == nil && (decided(st) || p.taps(votes) >= 2) {
				stop()
			}
		}
		voting.Wait()
	}
}

// decided reports whether every run has ended or has an unknown outcome.
func decided(st state) bool {
	return len(st.Runs) > 0 && !slices.ContainsFunc(st.Runs, func(s engine.Stored) bool {
		return s.Run.State != engine.Unknown && !s.Run.State.Ended()
	})
}

// taps counts how often a person tapped Approve and Slack reported that the tap was delivered.
func (p *people) taps(who string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range p.actions {
		if d.kind == "approve" && d.who == who && d.acked {
			n++
		}
	}
	return n
}

// disagree restarts one of two replicas with another config, and sends requests until the leader
// gets a request. The other replica may accept a request before it knows that the configs differ.
// Then the leader refuses the run before the run starts.
func disagree(ctx context.Context, p *people, r *rand.Rand) {
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	if err := p.configure(configChange{Monit: "[sudo, monit]"}); err != nil {
		p.violation("%v", err)
	}
	if !p.until("both replicas are connected to Slack at first", time.Minute, func() bool { return len(p.alive()) == 2 && p.slack.Connections() == 4 }) {
		return
	}
	kill(0).do(p.world, r, p.alive()[1].name)
	p.until("both replicas are connected to Slack", time.Minute, func() bool { return p.slack.Connections() == 4 })
	var voting sync.WaitGroup
	voting.Go(func() { p.approve(ctx, func(string) []string { return []string{"approver"} }) })
	for pause.For(ctx, 2*time.Second) {
		st, err := p.peek()
		switch {
		case err != nil:
		case len(inState(st, engine.Done)) > 0:
			stop()
		case len(inState(st, engine.Refused)) == len(st.Runs):
			p.ask(ctx, "operator", "restart db_dis")
		}
	}
	voting.Wait()
}

// inState returns the runs in a state.
func inState(st state, want engine.State) []engine.Stored {
	return slices.DeleteFunc(slices.Clone(st.Runs), func(s engine.Stored) bool { return s.Run.State != want })
}

// oneDone checks that one run was executed, and that all others were refused.
func oneDone(p *people, st state) {
	n, done, refused := executions(p.hosts.Executed()), len(inState(st, engine.Done)), len(inState(st, engine.Refused))
	if n != 1 || done != 1 || refused != len(st.Runs)-1 {
		p.violation("%d commands changed something, want 1; %d of %d runs are done, want 1, and %d refused", n, done, len(st.Runs), refused)
	}
}

func deactivate(w *world, _ *rand.Rand, _ string) {
	gone := true
	if _, err := w.slack.ChangePerson(slacklocal.PersonChange{User: "approver", Deleted: &gone}); err != nil {
		w.violation("%v", err)
	}
}

// comeBackChanged kills every replica, and starts it again with another monit command in its
// config.
func comeBackChanged(w *world, r *rand.Rand, _ string) {
	for _, rep := range w.alive() {
		kill(-1).do(w, r, rep.name)
	}
	if err := w.configure(configChange{Monit: "[sudo, monit]"}); err != nil {
		w.violation("%v", err)
	}
	for seat := range w.shape.Replicas {
		w.start(seat)
	}
}

// never returns a check that nothing was executed and that the run is in a certain state.
func never(want engine.State) func(*people, state) {
	return func(p *people, st state) {
		if n := executions(p.hosts.Executed()); n > 0 {
			p.violation("%d commands changed something, but none was allowed", n)
		}
		if len(st.Runs) != 1 || st.Runs[0].Run.State != want {
			p.violation("the run is not in the state %q", want)
		}
	}
}

func onceAndUnknown(p *people, st state) {
	if n := executions(p.hosts.Executed()); n != 1 {
		p.violation("%d commands changed something, want 1", n)
	}
	if len(st.Runs) != 1 || st.Runs[0].Run.State != engine.Unknown || len(st.Locks) == 0 {
		p.violation("the run is not unknown with its locks held")
	}
}
