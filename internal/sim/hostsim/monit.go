package hostsim

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// monit implements the command line client of monit 5.33. Real monit takes every service name as an
// anchored, case-insensitive regular expression, even in a restart. The simulation does the same,
// so tests detect a caller that sends a pattern.
func (c *call) monit(args []string) answer {
	args = slices.DeleteFunc(slices.Clone(args), func(a string) bool { return a == "-B" || a == "--" })
	if len(args) == 0 {
		return notSimulated("monit without an action")
	}
	if args[0] == "-V" {
		return answer{out: monitVersion}
	}
	if c.user != "root" && c.user != "irisadmin" {
		return answer{err: "Cannot open the control file '/etc/monit/monitrc' -- Permission denied\n", exit: 1}
	}
	name, named := "", len(args) > 1
	if named {
		name = args[1]
	}
	d := c.host.monit
	switch a := action(args[0]); a {
	case "status", "summary", "report":
		if blocked := d.unreachable(c.took); blocked != nil {
			return *blocked
		}
		switch a {
		case "status":
			return c.monitStatus(name)
		case "summary":
			return c.monitSummary(name)
		default:
			return c.monitReport(name)
		}
	case start, stop, restart, monitor, unmonitor:
		return c.monitAction(a, name, named)
	case "reload":
		return c.monitReload()
	default:
		return answer{err: fmt.Sprintf("Invalid argument -- %s  (-h will show valid arguments)\n", args[0]), exit: 1}
	}
}

const monitVersion = `This is Monit version 5.33.0
Built with ssl, with ipv6, with compression, with pam and with large files
Copyright (C) 2001-2022 Tildeslash Ltd. All Rights Reserved.
`

// unreachable returns the error of the monit client if the daemon does not answer.
func (d *supervisor) unreachable(took timing) *answer {
	switch d.state {
	case daemonStopped:
		return &answer{err: "Monit: the monit daemon is not running\n", exit: 1}
	case daemonHung:
		return &answer{err: "Error receiving data -- Resource temporarily unavailable\n", exit: 1, takes: took.hung}
	default:
		return nil
	}
}

// match returns the processes whose name matches the pattern. Like monit, it returns them in the
// reverse order of the control file. system reports whether the pattern also matches the name of
// the host, which has its own entry.
func (m *machine) match(pattern string) (procs []*process, system bool) {
	re, err := regexp.Compile("(?i)^(?:" + pattern + ")$")
	if err != nil {
		return nil, false
	}
	for _, p := range slices.Backward(m.procs) {
		if re.MatchString(p.name) {
			procs = append(procs, p)
		}
	}
	return procs, re.MatchString(m.name)
}

// monitStatus implements `monit status`. An empty name means all services.
func (c *call) monitStatus(name string) answer {
	procs, system := c.host.match(name)
	if name == "" {
		procs, system = c.host.match(".*")
	}
	if len(procs) == 0 && !system {
		return answer{err: fmt.Sprintf("Service '%s' not found\n", name), exit: 1}
	}
	var b strings.Builder
	b.WriteString(c.monitHeading())
	for _, p := range procs {
		b.WriteString("\n" + p.block(c.host))
	}
	if system {
		b.WriteString("\n" + c.systemBlock())
	}
	b.WriteString("\n")
	return answer{out: b.String()}
}

func (c *call) monitHeading() string {
	return "Monit 5.33.0 uptime: " + monitAge(c.world.now.Sub(c.host.monit.booted)) + "\n"
}

// monitAge formats a duration like monit, in whole minutes.
func monitAge(d time.Duration) string {
	min := int(d.Minutes())
	days, hours := min/1440, min/60%24
	s := fmt.Sprintf("%dm", min%60)
	if hours > 0 || days > 0 {
		s = fmt.Sprintf("%dh ", hours) + s
	}
	if days > 0 {
		s = fmt.Sprintf("%dd ", days) + s
	}
	return s
}

func monitTime(t time.Time) string { return t.UTC().Format("Mon, 02 Jan 2006 15:04:05") }

// status returns the text of monit's status line.
func (p *process) status() string {
	var s string
	switch p.mode {
	case notMonitored:
		s = "Not monitored"
	case initializing:
		s = "Initializing"
	case monitored:
		s = p.trouble()
	}
	if p.pending != noAction {
		s += " - " + string(p.pending) + " pending"
	}
	return s
}

func (p *process) trouble() string {
	var texts []string
	for _, t := range []struct {
		is   bool
		text string
	}{
		{p.failed, "Execution failed"},
		{p.missing, "Does not exist"},
		{p.resource, "Resource limit matched"},
		{p.noPort, "Connection failed"},
	} {
		if t.is {
			texts = append(texts, t.text)
		}
	}
	if len(texts) == 0 {
		return "OK"
	}
	return strings.Join(texts, " | ")
}

func field(b *strings.Builder, name, value string) { fmt.Fprintf(b, "  %-28s %s\n", name, value) }

// block returns the lines about one process in the output of `monit status`.
func (p *process) block(m *machine) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Process '%s'\n", p.name)
	field(&b, "status", p.status())
	field(&b, "monitoring status", map[monitoring]string{notMonitored: "Not monitored", initializing: "Initializing", monitored: "Monitored"}[p.mode])
	field(&b, "monitoring mode", "active")
	field(&b, "on reboot", "start")
	if p.mode == monitored && p.seen.pid != 0 {
		p.details(&b, m)
	}
	field(&b, "data collected", monitTime(p.seen.at))
	return b.String()
}

// details prints the lines that `monit status` shows only for a running process.
func (p *process) details(b *strings.Builder, m *machine) {
	uid := map[string]string{"irisadmin": "9001", "dbquery": "9002", "dbmerge": "9004"}[p.user]
	cpu := "-"
	if p.seen.looks > 1 {
		cpu = "0.2%"
	}
	memory := "0.0% [8.9 MB]"
	if p.resource {
		memory = "41.2% [9.9 GB]"
	}
	for _, l := range [][2]string{
		{"pid", fmt.Sprint(p.seen.pid)}, {"parent pid", "1"}, {"uid", uid}, {"effective uid", uid}, {"gid", uid},
		{"uptime", monitAge(p.seen.at.Sub(p.seen.born))}, {"threads", "1"}, {"children", "0"},
		{"cpu", cpu}, {"cpu total", cpu}, {"memory", memory}, {"memory total", memory}, {"security attribute", "-"},
		{"filedescriptors", "5 [0.5% of 1024 limit]"}, {"total filedescriptors", "5"},
		{"read bytes", "0 B/s [184.0 kB total]"}, {"disk read bytes", "0 B/s [0 B total]"},
		{"disk read operations", "0.0 reads/s [107 reads total]"}, {"write bytes", "0 B/s [528 B total]"},
		{"disk write bytes", "0 B/s [12 kB total]"}, {"disk write operations", "0.0 writes/s [8 writes total]"},
	} {
		field(b, l[0], l[1])
	}
	switch {
	case p.noPort:
		field(b, "port response time", fmt.Sprintf("FAILED to [%s]:%d type TCP/IP protocol DEFAULT", m.ip(), p.port))
	case p.name == "web_api_service" && p.seen.at.Sub(p.seen.born) < p.took.program:
		field(b, "port response time", "-")
	case p.name == "web_api_service":
		field(b, "port response time", fmt.Sprintf("0.109 ms to %s:%d type TCP/IP protocol DEFAULT", m.ip(), p.port))
	}
}

func (c *call) systemBlock() string {
	var b strings.Builder
	m := c.host
	fmt.Fprintf(&b, "System '%s'\n", m.name)
	for _, l := range [][2]string{
		{"status", "OK"}, {"monitoring status", "Monitored"}, {"monitoring mode", "active"}, {"on reboot", "start"},
		{"load average", "[0.16] [0.15] [0.11]"},
		{"cpu", "2.1%usr 1.1%sys 0.0%nice 0.0%iowait 0.0%hardirq 0.0%softirq 0.0%steal 0.0%guest 0.0%guestnice "},
		{"memory usage", "751.1 MB [3.1%]"}, {"swap usage", "0 B [0.0%]"},
		{"uptime", monitAge(c.world.now.Sub(m.booted))}, {"boot time", monitTime(m.booted)},
		{"filedescriptors", "2883 [0.0% of 9223372036854775807 limit]"}, {"data collected", monitTime(c.world.now)},
	} {
		field(&b, l[0], l[1])
	}
	return b.String()
}

// monitSummary implements `monit summary`. Like real monit, it cuts a longer status to 26
// characters, of which the last three are dots.
func (c *call) monitSummary(name string) answer {
	procs, system := c.host.match(name)
	if name == "" {
		procs, _ = c.host.match(".*")
		system = true
	}
	if len(procs) == 0 && !system {
		return answer{err: fmt.Sprintf("Service '%s' not found\n", name), exit: 1}
	}
	var b strings.Builder
	row := func(name, status, kind string) {
		if len(status) > 26 {
			status = status[:23] + "..."
		}
		fmt.Fprintf(&b, " %-32s %-27s %-14s\n", name, status, kind)
	}
	b.WriteString(c.monitHeading())
	row("Service Name", "Status", "Type")
	if system {
		row(c.host.name, "OK", "System")
	}
	for _, p := range procs {
		row(p.name, p.status(), "Process")
	}
	return answer{out: b.String()}
}

// monitReport implements `monit report`, which counts services. The entry of the host itself counts
// as up.
func (c *call) monitReport(kind string) answer {
	up, down, starting, off := 1, 0, 0, 0
	for _, p := range c.host.procs {
		switch {
		case p.mode == notMonitored:
			off++
		case p.mode == initializing:
			starting++
		case p.trouble() == "OK":
			up++
		default:
			down++
		}
	}
	total := len(c.host.procs) + 1
	counts := map[string]int{"up": up, "down": down, "initialising": starting, "unmonitored": off, "total": total}
	if kind != "" {
		n, ok := counts[kind]
		if !ok {
			return answer{err: fmt.Sprintf("Invalid report type: '%s'\n", kind), exit: 1}
		}
		return answer{out: fmt.Sprintln(n)}
	}
	var b strings.Builder
	for _, k := range []string{"up", "down", "initialising", "unmonitored"} {
		fmt.Fprintf(&b, "%-13s %3d (%.1f%%)\n", k+":", counts[k], 100*float64(counts[k])/float64(total))
	}
	fmt.Fprintf(&b, "%-13s %3d services\n", "total:", total)
	return answer{out: b.String()}
}
