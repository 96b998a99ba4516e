package hostsim

import (
	"fmt"
	"time"
)

// unitState is the state of a unit, which combines the active state and the sub state in systemd.
type unitState uint8

const (
	unitDead     unitState = iota // inactive (dead)
	unitStarting                  // activating (start)
	unitRunning                   // active (running)
	unitRetrying                  // activating (auto-restart)
	unitFailed                    // failed
)

// unit is a systemd service: dh-etcd or mariadb.
type unit struct {
	id      string // catalog id
	name    string // without ".service"
	host    *machine
	enabled bool

	state    unitState
	since    time.Time     // when the unit entered this state
	ran      time.Duration // active time before the stop
	started  time.Time     // when the current or last main process started
	pid      int           // main process; 0: none
	lastPID  int
	due      time.Time // when the unit next changes on its own; zero: never
	deadline time.Time // deadline of a start
	result   string    // "success", "exit-code", "signal" or "timeout"
	retries  int
	failures int // failed starts in total
	journal  []journalLine

	failStart bool
	slowStart time.Duration
}

type journalLine struct {
	at   time.Time
	from string // "systemd[1]", "etcd[412]"
	text string
}

func newUnit(m *machine, id string, running bool, at time.Time) *unit {
	u := &unit{id: id, name: id, host: m, enabled: running, result: "success"}
	if id == etcdID {
		u.name = "dh-etcd"
	}
	if running {
		u.exec(at)
		u.serve(at)
	}
	return u
}

// start begins to start the unit, unless it already runs or starts.
func (u *unit) start(at time.Time) {
	if u.state == unitRunning || u.state == unitStarting {
		return
	}
	u.retries = 0
	u.exec(at)
}

// exec launches the main process.
func (u *unit) exec(at time.Time) {
	takes := u.host.took.mariaStart
	if u.id == etcdID {
		takes = u.host.took.etcdStart
	}
	u.enter(unitStarting, at)
	u.pid = u.host.newPID()
	u.lastPID, u.started, u.result = u.pid, at, "success"
	u.due, u.deadline = at.Add(max(takes, u.slowStart)), at.Add(u.host.took.unitTimeout)
	u.say(at, "systemd[1]", fmt.Sprintf("Starting %s.service - %s...", u.name, u.title()))
}

// serve marks the unit as active.
func (u *unit) serve(at time.Time) {
	u.enter(unitRunning, at)
	u.due = time.Time{}
	if u.id == etcdID {
		u.say(at, fmt.Sprintf("etcd[%d]", u.pid), fmt.Sprintf(
			`{"level":"info","ts":"%s","caller":"embed/serve.go:201","msg":"serving client traffic securely","address":"%s:2379"}`,
			at.UTC().Format("2006-01-02T15:04:05.000Z"), u.host.ip()))
	}
	u.say(at, "systemd[1]", fmt.Sprintf("Started %s.service - %s.", u.name, u.title()))
}

// stop stops the unit cleanly. systemd does not restart it then.
func (u *unit) stop(at time.Time) {
	if u.state == unitDead || u.state == unitFailed {
		return
	}
	u.ran = 0
	if u.state == unitRunning {
		u.ran = at.Sub(u.since)
	}
	u.enter(unitDead, at)
	u.pid, u.due, u.result = 0, time.Time{}, "success"
	u.say(at, "systemd[1]", fmt.Sprintf("Stopping %s.service - %s...", u.name, u.title()))
	u.say(at, "systemd[1]", u.name+".service: Deactivated successfully.")
	u.say(at, "systemd[1]", fmt.Sprintf("Stopped %s.service - %s.", u.name, u.title()))
}

// kill sends SIGKILL to the main process. systemd restarts the unit later.
func (u *unit) kill(at time.Time) {
	if u.pid == 0 {
		return
	}
	u.say(at, "systemd[1]", u.name+".service: Main process exited, code=killed, status=9/KILL")
	u.fail(at, "signal")
}

func (u *unit) fail(at time.Time, result string) {
	u.pid, u.result = 0, result
	if u.id == mariadbID && result != "signal" { // Restart=on-abort
		u.enter(unitFailed, at)
		u.due = time.Time{}
	} else { // dh-etcd has Restart=always
		u.enter(unitRetrying, at)
		u.due = at.Add(u.host.took.unitRetry)
	}
	u.say(at, "systemd[1]", fmt.Sprintf("%s.service: Failed with result '%s'.", u.name, result))
}

// step does what is due at this time: it ends a start, or begins the next try. The start of an etcd
// member succeeds only when the cluster has a quorum (Type=notify). Without a quorum, the start
// fails at the unit's deadline.
func (u *unit) step(at time.Time, w *world) {
	switch u.state {
	case unitStarting:
		switch {
		case u.failStart:
			u.failures++
			u.say(at, "systemd[1]", u.name+".service: Main process exited, code=exited, status=1/FAILURE")
			u.fail(at, "exit-code")
			u.say(at, "systemd[1]", fmt.Sprintf("Failed to start %s.service - %s.", u.name, u.title()))
		case u.id != etcdID || w.quorum():
			u.serve(at)
		case !at.Before(u.deadline):
			u.failures++
			u.fail(at, "timeout")
			u.say(at, "systemd[1]", fmt.Sprintf("Failed to start %s.service - %s.", u.name, u.title()))
		default:
			u.due = at.Add(100 * time.Millisecond)
		}
	case unitRetrying:
		u.retries++
		u.exec(at)
	case unitDead, unitRunning, unitFailed:
		u.due = time.Time{}
	}
}

func (u *unit) enter(s unitState, at time.Time) { u.state, u.since = s, at }

func (u *unit) title() string {
	if u.id == etcdID {
		return "Deephaven etcd key-value store"
	}
	return "MariaDB 10.11.18 database server"
}

func (u *unit) say(at time.Time, from, text string) {
	u.journal = append(u.journal, journalLine{at, from, text})
	u.journal = u.journal[max(0, len(u.journal)-500):]
}
