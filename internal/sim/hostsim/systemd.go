package hostsim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// systemctl implements the systemctl of systemd 252, as it runs without a terminal.
func (c *call) systemctl(args []string) answer {
	var verb, name string
	var properties []string
	journal, block := 10, true
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case a == "-p" && i+1 < len(args):
			i++
			properties = append(properties, strings.Split(args[i], ",")...)
		case strings.HasPrefix(a, "--property="):
			properties = append(properties, strings.Split(strings.TrimPrefix(a, "--property="), ",")...)
		case strings.HasPrefix(a, "--lines="):
			n, err := strconv.Atoi(strings.TrimPrefix(a, "--lines="))
			if err != nil || n < 0 {
				return answer{err: "Failed to parse lines '" + a[len("--lines="):] + "'\n", exit: 1}
			}
			journal = n
		case a == "--no-pager" || a == "-l" || a == "--full":
		case a == "--no-block":
			block = false
		case strings.HasPrefix(a, "-"):
			return notSimulated("systemctl " + a)
		case verb == "":
			verb = a
		case name == "":
			name = strings.TrimSuffix(a, ".service")
		default:
			return notSimulated("systemctl with several units")
		}
	}
	u := c.systemdUnit(name)
	switch verb {
	case "status":
		return c.unitStatus(u, name, journal)
	case "is-active":
		return unitActive(u)
	case "show":
		return unitShow(u, properties)
	case "start", "stop", "restart":
		a := c.unitAction(verb, u, name)
		if !block && u != nil {
			a.takes, a.settle = 0, nil
		}
		return a
	default:
		return answer{err: "Unknown command verb " + verb + ".\n", exit: 1}
	}
}

// systemdUnit finds a unit by its name in systemd. It returns nil if there is none. The state of
// the unit of monit is derived from monit's daemon.
func (c *call) systemdUnit(name string) *unit {
	for _, u := range c.host.units {
		if u.name == name {
			return u
		}
	}
	if name != "monit" {
		return nil
	}
	d := c.host.monit
	u := &unit{id: "monit", name: "monit", host: c.host, enabled: true, since: d.booted, started: d.booted, result: "success"}
	if d.state != daemonStopped {
		u.state, u.pid = unitRunning, d.pid
	}
	return u
}

// states returns ActiveState and SubState.
func (s unitState) states() (active, sub string) {
	switch s {
	case unitStarting:
		return "activating", "start"
	case unitRunning:
		return "active", "running"
	case unitRetrying:
		return "activating", "auto-restart"
	case unitFailed:
		return "failed", "failed"
	default:
		return "inactive", "dead"
	}
}

func unitActive(u *unit) answer {
	if u == nil {
		return answer{out: "inactive\n", exit: 3}
	}
	active, _ := u.state.states()
	a := answer{out: active + "\n"}
	if u.state != unitRunning {
		a.exit = 3
	}
	return a
}

// unitShow implements `systemctl show`. It prints the wanted properties in systemd's order, and
// exits with 0 even if the unit does not exist.
func unitShow(u *unit, wanted []string) answer {
	if u == nil {
		u = &unit{result: "success"}
	}
	active, sub := u.state.states()
	load, started := "loaded", ""
	if u.name == "" {
		load = "not-found"
	}
	if !u.started.IsZero() {
		started = u.started.UTC().Format("Mon 2006-01-02 15:04:05 MST")
	}
	var out string
	for _, p := range [][2]string{
		{"MainPID", strconv.Itoa(u.pid)}, {"Result", u.result}, {"NRestarts", strconv.Itoa(u.retries)},
		{"ExecMainStartTimestamp", started}, {"LoadState", load}, {"ActiveState", active}, {"SubState", sub},
	} {
		if len(wanted) == 0 || slices.Contains(wanted, p[0]) {
			out += p[0] + "=" + p[1] + "\n"
		}
	}
	return answer{out: out}
}

// unitMark returns the mark that systemctl prints before a unit. In the C locale, which the bot
// sets, the mark is ASCII.
func (c *call) unitMark(u *unit) string {
	plain := c.env["LC_ALL"] == "C"
	switch {
	case u.state == unitFailed && plain:
		return "x"
	case u.state == unitFailed:
		return "×"
	case plain:
		return "*"
	case u.state == unitDead:
		return "○"
	default:
		return "●"
	}
}

func (c *call) unitStatus(u *unit, name string, journal int) answer {
	if u == nil {
		return answer{err: fmt.Sprintf("Unit %s.service could not be found.\n", name), exit: 4}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s.service - %s\n", c.unitMark(u), u.name, u.description())
	enabled := "disabled"
	if u.enabled {
		enabled = "enabled"
	}
	fmt.Fprintf(&b, "     Loaded: loaded (%s; %s; preset: enabled)\n", u.file(), enabled)
	fmt.Fprintf(&b, "     Active: %s\n", u.activeLine(c.world.now))
	if u.state == unitDead && u.ran > 0 {
		fmt.Fprintf(&b, "   Duration: %s\n", systemdSpan(u.ran))
	}
	for i, d := range u.docs() {
		fmt.Fprintf(&b, "%12s %s\n", map[bool]string{true: "Docs:"}[i == 0], d)
	}
	u.statusProcess(&b)
	// systemctl prints the last lines of the journal only for users who may read the journal.
	if lines := u.journal[max(0, len(u.journal)-journal):]; len(lines) > 0 && c.user == "root" {
		b.WriteString("\n")
		for _, l := range lines {
			b.WriteString(l.short(c.host.name))
		}
	}
	a := answer{out: b.String()}
	if u.state != unitRunning {
		a.exit = 3
	}
	return a
}

func (u *unit) description() string {
	if u.id == "monit" {
		return "Pro-active monitoring utility for unix systems"
	}
	return u.title()
}

func (u *unit) file() string {
	if u.id == mariadbID {
		return "/lib/systemd/system/mariadb.service"
	}
	return "/etc/systemd/system/" + u.name + ".service"
}

func (u *unit) docs() []string {
	switch u.id {
	case etcdID:
		return []string{"https://etcd.io/docs"}
	case mariadbID:
		return []string{"man:mariadbd(8)", "https://mariadb.com/kb/en/library/systemd/"}
	default:
		return []string{"man:monit(1)", "https://mmonit.com/wiki/Monit/HowTo"}
	}
}

func (u *unit) program() string {
	switch u.id {
	case etcdID:
		return "/usr/bin/etcd --config-file /etc/etcd/dh/latest/config.yaml"
	case mariadbID:
		return "/usr/sbin/mariadbd"
	default:
		return "/usr/bin/monit -I"
	}
}

func (u *unit) activeLine(now time.Time) string {
	active, sub := u.state.states()
	s := fmt.Sprintf("%s (%s)", active, sub)
	if u.result != "success" && u.state != unitDead {
		s += " (Result: " + u.result + ")"
	}
	if !u.since.IsZero() {
		s += fmt.Sprintf(" since %s; %s ago", u.since.UTC().Format("Mon 2006-01-02 15:04:05 MST"), systemdAge(now.Sub(u.since)))
	}
	return s
}

// statusProcess prints the main process, running or ended.
func (u *unit) statusProcess(b *strings.Builder) {
	program, _, _ := strings.Cut(u.program(), " ")
	comm := program[strings.LastIndexByte(program, '/')+1:]
	switch {
	case u.pid != 0:
		fmt.Fprintf(b, "   Main PID: %d (%s)\n", u.pid, comm)
		if u.id == mariadbID && u.state == unitRunning {
			b.WriteString("     Status: \"Taking your SQL requests now...\"\n")
		}
		b.WriteString("        CPU: 1.027s\n")
		fmt.Fprintf(b, "     CGroup: /system.slice/%s.service\n             └─%d %s\n", u.name, u.pid, u.program())
	case u.lastPID != 0:
		end, cpu := "code=killed, signal=TERM", "1.027s"
		switch u.result {
		case "exit-code":
			end, cpu = "code=exited, status=1/FAILURE", "12ms"
		case "signal":
			end = "code=killed, signal=KILL"
		}
		fmt.Fprintf(b, "    Process: %d ExecStart=%s (%s)\n   Main PID: %d (%s)\n        CPU: %s\n", u.lastPID, u.program(), end, u.lastPID, end, cpu)
	}
}

// systemdAge formats a duration like systemd 252 does before the word "ago".
func systemdAge(d time.Duration) string {
	n := func(unit time.Duration) int { return int(d / unit) }
	const day = 24 * time.Hour
	switch {
	case d >= 2*day:
		return fmt.Sprintf("%d days", n(day))
	case d >= 25*time.Hour:
		return fmt.Sprintf("1 day %dh", n(time.Hour)-24)
	case d >= 6*time.Hour:
		return fmt.Sprintf("%dh", n(time.Hour))
	case d >= time.Hour:
		return fmt.Sprintf("%dh %dmin", n(time.Hour), n(time.Minute)%60)
	case d >= 5*time.Minute:
		return fmt.Sprintf("%dmin", n(time.Minute))
	case d >= time.Minute:
		return fmt.Sprintf("%dmin %ds", n(time.Minute), n(time.Second)%60)
	case d >= time.Second:
		return fmt.Sprintf("%ds", n(time.Second))
	default:
		return fmt.Sprintf("%dms", n(time.Millisecond))
	}
}

// systemdSpan formats a duration like systemd, with millisecond precision.
func systemdSpan(d time.Duration) string {
	s := fmt.Sprintf("%.3fs", (d % time.Minute).Seconds())
	if d >= time.Minute {
		s = fmt.Sprintf("%dmin %s", int(d.Minutes())%60, s)
	}
	if d >= time.Hour {
		s = fmt.Sprintf("%dh %s", int(d.Hours()), s)
	}
	return s
}

// unitAction starts, stops or restarts a unit. It needs root, prints nothing on
// success, and returns only when the unit is up or its start has failed.
func (c *call) unitAction(verb string, u *unit, name string) answer {
	switch {
	case c.user != "root":
		return answer{err: fmt.Sprintf("Failed to %s %s.service: Access denied\nSee system logs and 'systemctl status %s.service' for details.\n", verb, name, name), exit: 4}
	case u == nil:
		return answer{err: fmt.Sprintf("Failed to %s %s.service: Unit %s.service not found.\n", verb, name, name), exit: 5}
	case u.id == "monit":
		return c.monitUnit(verb)
	}
	failures := u.failures
	if verb != "start" {
		u.stop(c.world.now)
	}
	if verb == "stop" {
		return answer{takes: c.took.stop, changes: true}
	}
	u.start(c.world.now)
	return answer{changes: true, settle: func() (answer, bool) {
		switch {
		case u.failures > failures:
			reason := "the control process exited with error code"
			if u.result == "timeout" {
				reason = "a timeout was exceeded"
			}
			return answer{changes: true, exit: 1, err: fmt.Sprintf(
				"Job for %s.service failed because %s.\nSee \"systemctl status %s.service\" and \"journalctl -xeu %s.service\" for details.\n", name, reason, name, name)}, true
		case u.state == unitStarting:
			return answer{}, false
		default:
			return answer{changes: true}, true
		}
	}}
}

func (c *call) monitUnit(verb string) answer {
	d := c.host.monit
	if verb != "start" {
		d.setState(daemonStopped, c.world.now)
	}
	if verb != "stop" && d.state == daemonStopped {
		d.setState(daemonUp, c.world.now)
	}
	return answer{changes: true}
}
