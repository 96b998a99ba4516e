package hostsim

import (
	"path"
	"slices"
	"strings"
	"time"
)

// timing has every duration of the model. Most of them were measured on real hosts with monit 5.33
// and systemd 252. Tests can scale the measured durations by a factor.
type timing struct {
	cycle   time.Duration // between two of monit's validations
	program time.Duration // monit's timeout for start and stop programs

	stop   time.Duration // from TERM to the end of a process
	notice time.Duration // until monit notices that a process that it stops has ended
	launch time.Duration // from the start of the start program to the pid
	settle time.Duration // from the pid to monit's next check
	ready  time.Duration // from the pid to the line RUNNING in the log of the application
	crash  time.Duration // life of a crash-looping process
	alive  time.Duration // between two ALIVE lines of a log

	client      time.Duration // until monit's client returns from an action
	hung        time.Duration // until monit's client gives up on a silent daemon
	etcdStart   time.Duration
	mariaStart  time.Duration
	unitRetry   time.Duration // RestartSec of the units
	unitTimeout time.Duration // systemd's start timeout
	etcdMissing time.Duration // of endpoint status with a dead member
	etcdDead    time.Duration // of any etcdctl command without quorum, and of endpoint health with a dead member
}

// measured returns the durations of real hosts, multiplied by scale; 0 means 1. cycle and program
// are not scaled. If one is 0, it gets its default, which is scaled.
func measured(cycle, program time.Duration, scale float64) timing {
	if scale == 0 {
		scale = 1
	}
	of := func(ms int) time.Duration {
		return time.Duration(float64(ms) * float64(time.Millisecond) * scale)
	}
	if cycle == 0 {
		cycle = of(2000)
	}
	if program == 0 {
		program = of(15000)
	}
	return timing{
		cycle: cycle, program: program,
		stop: of(1000), notice: of(250), launch: of(10), settle: of(180), ready: of(1000),
		crash: min(of(1000), cycle/2), alive: of(30000),
		client: of(10), hung: of(5000),
		etcdStart: of(1100), mariaStart: of(700), unitRetry: of(5000), unitTimeout: of(90000),
		etcdMissing: of(5600), etcdDead: of(2400),
	}
}

// world is the pure model of all hosts. It holds no lock, reads no clock and starts no goroutine.
// Before each access, its owner calls advance with the current time. advance applies the events
// that are due by then in order, each at its own time.
type world struct {
	now      time.Time
	took     timing
	machines []*machine
	etcd     etcdCluster
}

// machine is one host.
type machine struct {
	name       string
	index      int // 0-based, in the order of the layout
	generation string
	booted     time.Time
	took       timing
	procs      []*process // in the order of monit's control file
	units      []*unit
	monit      *supervisor
	lastPID    int
	disk       *disk
	sudo       bool // whether sudo works
	noisy      bool // whether the start-up file of the shell prints text
}

// newWorld returns a model of hosts whose processes have all run for two hours.
func newWorld(generation string, hosts []HostSpec, took timing, now time.Time) *world {
	w := &world{now: now, took: took, etcd: etcdCluster{term: 2, index: 31}}
	for i, spec := range hosts {
		w.machines = append(w.machines, newMachine(generation, i, spec, took, now.Add(-2*time.Hour), now))
	}
	for _, m := range w.machines {
		for name, n := range m.disk.nodes {
			if path.Base(name) == "endpoints" {
				n.text = w.endpoints() + "\n"
				m.disk.nodes[name] = n
			}
		}
	}
	return w
}

// endpoints returns the content of the file "endpoints" in the configuration of an etcd client.
func (w *world) endpoints() string {
	var all []string
	for _, m := range w.members() {
		all = append(all, m.endpoint())
	}
	return strings.Join(all, ",")
}

func newMachine(generation string, index int, spec HostSpec, took timing, booted, now time.Time) *machine {
	m := &machine{
		name: spec.Name, index: index, generation: generation, booted: booted,
		took: took, lastPID: 400 + 17*index, sudo: true,
	}
	m.monit = newSupervisor(m, now)
	for _, id := range spec.Processes {
		if id == etcdID || id == mariadbID {
			m.units = append(m.units, newUnit(m, id, true, booted))
			continue
		}
		s, _ := spec.service(id, generation) // checkLayout has validated it
		p := &process{service: s, host: m, took: took, mode: initializing}
		p.spawn(booted)
		p.log.skipTo(now.Add(-20 * time.Minute))
		p.write(now)
		m.procs = append(m.procs, p)
	}
	if m.unit(mariadbID) == nil {
		m.units = append(m.units, newUnit(m, mariadbID, false, booted))
	}
	m.monit.step(now)
	m.disk = newDisk(m, now)
	return m
}

// advance applies every event that is due by now. It does nothing if now is before the time of the
// model.
func (w *world) advance(now time.Time) {
	for {
		at, do := w.next()
		if do == nil || at.After(now) {
			break
		}
		if at.After(w.now) {
			w.now = at
		}
		do(w.now)
	}
	if now.After(w.now) {
		w.now = now
	}
	for _, m := range w.machines {
		for _, p := range m.procs {
			p.write(w.now)
		}
	}
}

// next returns the next event on any host, and its time. The function is nil if there is no event.
func (w *world) next() (time.Time, func(time.Time)) {
	var at time.Time
	var do func(time.Time)
	earlier := func(t time.Time, f func(time.Time)) {
		if !t.IsZero() && (do == nil || t.Before(at)) {
			at, do = t, f
		}
	}
	for _, m := range w.machines {
		for _, p := range m.procs {
			earlier(p.dies, p.die)
		}
		for _, u := range m.units {
			earlier(u.due, func(t time.Time) { u.step(t, w) })
		}
		earlier(m.monit.next(), m.monit.step)
	}
	return at, do
}

func (w *world) machine(name string) *machine {
	i := slices.IndexFunc(w.machines, func(m *machine) bool { return m.name == name })
	if i < 0 {
		return nil
	}
	return w.machines[i]
}

func (m *machine) process(id string) *process {
	i := slices.IndexFunc(m.procs, func(p *process) bool { return p.name == id })
	if i < 0 {
		return nil
	}
	return m.procs[i]
}

// unit finds a systemd unit by its catalog id or unit name. It returns nil if there is none.
func (m *machine) unit(name string) *unit {
	i := slices.IndexFunc(m.units, func(u *unit) bool { return u.id == name || u.name == name })
	if i < 0 {
		return nil
	}
	return m.units[i]
}

// newPID returns an unused process id of the host. Ids are never reused.
func (m *machine) newPID() int {
	m.lastPID += 13
	return m.lastPID
}
