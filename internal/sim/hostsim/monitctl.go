package hostsim

import (
	"fmt"
	"slices"
)

// monitAction requests start, stop, restart, monitor or unmonitor. On success
// the client prints nothing, exits 0 and returns at once, before anything
// happens.
func (c *call) monitAction(a action, name string, named bool) answer {
	if !named {
		return answer{err: fmt.Sprintf("Please specify a service name or 'all' after %s\n", a), exit: 1}
	}
	d := c.host.monit
	procs, system := c.host.match(name)
	if name == "all" {
		procs, system = c.host.match(".*")
	}
	slices.Reverse(procs) // monit carries out actions in the order of its control file
	if d.state == daemonStopped {
		return c.monitAlone(a, name, procs)
	}
	if d.state == daemonUp && len(procs) == 0 && !system {
		return answer{err: fmt.Sprintf("There is no service named \"%s\"\n", name), exit: 1}
	}
	for _, p := range procs {
		d.ask(p, a, c.world.now)
	}
	if blocked := d.unreachable(c.took); blocked != nil {
		blocked.changes = true
		return *blocked
	}
	return answer{takes: c.took.client, changes: true}
}

// monitAlone does what monit's client does when no daemon runs. As measured on a real host, the
// client runs the start and stop programs itself, as its own user, and exits with 0 even if they
// fail. Only root can start, stop and restart processes. For another user, start has no effect and
// any other action fails, because only root may change the pid files.
func (c *call) monitAlone(a action, name string, procs []*process) answer {
	if len(procs) == 0 {
		return answer{err: fmt.Sprintf("Service '%s' -- doesn't exist\n", name), exit: 1}
	}
	ans := answer{changes: true}
	for _, p := range procs {
		program := fmt.Sprintf("'/usr/illumon/latest/bin/dh_service %%s %s'", p.name)
		stopProgram, startProgram := fmt.Sprintf(program, stop), fmt.Sprintf(program, start)
		if c.user != "root" && a != start {
			ans.out += fmt.Sprintf("'%s' trying to %s\n'%s' stop: %s\n", p.name, a, p.name, stopProgram)
			ans.err += fmt.Sprintf("'%s' failed to stop (exit status 0) -- %s: rm: cannot remove '/var/run/deephaven/%s.pid': Permission denied\n\n", p.name, stopProgram, p.name)
			ans.takes += c.took.program
			continue
		}
		switch a {
		case restart:
			ans.out += fmt.Sprintf("'%s' trying to restart\n'%s' stop: %s\n'%s' start: %s\n", p.name, p.name, stopProgram, p.name, startProgram)
			p.term(c.world.now)
			p.die(c.world.now)
			p.spawn(c.world.now)
			ans.takes += c.took.stop + c.took.notice
		case start:
			if p.pid == 0 && c.user == "root" {
				p.spawn(c.world.now)
			}
			ans.takes += c.took.settle
		case stop:
			ans.out += fmt.Sprintf("'%s' stop: %s\n", p.name, stopProgram)
			p.term(c.world.now)
			ans.takes += c.took.stop
		case monitor, unmonitor, noAction:
			// The other actions would only change the state of the daemon, which does not run.
		}
	}
	return ans
}

// monitReload implements `monit reload`. It always exits with 0, although only root can signal the
// daemon.
func (c *call) monitReload() answer {
	a := answer{out: "Reinitializing monit daemon\n", changes: true}
	d := c.host.monit
	switch {
	case d.state == daemonStopped:
		a.out += "Monit daemon is not running\n"
	case c.user != "root":
		a.err = "Cannot signal the monit daemon process -- Operation not permitted\n"
	case d.state == daemonUp:
		for _, p := range c.host.procs {
			p.seen.looks = 0 // the measurement of processor use starts again
		}
		d.note(c.world.now, "info", "Reinitializing Monit -- control file '/etc/monit/monitrc'")
	}
	return a
}

// dhMonit implements dh_monit, Deephaven's wrapper of monit, which does not require root. With
// --block, it returns when every started process is OK. With "all", it handles one process after
// the other in the order of the control file, because monit has only one worker.
func (c *call) dhMonit(args []string) answer {
	block := false
	args = slices.DeleteFunc(slices.Clone(args), func(a string) bool {
		is := a == "-b" || a == "--b" || a == "--block"
		block = block || is
		return is
	})
	if len(args) > 0 {
		switch args[0] {
		case "-up", "up":
			args = []string{"start", "all"}
		case "-down", "down":
			args = []string{"stop", "all"}
		}
	}
	inner := *c
	inner.user = "root" // the wrapper calls sudo itself
	if !c.host.sudo {
		return answer{err: "sudo: a password is required\n", exit: 1}
	}
	a := inner.monit(args)
	if !block || a.exit != 0 || len(args) < 2 || args[0] != "start" && args[0] != "restart" {
		return a
	}
	procs, _ := c.host.match(args[1])
	if args[1] == "all" {
		procs = c.host.procs
	}
	a.settle = func() (answer, bool) {
		for _, p := range procs {
			if p.status() != "OK" {
				return answer{}, false
			}
		}
		return answer{changes: true}, true
	}
	return a
}
