package hostsim

import (
	"fmt"
	"slices"
	"time"
)

// action is an action of monit on a service. While it is pending, the status of the service is this
// word and "pending".
type action string

const (
	noAction  action = ""
	restart   action = "restart"
	start     action = "start"
	stop      action = "stop"
	monitor   action = "monitor"
	unmonitor action = "unmonitor"
)

// daemonState is the state of monit's daemon.
type daemonState uint8

const (
	daemonUp daemonState = iota
	daemonStopped
	daemonHung // the process exists and does nothing
)

// monit gives up after this many of its own restarts within restartWindow
// validations: "if 5 restarts within 10 cycles then unmonitor".
const (
	restartLimit  = 5
	restartWindow = 10
)

// supervisor is monit's daemon. It does one thing at a time: it carries out an action, checks all
// services in turn, or sleeps until the next cycle. Requests wait until an action or a check is
// done.
type supervisor struct {
	host   *machine
	state  daemonState
	pid    int
	booted time.Time
	round  int        // number of the current validation
	todo   []*process // processes not yet checked in this validation
	busy   bool       // a validation is in progress
	stale  bool       // actions were carried out since the last validation
	queue  []*process // processes with a pending action, oldest first
	job    *job
	cycle  time.Time // when the next validation begins
	held   []request // requests to a hung daemon, carried out when it wakes
	log    []string  // /var/log/monit.log
}

type request struct {
	process *process
	action  action
}

// job is one action in progress.
type job struct {
	process *process
	action  action
	own     bool // monit's own restart: the process was missing
	phase   phase
	until   time.Time
}

type phase uint8

const (
	stopping  phase = iota // the stop program runs
	launching              // the start program runs
	failing                // the start program failed; monit waits for its timeout
	settling               // the process exists; monit has not checked it yet
)

func newSupervisor(m *machine, now time.Time) *supervisor {
	return &supervisor{host: m, pid: m.newPID(), booted: m.booted, cycle: now}
}

// next returns the time when the daemon next acts on its own, or the zero time if it never does.
func (d *supervisor) next() time.Time {
	switch {
	case d.state != daemonUp:
		return time.Time{}
	case d.job != nil:
		return d.job.until
	default:
		return d.cycle
	}
}

// step does what the daemon has to do at this time.
func (d *supervisor) step(at time.Time) {
	if d.job != nil {
		d.carryOn(at)
	} else {
		d.validate(at)
	}
	d.work(at)
}

// ask requests an action on a process. It replaces an action on the process that still waits. It is
// ignored while another requested action on the process is in progress. A hung daemon keeps the
// request until it wakes.
func (d *supervisor) ask(p *process, a action, at time.Time) {
	if d.state == daemonHung {
		d.held = append(d.held, request{p, a})
		return
	}
	d.note(at, "info", "'%s' %s on user request", p.name, a)
	d.note(at, "info", "Monit daemon with PID %d awakened", d.pid)
	if d.job != nil && d.job.process == p && !d.job.own {
		return
	}
	if p.pending == noAction {
		d.queue = append(d.queue, p)
	}
	p.pending = a
	d.work(at)
}

// work checks services and begins actions, until an action takes time or nothing is left to do.
func (d *supervisor) work(at time.Time) {
	for d.job == nil {
		switch {
		case len(d.todo) > 0:
			p := d.todo[0]
			d.todo = d.todo[1:]
			d.look(p, at)
		case d.busy:
			d.busy, d.cycle = false, at.Add(d.host.took.cycle)
		case len(d.queue) > 0:
			p := d.queue[0]
			d.queue = d.queue[1:]
			d.stale = true
			d.begin(p, at)
		case d.stale:
			d.validate(at)
		default:
			return
		}
	}
}

// validate begins a check of every service.
func (d *supervisor) validate(at time.Time) {
	d.round++
	d.todo, d.busy, d.stale = slices.Clone(d.host.procs), true, false
}

// begin begins the pending action of p.
func (d *supervisor) begin(p *process, at time.Time) {
	j := &job{process: p, action: p.pending}
	switch p.pending {
	case restart:
		switch {
		case p.mode != notMonitored:
			d.note(at, "info", "'%s' trying to restart", p.name)
			d.stopProgram(j, at)
			return
		case p.pid == 0:
			d.note(at, "info", "'%s' trying to restart", p.name)
			p.forget(initializing)
			d.startProgram(j, at)
			return
		default:
			// For a running service that is not monitored, monit only resumes the monitoring, and
			// logs nothing.
			p.forget(initializing)
		}
	case start:
		if p.pid == 0 {
			d.startProgram(j, at)
			return
		}
		if p.mode == notMonitored {
			p.forget(initializing)
		}
	case stop:
		if p.mode != notMonitored {
			d.stopProgram(j, at)
			return
		}
	case monitor:
		if p.mode == notMonitored {
			p.restarts = nil
			p.forget(initializing)
		}
	case unmonitor:
		p.forget(notMonitored)
	case noAction:
	}
	d.done(j, at)
}

func (d *supervisor) stopProgram(j *job, at time.Time) {
	p := j.process
	d.note(at, "info", "'%s' stop: '/usr/illumon/latest/bin/dh_service stop %s'", p.name, p.name)
	j.phase, j.until = stopping, at.Add(d.host.took.program)
	d.job = j
	if p.stopFails {
		return
	}
	p.term(at)
	if p.pid == 0 {
		j.until = at.Add(d.host.took.launch)
	} else if end := p.dies.Add(d.host.took.notice); end.Before(j.until) {
		j.until = end
	}
}

func (d *supervisor) startProgram(j *job, at time.Time) {
	p, took := j.process, d.host.took
	d.note(at, "info", "'%s' start: '/usr/illumon/latest/bin/dh_service start %s'", p.name, p.name)
	d.job = j
	launch := max(took.launch, p.slowStart)
	if p.failStart || p.hangStart || launch >= took.program {
		j.phase, j.until = failing, at.Add(took.program)
		if p.failStart {
			p.stdout.add(at, "ERROR: could not find or load main class")
		}
		return
	}
	j.phase, j.until = launching, at.Add(launch)
}

// carryOn ends the current phase of the job, and begins the next phase if there is one.
func (d *supervisor) carryOn(at time.Time) {
	j := d.job
	p := j.process
	switch j.phase {
	case stopping:
		switch {
		case p.pid != 0:
			d.note(at, "error", "'%s' failed to stop (exit status 1) -- '/usr/illumon/latest/bin/dh_service stop %s': cannot stop %s", p.name, p.name, p.name)
			if j.action == stop {
				p.forget(notMonitored)
			}
			d.done(j, at)
		case j.action == stop:
			p.forget(notMonitored)
			d.done(j, at)
		default:
			p.forget(initializing)
			d.startProgram(j, at)
		}
	case launching:
		if p.pid == 0 {
			p.spawn(at)
		}
		j.phase, j.until = settling, at.Add(d.host.took.settle)
	case failing:
		p.failed = true
		d.note(at, "error", "'%s' failed to start (exit status 1) -- '/usr/illumon/latest/bin/dh_service start %s': start of %s failed: cannot connect to configuration server", p.name, p.name, p.name)
		d.done(j, at)
	case settling:
		d.done(j, at)
	}
}

// done ends the job. After a restart that nobody requested, monit still shows the service as
// missing for one cycle, although it may already run.
func (d *supervisor) done(j *job, at time.Time) {
	d.job = nil
	p := j.process
	if j.own {
		p.mode, p.seen.at = monitored, at
		return
	}
	p.pending = noAction
	if j.action != unmonitor && p.mode == notMonitored && j.action != stop {
		p.mode = initializing
	}
	d.note(at, "info", "'%s' %s action done", p.name, j.action)
}

// look checks one service during a validation.
func (d *supervisor) look(p *process, at time.Time) {
	if p.mode == notMonitored {
		return
	}
	p.restarts = slices.DeleteFunc(p.restarts, func(n int) bool { return n <= d.round-restartWindow })
	if len(p.restarts) >= restartLimit {
		d.note(at, "error", "'%s' service restarted %d times within %d cycles(s) - unmonitor", p.name, len(p.restarts), d.round-p.restarts[0])
		p.forget(notMonitored)
		p.restarts = nil
		return
	}
	if p.pid == 0 {
		d.note(at, "error", "'%s' process is not running", p.name)
		d.note(at, "info", "'%s' trying to restart", p.name)
		p.restarts = append(p.restarts, d.round)
		p.missing, p.mode, p.seen.pid = true, initializing, 0
		d.startProgram(&job{process: p, action: restart, own: true}, at)
		return
	}
	if p.missing {
		d.note(at, "info", "'%s' process is running with pid %d", p.name, p.pid)
	}
	d.see(p, at)
}

// see records what monit sees when it checks a running process.
func (d *supervisor) see(p *process, at time.Time) {
	p.mode, p.missing, p.failed, p.resource = monitored, false, false, p.hungry
	looks := 1
	if p.seen.pid == p.pid {
		looks = p.seen.looks + 1
	}
	p.seen = sighting{pid: p.pid, born: p.born, at: at, looks: looks}
	if at.Sub(p.born) < d.host.took.program {
		return // the port is first tested after the start timeout
	}
	if !p.portDead {
		p.portBad, p.noPort = 0, false
		return
	}
	p.portBad++
	p.noPort = p.noPort || p.portBad >= 2
}

// setState stops, hangs or wakes the daemon. When a hung daemon wakes, it carries out the requests
// that arrived meanwhile, although the clients reported an error. Real monit 5.33 does the same,
// because the requests are still in the socket.
func (d *supervisor) setState(s daemonState, at time.Time) {
	was := d.state
	d.state = s
	if s != daemonUp || was == daemonUp {
		return
	}
	if was == daemonStopped {
		d.boot(at)
		return
	}
	d.cycle = at
	if d.job != nil && d.job.until.Before(at) {
		d.job.until = at
	}
	held := d.held
	d.held = nil
	for _, r := range held {
		d.ask(r.process, r.action, at)
	}
}

// boot starts the daemon again. The daemon remembers which services are not monitored.
func (d *supervisor) boot(at time.Time) {
	d.pid, d.booted, d.cycle = d.host.newPID(), at, at
	d.job, d.queue, d.todo, d.busy, d.held = nil, nil, nil, false, nil
	for _, p := range d.host.procs {
		p.pending, p.restarts = noAction, nil
		if p.mode != notMonitored {
			p.forget(initializing)
		}
	}
}

// note adds a line to monit's own log.
func (d *supervisor) note(at time.Time, level, format string, args ...any) {
	d.log = append(d.log, fmt.Sprintf("[%s] %-8s : %s", at.UTC().Format("2006-01-02T15:04:05-0700"), level, fmt.Sprintf(format, args...)))
	d.log = d.log[max(0, len(d.log)-500):]
}
