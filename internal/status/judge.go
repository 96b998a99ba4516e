package status

import (
	"fmt"
	"time"

	"dhbot/internal/observe"
	"dhbot/runbooks"
)

// judge compares the observations with the expected states, and puts the findings on the board.
func (l *look) judge() {
	b := &l.board
	b.At = l.Now()
	b.Unrecorded = l.facts.err != nil
	b.Maintenance = l.facts.maintenance
	for _, rows := range [][]Row{b.Rows, b.Upstream} {
		for i := range rows {
			l.facts.mark(l.scope.cluster.Name, &rows[i])
			l.judgeRow(&rows[i])
		}
	}
	l.judgeEtcd()
	l.markUpstream()
	b.Hosts = append(l.busyHosts(), l.unlisted()...)
}

func (l *look) judgeRow(r *Row) {
	if r.Pending {
		return
	}
	if l.query.NotUp != nil {
		r.NotUp = l.query.NotUp(r.Target())
	}
	cl := l.scope.cluster
	k := key{cl.Name, r.Target()}
	_, scheduled := cl.Up[r.Process.ID]
	e := observe.Expect{
		Up: cl.ShouldBeUp(r.Process.ID, l.Now()), Level: r.Process.Level, Maintenance: r.Maintenance != nil, Since: r.NotUp,
		Optional: !scheduled && l.scope.catalog.Optional(r.Process.ID, cl.ACLs),
		Loop:     l.history.loop(k, r.Observation.At),

		StartFailed: l.history.startFailed(k),
		Cycle:       l.history.cycle(cl.Name, r.Host),
	}
	if r.Stopped != nil {
		e.Stopped = fmt.Sprintf("%s with %s, %s ago", r.Stopped.By, r.Stopped.Run, ago(l.Now().Sub(r.Stopped.At)))
	}
	r.Finding = observe.Assess(r.Observation, e)
	if r.Log != nil {
		r.Finding = observe.WithLog(r.Finding, r.Observation, e, *r.Log)
	}
}

// ago formats how long something has lasted, for people.
func ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", max(0, int(d.Seconds())))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	default:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
}

// busyHosts returns a finding for each host whose monit has not checked anything for a while. monit
// has a single worker, which a hanging start or stop blocks. In the meantime, the bot judges the
// host's processes by their pids.
func (l *look) busyHosts() []HostFinding {
	var out []HostFinding
	least := map[string]time.Duration{}
	var order []string
	for _, r := range l.board.Rows {
		o := r.Observation
		if r.Pending || !o.AgeKnown || o.Manager != runbooks.Monit {
			continue
		}
		if age, there := least[r.Host]; !there || o.Age < age {
			if !there {
				order = append(order, r.Host)
			}
			least[r.Host] = o.Age
		}
	}
	for _, host := range order {
		if age := least[host]; age > l.history.stale(l.scope.cluster.Name, host) {
			out = append(out, HostFinding{
				Host: host, Code: observe.FoundMonitBusy, Severity: runbooks.Low,
				Headline: fmt.Sprintf("monit has checked nothing for %s", ago(age)),
				Text:     "monit has a single worker, and a start or stop that hangs blocks it. While it is blocked, monit does not restart processes that die. The states shown here come from the pids of the processes",
			})
		}
	}
	return out
}
