package statustest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"dhbot/internal/remote"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// PID is the pid of the first service. Every other service has another pid.
const PID = 705

// Process is the state of a service according to its supervisor and the host.
type Process struct {
	// Status is the status text. With monit, "" means "OK". With systemd, "" means "active
	// (running)".
	Status string
	// Missing means that the supervisor does not know the service.
	Missing bool
	// PID is the pid that the supervisor reports. 0 means the default pid of the service, and a
	// negative value means no pid. If Gone is true, no process has this pid.
	PID  int
	Gone bool
	// Up is how long the service has been running. 0 means an hour.
	Up time.Duration
	// Stale is how long ago monit last checked the service.
	Stale time.Duration
	// Log has the lines of the service's log. If there are none, the log is unreadable. A line is
	// "AGO LEVEL - TEXT", where AGO is the age of the line. The log file has inode 1000 + Inode.
	Log   []string
	Inode int
}

// World has the state of each service. A key is SERVICE, or SERVICE@HOST for one host.
type World map[string]Process

// of returns the state of a service on a host.
func (w World) of(service, host string) Process {
	p, ok := w[service+"@"+host]
	if !ok {
		p = w[service]
	}
	if p.Up == 0 {
		p.Up = time.Hour
	}
	if p.PID == 0 {
		services, _ := Services()
		p.PID = PID + 1 + slices.Index(services, service)
	}
	return p
}

// Services returns the services of both generations that monit supervises. The map logs has the
// path of each application log, and the service that writes the log.
func Services() (monit []string, logs map[string]string) {
	c := builtin()
	return c.monit, c.logs
}

type known struct {
	monit []string
	logs  map[string]string
}

var builtin = sync.OnceValue(func() known {
	list, err := catalogs.Builtin()
	if err != nil {
		panic(err) // the catalogs are compiled in
	}
	out := known{logs: map[string]string{}}
	for _, c := range list {
		for _, p := range c.Processes() {
			if p.Manager == runbooks.Monit && !slices.Contains(out.monit, p.Service) {
				out.monit = append(out.monit, p.Service)
			}
			for _, path := range p.AppLogs(c.LogRoot) {
				out.logs[path] = p.Service
			}
		}
	}
	return out
})

// Say answers one command.
func (w World) Say(c remote.Command, now time.Time) remote.Result {
	r := remote.Result{Outcome: remote.Answered, Started: now, Ended: now}
	words := strings.Fields(strings.ReplaceAll(c.Sent, "'", ""))
	last := words[len(words)-1]
	has := func(word string) bool { return slices.Contains(words, word) }
	switch {
	case has("systemctl"):
		r.Exit, r.Stdout = w.unit(last, c.Host)
	case has("monit") && last == "summary":
		r.Stdout = Output(w.summary(c.Host))
	case has("monit") && last == "status":
		r.Stdout = Output(w.all(c.Host, now))
	case has("monit"):
		if w.of(last, c.Host).Missing {
			r.Exit, r.Stderr = 1, Output("Service '"+last+"' not found\n")
			return r
		}
		r.Stdout = Output(heading + w.block(last, c.Host, now))
	case has("ps"):
		r.Stdout = Output(w.pids(c.Host, now))
	case has("journalctl"):
		r.Stdout = w.unitLog("dh-etcd", c.Host, now, func(at time.Time, level, text string) string {
			return fmt.Sprintf("%s host etcd[452]: {\"level\":%q,\"ts\":%q,\"msg\":%q}\n",
				at.Format("Jan _2 15:04:05"), strings.ToLower(level), at.Format("2006-01-02T15:04:05.000Z0700"), text)
		})
	case last == "/var/log/mariadb/mariadb.log":
		r.Stdout = w.unitLog("mariadb", c.Host, now, func(at time.Time, level, text string) string {
			return fmt.Sprintf("%s 0 [%s] %s\n", at.Format("2006-01-02 15:04:05"), level, text)
		})
	case has("stat"), has("tail"), has("find"):
		r.Exit, r.Stdout, r.Stderr = w.files(words, c.Host, now)
	case has("df"):
		r.Stdout = Output("Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sda1 103081248 20616248 82465000 20% /\n")
	case has("health"):
		r.Stdout = Output(`[{"endpoint":"https://10.0.0.1:2379","health":true,"took":"6ms"}]` + "\n")
	case has("endpoint"):
		r.Stdout = Output(`[{"Endpoint":"https://10.0.0.1:2379","Status":{"header":{"cluster_id":1,"member_id":1,"revision":9,"raft_term":2},` +
			`"version":"3.4.23","dbSize":16842752,"leader":1,"raftIndex":18,"raftTerm":2,"raftAppliedIndex":18,"dbSizeInUse":16842752}}]` + "\n")
	}
	return r
}

// Output returns a complete output.
func Output(text string) remote.Output {
	return remote.Output{Head: []byte(text), Total: int64(len(text))}
}

const heading = "Monit 5.33.0 uptime: 1d 1m\n\n"

func (w World) block(service, host string, now time.Time) string {
	p := w.of(service, host)
	status := p.Status
	if status == "" {
		status = "OK"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Process '%s'\n  %-28s %s\n", service, "status", status)
	if p.PID > 0 && p.Status != "Not monitored" {
		fmt.Fprintf(&b, "  %-28s %d\n  %-28s %dm\n", "pid", p.PID, "uptime", int(p.Up.Minutes()))
	}
	fmt.Fprintf(&b, "  %-28s %s\n\n", "data collected", now.Add(-p.Stale).In(Zone).Format("Mon, 02 Jan 2006 15:04:05"))
	return b.String()
}

func (w World) all(host string, now time.Time) string {
	services, _ := Services()
	var b strings.Builder
	b.WriteString(heading)
	for _, s := range services {
		if !w.of(s, host).Missing {
			b.WriteString(w.block(s, host, now))
		}
	}
	fmt.Fprintf(&b, "System '%s'\n  %-28s OK\n\n", host, "status")
	return b.String()
}

// summaryWidth is the maximum length of a status in monit's summary. monit cuts off the rest.
const summaryWidth = 26

func (w World) summary(host string) string {
	services, _ := Services()
	var b strings.Builder
	b.WriteString(heading)
	fmt.Fprintf(&b, " %-32s %-26s %s\n", "Service Name", "Status", "Type")
	for _, s := range services {
		p := w.of(s, host)
		said := cmp.Or(p.Status, "OK")
		if len(said) > summaryWidth {
			said = said[:summaryWidth-3] + "..."
		}
		if !p.Missing {
			fmt.Fprintf(&b, " %-32s %-*s  Process\n", s, summaryWidth, said)
		}
	}
	return b.String()
}

func (w World) unit(name, host string) (exit int, out remote.Output) {
	p := w.of(name, host)
	active := p.Status
	if active == "" {
		active = "active (running)"
	}
	text := fmt.Sprintf("● %s.service - x\n     Loaded: loaded (/x; enabled; preset: enabled)\n     Active: %s since Sat 2026-11-21 02:02:01 UTC; %dmin ago\n", name, active, int(p.Up.Minutes()))
	if strings.HasPrefix(active, "active (running)") {
		return 0, Output(text + fmt.Sprintf("   Main PID: %d (x)\n", p.PID))
	}
	return 3, Output(text)
}

func (w World) pids(host string, now time.Time) string {
	var b strings.Builder
	line := func(pid int, age time.Duration) {
		fmt.Fprintf(&b, "%7d %7d %s\n", pid, int(age.Seconds()), now.Add(-age).In(Zone).Format("Mon Jan _2 15:04:05 2006"))
	}
	line(1, 100*time.Hour)
	services, _ := Services()
	for _, s := range services {
		if p := w.of(s, host); !p.Gone && p.PID > 0 {
			line(p.PID, p.Up)
		}
	}
	line(99999, 0)
	return b.String()
}

// Zone is the time zone of the hosts. monit, ps and MariaDB's log show times in this zone, without
// its name. The times in application logs are in UTC, with the offset.
var Zone = time.FixedZone("", -5*60*60)

// unitLog returns the log of a systemd unit. The function line formats each line as the unit's
// program does.
func (w World) unitLog(service, host string, now time.Time, line func(at time.Time, level, text string) string) remote.Output {
	var b strings.Builder
	for _, l := range w.of(service, host).Log {
		ago, rest, _ := strings.Cut(l, " ")
		level, text, _ := strings.Cut(rest, " - ")
		d, err := time.ParseDuration(ago)
		if err != nil {
			panic(err) // an error in the test
		}
		b.WriteString(line(now.Add(-d).In(Zone), level, text))
	}
	return Output(b.String())
}

// files answers the commands stat, tail and find, as if each process had one log file.
func (w World) files(words []string, host string, now time.Time) (exit int, out, err remote.Output) {
	_, logs := Services()
	var text, wrong strings.Builder
	for _, path := range words {
		service, is := logs[path]
		if !is {
			continue
		}
		p := w.of(service, host)
		var log strings.Builder
		for _, l := range p.Log {
			ago, line, _ := strings.Cut(l, " ")
			d, e := time.ParseDuration(ago)
			if e != nil {
				panic(e) // an error in the test
			}
			fmt.Fprintf(&log, "[%s] - %s\n", now.Add(-d).UTC().Format("2006-01-02T15:04:05.000000-0700"), line)
		}
		switch {
		case len(p.Log) == 0:
			exit = 1
			fmt.Fprintf(&wrong, "stat: cannot statx '%s': No such file or directory\n", path)
		case slices.Contains(words, "stat"):
			fmt.Fprintf(&text, "%d %d %s\n", 1000+p.Inode, log.Len(), path)
		default:
			text.WriteString(log.String())
		}
	}
	return exit, Output(text.String()), Output(wrong.String())
}
