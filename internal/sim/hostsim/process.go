package hostsim

import (
	"fmt"
	"time"
)

// knobs determine how a process behaves from its next start, stop or check. The zero value means a
// healthy process.
type knobs struct {
	failStart  bool // the start program exits 1
	hangStart  bool // the start program never ends on its own
	stopFails  bool // the stop program exits 1 and the process keeps running
	neverReady bool // the application never logs RUNNING
	crashLoop  bool // the process dies soon after every start
	portDead   bool // nothing answers on the port of the process
	hungry     bool // a resource rule of monit matches
	erring     bool // the application logs an error every second

	slowStart time.Duration // the start program takes this long
	slowStop  time.Duration // the process takes this long to end
	slowApp   time.Duration // the application takes this long until RUNNING
}

// monitoring is the "monitoring status" of a service in monit.
type monitoring uint8

const (
	notMonitored monitoring = iota
	initializing
	monitored
)

// process is one supervised process: its real state in the operating system,
// and monit's view of it, which may be older.
type process struct {
	service
	host *machine
	took timing
	knobs

	// The real state in the operating system. If pid is 0, the process does not run.
	pid     int
	born    time.Time
	dies    time.Time // when the process dies; zero: no end is planned
	leaving bool      // TERM was sent
	readyAt time.Time // when RUNNING is logged; zero: already logged, or never
	aliveAt time.Time
	errorAt time.Time
	log     appLog
	stdout  stdoutLog

	// The state that monit shows, which is from its last check.
	mode     monitoring
	pending  action
	missing  bool // "Does not exist"
	failed   bool // "Execution failed"
	noPort   bool // "Connection failed"
	resource bool // "Resource limit matched"
	seen     sighting
	restarts []int // numbers of the validations in which monit restarted the process
	portBad  int   // consecutive validations in which the port did not answer
}

// sighting is what monit saw when it last checked a process.
type sighting struct {
	pid   int
	born  time.Time
	at    time.Time
	looks int // number of checks of this pid; processor use needs two
}

// spawn starts the process with a new pid and writes the first lines of its logs.
func (p *process) spawn(at time.Time) {
	p.pid, p.born, p.leaving = p.host.newPID(), at, false
	p.dies, p.readyAt, p.errorAt = time.Time{}, at.Add(p.took.ready), time.Time{}
	if p.slowApp > 0 {
		p.readyAt = at.Add(p.slowApp)
	}
	if p.neverReady {
		p.readyAt = time.Time{}
	}
	if p.crashLoop {
		p.dies = at.Add(p.took.crash)
	}
	if p.erring {
		p.errorAt = at.Add(time.Second)
	}
	p.aliveAt = at.Add(p.took.ready + p.took.alive)
	p.log.open(at)
	p.log.add(at, "INFO", fmt.Sprintf("%s INITIALIZING (pid %d)", p.name, p.pid))
	p.log.add(at, "INFO", fmt.Sprintf("ConfigurationLogger - loaded root file iris-%s.prop from Configuration Server", p.name))
	p.stdout.open(at)
	p.stdout.add(at, fmt.Sprintf("Starting %s pid %d", p.name, p.pid))
}

// term sends the signal TERM to the process, like the stop program of monit.
func (p *process) term(at time.Time) {
	if p.pid == 0 || p.leaving {
		return
	}
	p.write(at)
	p.leaving = true
	p.log.add(at, "INFO", p.name+" SHUTTING_DOWN")
	end := at.Add(p.took.stop)
	if p.slowStop > 0 {
		end = at.Add(p.slowStop)
	}
	if p.dies.IsZero() || end.Before(p.dies) {
		p.dies = end
	}
}

// die ends the process now. The process was stopped, killed or crashed.
func (p *process) die(at time.Time) {
	if p.pid == 0 {
		p.dies = time.Time{}
		return
	}
	p.write(at)
	switch {
	case p.leaving:
		p.log.add(at, "INFO", "ShutdownManager - "+p.class+" stopped")
		p.stdout.add(at, p.name+" stopped")
	case p.crashLoop && !p.dies.IsZero():
		p.log.add(at, "FATAL", "main - uncaught exception, exiting")
	}
	p.pid, p.dies, p.leaving = 0, time.Time{}, false
	p.readyAt, p.aliveAt, p.errorAt = time.Time{}, time.Time{}, time.Time{}
}

// write adds the log lines up to t.
func (p *process) write(t time.Time) {
	for p.pid != 0 && !p.leaving {
		at, next := p.nextLine()
		if next == nil || at.After(t) {
			return
		}
		next(at)
	}
}

// nextLine returns the time of the next log line, and a function that writes the line. The function
// is nil if there is no next line.
func (p *process) nextLine() (time.Time, func(time.Time)) {
	var at time.Time
	var do func(time.Time)
	earlier := func(t time.Time, f func(time.Time)) {
		if !t.IsZero() && (do == nil || t.Before(at)) {
			at, do = t, f
		}
	}
	earlier(p.readyAt, func(t time.Time) {
		p.readyAt = time.Time{}
		p.log.add(t, "INFO", p.name+" RUNNING")
		p.stdout.add(t, p.name+" is up")
	})
	earlier(p.aliveAt, func(t time.Time) {
		p.aliveAt = t.Add(p.took.alive)
		p.log.add(t, "INFO", p.name+" ALIVE - heap used 512MB of 4096MB")
	})
	earlier(p.errorAt, func(t time.Time) {
		p.errorAt = t.Add(time.Second)
		p.log.add(t, "ERROR", "WorkerHandler - java.io.IOException: Connection reset by peer")
	})
	return at, do
}

// forget clears what monit knows about the process, and sets its monitoring status.
func (p *process) forget(mode monitoring) {
	p.mode, p.missing, p.failed = mode, false, false
	p.seen.pid, p.seen.looks = 0, 0
}
