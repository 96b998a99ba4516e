package hostsim

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// moment is one line of a measured timeline: the status in monit and the running process.
type moment struct {
	At         time.Duration
	Status     string
	Monitoring string
	MonitPID   string // "A" is the first pid of the timeline, "B" the next one
	RealPID    string
}

func (m moment) same(n moment) bool {
	return m.Status == n.Status && m.Monitoring == n.Monitoring && m.MonitPID == n.MonitPID && m.RealPID == n.RealPID
}

var timelineLine = regexp.MustCompile(`^ *(\d+) ms  (?:before   )?status=\[(.*?)\] monitoring=\[(.*?)\] monit_pid=\[(.*?)\] uptime=\[.*?\] data=\[.*?\] real_pid=\[(.*?)\]`)

// letters gives each pid a letter, in the order in which the pids appear.
type letters map[string]string

func (l letters) of(pid string) string {
	if pid == "" || pid == "0" || strings.HasSuffix(pid, "(dead)") {
		return ""
	}
	if l[pid] == "" {
		l[pid] = string(rune('A' + len(l)))
	}
	return l[pid]
}

// readTimeline reads a timeline measured on a real host.
func readTimeline(t *testing.T, name string) []moment {
	t.Helper()
	raw, err := os.ReadFile("testdata/timelines/" + name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []moment
	pids := letters{}
	for line := range strings.Lines(string(raw)) {
		f := timelineLine.FindStringSubmatch(line)
		if f == nil {
			continue
		}
		ms, err := strconv.Atoi(f[1])
		if err != nil {
			t.Fatal(err)
		}
		m := moment{time.Duration(ms) * time.Millisecond, f[2], f[3], pids.of(f[4]), ""}
		m.RealPID = pids.of(f[5])
		if n := len(out); n == 0 || !out[n-1].same(m) {
			out = append(out, m)
		}
	}
	return out
}

// watch records the state of a process, calls act, and then records each new state for the time
// how. It leaves out later states of less than 60 ms, because the measurements over SSH did not see
// them.
func watch(w *world, p *process, how time.Duration, act func()) []moment {
	pids := letters{}
	began := w.now
	look := func() moment {
		m := moment{At: w.now.Sub(began), Status: p.status()}
		m.Monitoring = map[monitoring]string{notMonitored: "Not monitored", initializing: "Initializing", monitored: "Monitored"}[p.mode]
		if p.mode == monitored {
			m.MonitPID = pids.of(fmt.Sprint(p.seen.pid))
		}
		m.RealPID = pids.of(fmt.Sprint(p.pid))
		return m
	}
	all := []moment{look()}
	act()
	for w.now.Sub(began) < how {
		w.later(5 * time.Millisecond)
		if m := look(); !m.same(all[len(all)-1]) {
			all = append(all, m)
		}
	}
	var out []moment
	for i, m := range all {
		if i > 0 && i+1 < len(all) && all[i+1].At-m.At < 60*time.Millisecond {
			continue
		}
		if n := len(out); n == 0 || !out[n-1].same(m) {
			out = append(out, m)
		}
	}
	return out
}

// TestTimelines compares the model with measurements of real hosts. It wants the same states in the
// same order, at about the same times.
func TestTimelines(t *testing.T) {
	ask := func(w *world, verb, process string) {
		if a := w.toEnd("infra", "sudo -u irisadmin monit "+verb+" "+process); a.exit != 0 || a.out+a.err != "" {
			t.Errorf("monit %s %s: %+v", verb, process, a)
		}
	}
	for _, tc := range []struct {
		name, process string
		set           func(w *world, p *process)
		act           func(w *world, p *process)
		program       time.Duration
		drift         time.Duration // largest difference of the times
	}{
		{name: "restart-normal", process: "db_dis"},
		{name: "restart-slow-stop", process: "db_dis", set: func(_ *world, p *process) { p.slowStop = 8 * time.Second }},
		{name: "restart-slow-start-program", process: "db_dis", program: 60 * time.Second, set: func(_ *world, p *process) { p.slowStart = 15 * time.Second }},
		{name: "restart-fail-start", process: "db_ltds", program: 60 * time.Second, set: func(_ *world, p *process) { p.failStart = true }},
		{name: "restart-stop-fails", process: "db_dis", set: func(_ *world, p *process) { p.stopFails = true }},
		{name: "restart-unmonitored", process: "db_ltds", set: func(_ *world, p *process) { p.forget(notMonitored) }},
		{name: "restart-stopped", process: "status_dashboard", set: func(w *world, p *process) { p.forget(notMonitored); p.die(w.now) }},
		{name: "restart-connection-failed", process: "web_api_service", set: func(w *world, p *process) { p.portDead = true; w.later(11 * time.Second) }},
		{name: "restart-queued", process: "db_ltds", drift: 1500 * time.Millisecond, set: func(w *world, _ *process) {
			w.machine("infra").process("db_dis").slowStart = 10 * time.Second
			ask(w, "restart", "db_dis")
			w.later(1300 * time.Millisecond)
		}},
		{name: "start", process: "db_ltds", set: func(w *world, p *process) { p.forget(notMonitored); p.die(w.now) },
			act: func(w *world, _ *process) { ask(w, "start", "db_ltds") }},
		{name: "stop", process: "db_ltds", act: func(w *world, _ *process) { ask(w, "stop", "db_ltds") }},
		{name: "unmonitor", process: "db_ltds", act: func(w *world, _ *process) { ask(w, "unmonitor", "db_ltds") }},
		{name: "crash-kill9", process: "db_dis", act: func(w *world, p *process) { p.die(w.now) }},
		{name: "crash-loop", process: "tailer1", drift: 2 * time.Second,
			set: func(w *world, p *process) { p.crashLoop = true; w.later(1600 * time.Millisecond); p.die(w.now) }, act: func(*world, *process) {}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := readTimeline(t, tc.name)
			if tc.program == 0 {
				tc.program = 15 * time.Second
			}
			if tc.drift == 0 {
				tc.drift = 500 * time.Millisecond
			}
			if tc.act == nil {
				tc.act = func(w *world, p *process) { ask(w, "restart", p.name) }
			}
			w := newWorld(Current, sampleHosts(), measured(5*time.Second, tc.program, 1), start0)
			w.later(5500 * time.Millisecond)
			p := w.machine("infra").process(tc.process)
			if tc.set != nil {
				tc.set(w, p)
			}
			got := watch(w, p, want[len(want)-1].At+2*time.Second, func() { tc.act(w, p) })
			compareTimelines(t, want, got, tc.drift)
		})
	}
}

func compareTimelines(t *testing.T, want, got []moment, drift time.Duration) {
	t.Helper()
	got = got[:min(len(got), len(want))] // the measurement ended here
	for i := range want {
		if i < len(got) && (want[i].At-got[i].At).Abs() <= drift {
			got[i].At = want[i].At
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-measured +simulated):\n%s", d)
	}
}
