package faulttest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dhbot/internal/engine"
	"dhbot/internal/pause"
	"dhbot/internal/sim/slacklocal"
)

// snare is a fault that is injected at a certain point.
type snare struct {
	at    point
	fault fault
}

// script does what the people do in a round.
type script func(ctx context.Context, p *people, r *rand.Rand)

// round says what happens in a round.
type round struct {
	shape  shape
	seed   uint64
	snares []snare
	script script
	also   func(p *people, st state) // checks in addition to judge; may be nil
	replay string                    // the command that repeats the round, without DHBOT_REAL and the package

	startTTL time.Duration // how long a request may stay in the queue; 0 for startTTL
}

// restTime limits how long the bot may still be busy after all faults are repaired. It includes
// startTTL, which is the longest legitimate wait, and time for a busy machine.
const restTime = 3 * time.Minute

// play plays a round and checks the result. It returns the people and the crossings.
func (rd round) play(t *testing.T) (*people, []crossing) {
	rng := rand.New(rand.NewPCG(rd.seed, 0))
	w := makeWorld(t, setup{shape: rd.shape, startTTL: rd.startTTL})
	p := &people{world: w}
	for _, s := range rd.snares {
		own := rand.New(rand.NewPCG(rd.seed, uint64(s.at.N)))
		w.watch.trap(s.at, func(replica string) { s.fault.do(w, own, replica) })
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	rd.script(ctx, p, rng)
	w.repairAll()
	st := p.restAndStop(p.rest)
	cancel()
	p.judge(st)
	if rd.also != nil {
		rd.also(p, st)
	}
	rd.report(t, p, st)
	return p, w.watch.crossings()
}

// repairAll ends every fault.
func (w *world) repairAll() {
	w.repairs.Wait()
	for _, h := range w.hosts.Hosts() {
		if err := w.hosts.Fault(h.Name, "", "clear"); err != nil {
			w.violation("%v", err)
		}
	}
	if err := w.slack.Inject(slacklocal.Fault{Kind: "clear"}); err != nil {
		w.violation("%v", err)
	}
	if len(w.alive()) == 0 {
		w.start(0)
	}
}

// stopsTried limits how often restAndStop stops the bot, because a message may not be up to date
// when the bot stops.
const stopsTried = 3

// restAndStop waits until the bot has nothing left to do, stops it, and returns the stored state.
// If the bot stops during an edit, or was suspended, a message may still be marked as not up to
// date. The next start edits the message again, so restAndStop starts the bot once more.
func (p *people) restAndStop(rest func() state) state {
	st := rest()
	for tries := 1; ; tries++ {
		p.stopAll()
		last, err := p.lastState()
		if err != nil {
			p.violation("the store cannot be read afterwards: %v", err)
			return st
		}
		if !behind(last) || tries == stopsTried {
			return last
		}
		p.goOn()
		p.start(0)
		st = rest()
	}
}

// behind reports whether a message is marked as not up to date.
func behind(st state) bool {
	return slices.ContainsFunc(st.Runs, func(s engine.Stored) bool {
		post := st.Posts[s.Run.ID]
		return post.TS != "" && post.Rev == 0
	})
}

// rest waits until the bot has nothing left to do.
func (p *people) rest() state { return p.restWithin(restTime) }

func (p *people) restWithin(most time.Duration) state {
	var st state
	why := "no replica answered"
	for end := time.Now().Add(most); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if len(p.alive()) == 0 {
			p.start(0) // a fault that came late killed the replica, or it ended on its own
		}
		got, err := p.peek()
		if err != nil {
			why = err.Error()
			continue
		}
		st = got
		if why = atRest(st); why == "" {
			return st
		}
	}
	p.violation("not at rest %s after the repair of all faults: %s", most, why)
	return st
}

// report fails the test on any violation, and prints what helps to find the cause.
func (rd round) report(t testing.TB, p *people, st state) {
	p.world.mu.Lock()
	wrong := slices.Clone(p.wrong)
	p.world.mu.Unlock()
	log := p.logs()
	if os.Getenv("DHBOT_FAULT_LOG") != "" {
		t.Logf("%s", log)
	}
	if len(wrong) == 0 {
		return
	}
	var b strings.Builder
	for line := range strings.Lines(log) {
		if strings.Contains(line, "level=ERROR") || strings.HasPrefix(line, "error:") {
			b.WriteString("\n  " + strings.TrimSpace(line))
		}
	}
	for _, v := range wrong {
		fmt.Fprintf(&b, "\n  VIOLATION %s", v)
	}
	fmt.Fprintf(&b, "\n%s; play it again: DHBOT_REAL=1 %s ./internal/test/faulttest", rd.shape, rd.replay)
	for _, s := range rd.snares {
		fmt.Fprintf(&b, "\n  %s at %q", s.fault.name, s.at)
	}
	for _, s := range st.Runs {
		fmt.Fprintf(&b, "\n  %s %q %s: %s (%s) revision %d, message %+v", s.Run.ID, s.Run.Reason, s.Run.Plan.Title, s.Run.State, s.Run.Why, s.Rev, st.Posts[s.Run.ID])
	}
	path := p.watch.crossings()
	for _, c := range path[max(0, len(path)-400):] {
		fmt.Fprintf(&b, "\n  %s %s %s", c.at.Format("15:04:05.000"), c.replica, c.point)
	}
	t.Errorf("%s", b.String())
}

// plain is the script of the crash points. One restart needs a vote: the requester votes, someone
// votes twice, and two approvers vote. Another restart needs no vote. It is requested by a mention
// that Slack delivers twice. The script also requests a status.
func plain(ctx context.Context, p *people, _ *rand.Rand) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var others sync.WaitGroup
	others.Go(func() { p.approve(ctx, func(string) []string { return []string{"approver", "approver", "approver2"} }) })
	p.status("reader", "status db_dis")
	p.ask(ctx, "operator", "restart db_dis")
	p.mention("approver", "restart db_ltds")
	_ = p.slack.Inject(slacklocal.Fault{Kind: "redeliver", Count: 2})
	p.settleDown(ctx)
	stop()
	others.Wait()
}

// settleDown waits until no card waits for a vote and every request has a result. It gives up after
// a time limit.
func (p *people) settleDown(ctx context.Context) {
	patience, cancel := context.WithTimeout(ctx, 25*time.Second)
	defer cancel()
	for pause.For(patience, 200*time.Millisecond) {
		if st, err := p.peek(); err == nil && atRest(st) == "" && !waitsForVotes(st) && p.asksDone(st) {
			return
		}
	}
}

func waitsForVotes(st state) bool {
	return slices.ContainsFunc(st.Runs, func(s engine.Stored) bool { return s.Run.State == engine.Waiting })
}

func (p *people) asksDone(st state) bool {
	p.mu.Lock()
	actions := slices.Clone(p.actions)
	p.mu.Unlock()
	return !slices.ContainsFunc(actions, func(d *action) bool { return d.kind == "ask" && d.acked && d.answer == "" && !p.seen(d, st) })
}
