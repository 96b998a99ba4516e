package hostsim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// processFaults are the faults of a process that monit supervises. Some take a duration as an
// argument, for example "20s", and faultDefaults has its default. A fault that sets a knob of the
// process applies from the next start, stop or check until the fault "clear". All other faults
// happen once.
var processFaults = map[string]func(*process, time.Duration, time.Time){
	"fail-start":  func(p *process, _ time.Duration, _ time.Time) { p.failStart = true },
	"hang-start":  func(p *process, _ time.Duration, _ time.Time) { p.hangStart = true },
	"slow-start":  func(p *process, d time.Duration, _ time.Time) { p.slowStart = d },
	"slow-stop":   func(p *process, d time.Duration, _ time.Time) { p.slowStop = d },
	"stop-fails":  func(p *process, _ time.Duration, _ time.Time) { p.stopFails = true },
	"slow-app":    func(p *process, d time.Duration, _ time.Time) { p.slowApp = d },
	"never-ready": func(p *process, _ time.Duration, _ time.Time) { p.neverReady = true },
	"crash-loop": func(p *process, _ time.Duration, at time.Time) {
		p.crashLoop = true
		if p.pid != 0 {
			p.dies = at.Add(time.Nanosecond)
		}
	},
	"port":     func(p *process, _ time.Duration, _ time.Time) { p.portDead = true },
	"resource": func(p *process, _ time.Duration, _ time.Time) { p.hungry = true },
	"errors": func(p *process, _ time.Duration, at time.Time) {
		p.erring = true
		if p.pid != 0 {
			p.errorAt = at
		}
	},
	"unmonitor": func(p *process, _ time.Duration, _ time.Time) { p.forget(notMonitored) },
	"stop": func(p *process, _ time.Duration, at time.Time) {
		p.forget(notMonitored)
		p.term(at)
		p.die(at)
	},
	"start": func(p *process, _ time.Duration, at time.Time) {
		p.forget(initializing)
		if p.pid == 0 {
			p.spawn(at)
		}
		p.host.monit.see(p, at)
	},
	"kill": func(p *process, _ time.Duration, at time.Time) { p.die(at) },
	"clear": func(p *process, _ time.Duration, _ time.Time) {
		p.knobs = knobs{}
		p.errorAt = time.Time{}
	},
}

// unitFaults are the faults of etcd and mariadb.
var unitFaults = map[string]func(*unit, time.Duration, time.Time){
	"fail-start": func(u *unit, _ time.Duration, _ time.Time) { u.failStart = true },
	"slow-start": func(u *unit, d time.Duration, _ time.Time) { u.slowStart = d },
	"stop":       func(u *unit, _ time.Duration, at time.Time) { u.stop(at) },
	"start":      func(u *unit, _ time.Duration, at time.Time) { u.start(at) },
	"kill":       func(u *unit, _ time.Duration, at time.Time) { u.kill(at) },
	"clear":      func(u *unit, _ time.Duration, _ time.Time) { u.failStart, u.slowStart = false, 0 },
}

// hostFaults are the faults that concern a whole host.
var hostFaults = map[string]func(*host, time.Duration, time.Time) error{
	"freeze":  func(h *host, _ time.Duration, _ time.Time) error { h.gate.shut(); return nil },
	"down":    func(h *host, _ time.Duration, _ time.Time) error { return h.down() },
	"hostkey": func(h *host, _ time.Duration, _ time.Time) error { return h.newHostKey() },
	"monit-stopped": func(h *host, _ time.Duration, at time.Time) error {
		h.model.monit.setState(daemonStopped, at)
		return nil
	},
	"monit-hung":   func(h *host, _ time.Duration, at time.Time) error { h.model.monit.setState(daemonHung, at); return nil },
	"sudo-refused": func(h *host, _ time.Duration, _ time.Time) error { h.model.sudo = false; return nil },
	"drop":         func(h *host, _ time.Duration, _ time.Time) error { h.drop.Store(true); return nil },
	"noisy":        func(h *host, _ time.Duration, _ time.Time) error { h.model.noisy = true; return nil },
	"slow":         func(h *host, d time.Duration, _ time.Time) error { h.slow.Store(int64(d)); return nil },
	"login":        func(h *host, _ time.Duration, _ time.Time) error { h.noLogin.Store(true); return h.cutAll() },
	"clear":        func(h *host, _ time.Duration, at time.Time) error { return h.clear(at) },
}

// faultDefaults has the default duration of each fault that takes a duration.
var faultDefaults = map[string]time.Duration{
	"slow-start": 10 * time.Second,
	"slow-stop":  8 * time.Second,
	"slow-app":   20 * time.Second,
	"slow":       3 * time.Second,
}

// Fault injects a fault that Faults describes, or clears faults. If processName is "" or "-", the
// fault concerns the whole host. For an unknown host, process or fault, or an invalid duration,
// Fault changes nothing and returns an error that lists the valid values.
func (c *Cluster) Fault(hostName, processName, fault string, args ...string) error {
	h := c.host(hostName)
	if h == nil {
		return fmt.Errorf("hostsim: there is no host %q; the hosts are %s", hostName, strings.Join(c.hostNames(), ", "))
	}
	d, err := faultDuration(fault, args)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	c.world.advance(now)
	now = c.world.now
	if processName == "" || processName == "-" {
		apply, ok := hostFaults[fault]
		if !ok {
			return unknownFault(fault, "a host", hostFaults)
		}
		return apply(h, d, now)
	}
	if p := h.model.process(processName); p != nil {
		apply, ok := processFaults[fault]
		if !ok {
			return unknownFault(fault, "a process", processFaults)
		}
		apply(p, d, now)
		return nil
	}
	if u := h.model.unit(processName); u != nil && u.enabled {
		apply, ok := unitFaults[fault]
		if !ok {
			return unknownFault(fault, u.id, unitFaults)
		}
		apply(u, d, now)
		return nil
	}
	return fmt.Errorf("hostsim: there is no process %q on %s; its processes are %s", processName, hostName, strings.Join(h.spec.Processes, ", "))
}

// Faults returns three sorted lists of faults: of a process that monit supervises, of the units
// etcd and mariadb, and of a host.
//
// Processes: fail-start, hang-start, slow-start D, slow-stop D; stop-fails
// (restart ends OK with the same pid); slow-app D (monit OK long before the log
// says RUNNING), never-ready; crash-loop (until monit gives up); unmonitor (the
// process runs, and a restart only monitors it again); stop, start, kill (as if
// done by hand); port, resource (monit's rules); errors (one a second in the
// log); clear (healthy from the next start on; does not start or stop
// anything).
//
// Hosts: freeze (TCP accepts, nothing answers), down (connection refused),
// hostkey (a new one), login (the key is refused), sudo-refused, noisy (the
// shell's start-up file prints first), slow D (every command takes D longer,
// its effect is immediate), drop (the connection is cut once a changing command
// has started), monit-stopped, monit-hung, clear.
func Faults() (process, unit, host []string) {
	return names(processFaults), names(unitFaults), names(hostFaults)
}

func faultDuration(fault string, args []string) (time.Duration, error) {
	d, takes := faultDefaults[fault]
	switch {
	case len(args) == 0:
		return d, nil
	case !takes || len(args) > 1:
		return 0, fmt.Errorf("hostsim: fault %s takes no argument %q", fault, args[len(args)-1])
	}
	d, err := time.ParseDuration(args[0])
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("hostsim: fault %s: %q is not a duration: write for example %q", fault, args[0], faultDefaults[fault])
	}
	return d, nil
}

func unknownFault[F any](fault, what string, known map[string]F) error {
	return fmt.Errorf("hostsim: there is no fault %q for %s; the faults are %s", fault, what, strings.Join(names(known), ", "))
}

func names[F any](m map[string]F) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
