package faulttest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"time"

	"dhbot/internal/sim/slacklocal"
)

// fault is injected when a replica crosses a point. Once do has returned, the fault is in effect.
// It ends on its own.
type fault struct {
	name string
	fits func(shape) bool // nil: fits every shape
	do   func(w *world, r *rand.Rand, replica string)
}

// kill returns a fault that kills a replica, and starts it again after the time back. If back is
// negative, the replica stays down, unless no other replica is alive.
func kill(back time.Duration) fault {
	return fault{name: fmt.Sprintf("kill -9, back after %s", back), do: func(w *world, _ *rand.Rand, name string) {
		r := w.byName(name)
		if r == nil {
			return
		}
		_ = r.cmd.Process.Signal(syscall.SIGKILL)
		<-r.ended
		switch {
		case back >= 0:
			w.later(back, func() { w.start(r.seat) })
		case len(w.alive()) == 0: // at least one replica must run to receive what people do
			w.later(time.Second, func() { w.start(r.seat) })
		}
	}}
}

// later calls do after a delay, to repair a fault. The round does not end before do has returned.
func (w *world) later(d time.Duration, do func()) {
	w.repairs.Go(func() { time.Sleep(d); do() })
}

// between returns a random duration from a to b.
func between(r *rand.Rand, a, b time.Duration) time.Duration {
	return a + time.Duration(r.Int64N(int64(b-a)))
}

func several(s shape) bool { return s.Members > 0 }

// faults returns the faults that random rounds choose from.
func faults() []fault {
	list := []fault{
		{name: "kill -9", do: func(w *world, r *rand.Rand, name string) {
			kill(between(r, 100*time.Millisecond, 3*time.Second)).do(w, r, name)
		}},
		{name: "kill -9 for good", fits: several, do: func(w *world, r *rand.Rand, name string) { kill(-1).do(w, r, name) }},
		{name: "SIGTERM", do: func(w *world, r *rand.Rand, name string) {
			if rep := w.byName(name); rep != nil {
				_ = rep.cmd.Process.Signal(syscall.SIGTERM)
				w.repairs.Go(func() { <-rep.ended; w.start(rep.seat) })
			}
		}},
		{name: "SIGSTOP for longer than the lease", do: freezeReplica},
		{name: "etcd killed", fits: several, do: func(w *world, r *rand.Rand, _ string) {
			i := r.IntN(len(w.etcd.members))
			w.etcd.stop(i)
			w.later(between(r, 200*time.Millisecond, 5*time.Second), func() {
				if err := w.etcd.start(i); err != nil {
					w.violation("%v", err)
				}
			})
		}},
		{name: "etcd without quorum", fits: func(s shape) bool { return s.Members == 3 }, do: func(w *world, r *rand.Rand, _ string) {
			for i := range 2 {
				w.etcd.freeze(i)
			}
			w.later(between(r, 500*time.Millisecond, 6*time.Second), func() {
				for i := range 2 {
					w.etcd.thaw(i)
				}
			})
		}},
		{name: "etcd stalled", fits: several, do: func(w *world, r *rand.Rand, _ string) {
			i := r.IntN(len(w.etcd.members))
			w.etcd.freeze(i)
			w.later(between(r, 200*time.Millisecond, 4*time.Second), func() { w.etcd.thaw(i) })
		}},
	}
	return append(append(list, slackFaults()...), hostFaults()...)
}

// freezeReplica suspends the process of a replica for longer than its lease, so that another
// replica can take over. Then it resumes the process.
func freezeReplica(w *world, r *rand.Rand, name string) {
	rep := w.byName(name)
	if rep == nil {
		return
	}
	_ = rep.cmd.Process.Signal(syscall.SIGSTOP)
	w.later(leaseTTL+between(r, time.Second, 4*time.Second), func() { _ = rep.cmd.Process.Signal(syscall.SIGCONT) })
}

func slackFaults() []fault {
	var out []fault
	for _, f := range []slacklocal.Fault{
		{Kind: "disconnect", Reason: "warning"}, {Kind: "disconnect", Reason: "refresh_requested"},
		{Kind: "disconnect", Reason: "link_disabled"}, {Kind: "disconnect", Reason: "too_many_websockets"},
		{Kind: "cut"}, {Kind: "cut", Connections: 1}, {Kind: "deaf", Connections: 1}, {Kind: "drop-acks", Count: 3},
		{Kind: "stall", MS: 2500}, {Kind: "slow", MS: 1500, Count: 5}, {Kind: "ratelimit", RetryAfter: 1, Count: 3},
		{Kind: "api-error", Error: "internal_error", Count: 2}, {Kind: "api-error", Error: "service_unavailable", Count: 4},
	} {
		name := strings.Join(strings.Fields(fmt.Sprintf("Slack: %s %s %s", f.Kind, f.Reason, f.Error)), " ")
		out = append(out, fault{name: name, do: func(w *world, _ *rand.Rand, _ string) {
			if err := w.slack.Inject(f); err != nil {
				w.violation("fault %s: %v", name, err)
			}
			if f.Kind == "deaf" {
				w.later(5*time.Second, func() { _ = w.slack.Inject(slacklocal.Fault{Kind: "cut"}) })
			}
		}})
	}
	return append(out, fault{name: "Slack: redelivery", do: func(w *world, _ *rand.Rand, _ string) {
		_ = w.slack.Inject(slacklocal.Fault{Kind: "redeliver", Count: 3}) // an error only means that there is no event yet to repeat
	}})
}

func hostFaults() []fault {
	host := func(name string, least, most time.Duration, args ...string) fault {
		return fault{name: "hosts: " + name, do: func(w *world, r *rand.Rand, _ string) {
			which := []string{"infra-1", "query-1", "query-2"}[r.IntN(3)]
			if err := w.hosts.Fault(which, "", name, args...); err != nil {
				w.violation("fault %s: %v", name, err)
			}
			w.later(between(r, least, most), func() { _ = w.hosts.Fault(which, "", "clear") })
		}}
	}
	return []fault{
		host("drop", 2*time.Second, 4*time.Second), host("freeze", time.Second, 8*time.Second), host("down", time.Second, 4*time.Second),
		host("slow", time.Second, 4*time.Second, "1s"), host("monit-hung", time.Second, 4*time.Second), host("sudo-refused", time.Second, 3*time.Second),
	}
}
