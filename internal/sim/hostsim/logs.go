package hostsim

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// logRoot is the parent of the processes' log directories.
const logRoot = "/var/log/deephaven"

// slice is the time span that one application log file covers. The file ".log.current" is a hard
// link to the newest file.
const slice = 15 * time.Minute

// keptLines is the number of lines that are kept when a log becomes too long.
const keptLines = 3000

// appLog is the log of an application. Its lines are spread over several files.
type appLog struct {
	lines []logLine
	file  time.Time // start of the open file
	from  time.Time // older lines are not kept
}

type logLine struct {
	file time.Time
	text string
	at   time.Time
}

// open begins a new log file, because the process starts.
func (l *appLog) open(at time.Time) { l.file = at }

// skipTo makes the log ignore later added lines whose time is before t.
func (l *appLog) skipTo(t time.Time) { l.from = t }

func (l *appLog) add(at time.Time, level, text string) {
	if at.Before(l.from) {
		return
	}
	if slot := at.Truncate(slice); slot.After(l.file) {
		l.file = slot
	}
	stamp := at.UTC().Format("2006-01-02T15:04:05.000000-0700")
	l.lines = append(l.lines, logLine{l.file, fmt.Sprintf("[%s] - %s - %s\n", stamp, level, text), at})
	if len(l.lines) > 2*keptLines {
		l.lines = slices.Clone(l.lines[len(l.lines)-keptLines:])
	}
}

// stdoutLog is the standard output of a process. Its file is named after the day on which the
// process started.
type stdoutLog struct {
	days []stdoutDay
}

type stdoutDay struct {
	day  string
	last time.Time
	text string
}

func (l *stdoutLog) open(at time.Time) {
	day := at.UTC().Format(time.DateOnly)
	if len(l.days) == 0 || l.days[len(l.days)-1].day != day {
		l.days = append(l.days, stdoutDay{day: day})
	}
}

func (l *stdoutLog) add(at time.Time, text string) {
	if len(l.days) == 0 {
		l.open(at)
	}
	d := &l.days[len(l.days)-1]
	d.last = at
	d.text += at.UTC().Format(time.DateTime) + " " + text + "\n"
	d.text = d.text[max(0, len(d.text)-1<<16):]
}

// file is one file on a host.
type file struct {
	path, owner string
	group       string // "" means the group of the owner
	private     bool   // only root may read it
	links       int
	changed     time.Time
	text        string
	second      string // the other name of a file with two links
}

// inode returns the same number for both names of a file.
func (f file) inode() uint64 {
	h := fnv.New64a()
	io.WriteString(h, cmp.Or(f.second, f.path))
	return h.Sum64() >> 16
}

// files lists the files of a directory, sorted by name.
func (m *machine) files(dir string, now time.Time) []file {
	return append(m.logFiles(dir, now), m.onDisk(dir)...)
}

// logFiles lists the files in a log directory, sorted by name.
func (m *machine) logFiles(dir string, now time.Time) []file {
	var out []file
	for _, p := range m.procs {
		if p.logDir() == dir {
			out = append(out, p.files(now)...)
		}
	}
	switch dir {
	case "/var/log":
		text := strings.Join(m.monit.log, "\n")
		if text != "" {
			text += "\n"
		}
		out = append(out, file{path: "/var/log/monit.log", owner: "root", private: true, links: 1, changed: now, text: text})
	case "/var/log/mariadb":
		if u := m.unit(mariadbID); u != nil && u.enabled {
			out = append(out, u.mariadbLog())
		}
	case "/var/log/lighttpd":
		if m.process("client_update_service") != nil {
			out = append(out,
				file{path: dir + "/cus-access.log", owner: "root", private: true, links: 1, changed: m.booted},
				file{path: dir + "/cus-error.log", owner: "root", private: true, links: 1, changed: m.booted,
					text: m.booted.UTC().Format(time.DateTime) + ": (server.c.1551) server started (lighttpd/1.4.69)\n"})
		}
	}
	slices.SortFunc(out, func(a, b file) int { return cmp.Compare(a.path, b.path) })
	return out
}

func (u *unit) mariadbLog() file {
	f := file{path: "/var/log/mariadb/mariadb.log", owner: "mysql", private: true, links: 1, changed: u.since}
	for _, l := range u.journal {
		if text, ok := strings.CutPrefix(l.text, "Started "); ok && text != "" {
			f.text += l.at.UTC().Format("2006-01-02 15:04:05") + " 0 [Note] /usr/sbin/mariadbd: ready for connections.\n"
		}
	}
	return f
}

func (p *process) logDir() string { return logRoot + "/" + p.dir }

// files returns the log files of a process. These are the files of its application log, the link to
// the newest of them, and its stdout logs, including three older days.
func (p *process) files(now time.Time) []file {
	base := p.logDir() + "/" + p.class + ".log."
	var out []file
	lines := p.log.lines
	for len(lines) > 0 {
		end := slices.IndexFunc(lines, func(l logLine) bool { return !l.file.Equal(lines[0].file) })
		if end < 0 {
			end = len(lines)
		}
		var text strings.Builder
		for _, l := range lines[:end] {
			text.WriteString(l.text)
		}
		out = append(out, file{
			path:  base + lines[0].file.UTC().Format("2006-01-02-150405") + ".000+0000",
			owner: p.user, links: 1, changed: lines[end-1].at, text: text.String(),
		})
		lines = lines[end:]
	}
	if n := len(out); n > 0 {
		out[n-1].links = 2
		current := out[n-1]
		current.path, current.second = base+"current", current.path
		out = append(out, current)
	}
	for back := 3; back > 0; back-- {
		day := now.UTC().AddDate(0, 0, -back).Truncate(24 * time.Hour)
		began := day.Add(6 * time.Hour)
		if p.stdout.has(day.Format(time.DateOnly)) {
			continue
		}
		out = append(out, file{
			path: p.logDir() + "/" + p.name + ".log." + day.Format(time.DateOnly), owner: p.user, links: 1, changed: day.Add(24*time.Hour - time.Minute),
			text: fmt.Sprintf("%s Starting %s pid %d\n%s %s is up\n", began.Format(time.DateTime), p.name, 300-back, began.Add(time.Second).Format(time.DateTime), p.name),
		})
	}
	for _, d := range p.stdout.days {
		out = append(out, file{path: p.logDir() + "/" + p.name + ".log." + d.day, owner: p.user, group: "root", links: 1, changed: d.last, text: d.text})
	}
	return out
}

func (l *stdoutLog) has(day string) bool {
	return slices.ContainsFunc(l.days, func(d stdoutDay) bool { return d.day == day })
}

// read returns a file. The second result is "", or the part of a tool's error message after the
// path.
func (c *call) read(name string) (file, string) {
	all := c.host.files(path.Dir(name), c.world.now)
	i := slices.IndexFunc(all, func(f file) bool { return f.path == name })
	switch {
	case i < 0:
		return file{}, "No such file or directory"
	case all[i].private && c.user != "root" || !c.mayEnter(name):
		return file{}, "Permission denied"
	default:
		return all[i], ""
	}
}

func (c *call) cat(args []string) answer {
	var a answer
	for _, name := range args {
		f, wrong := c.read(name)
		if wrong != "" {
			a.err += "cat: " + name + ": " + wrong + "\n"
			a.exit = 1
		}
		a.out += f.text
	}
	return a
}

// tail implements the options "-n N" and "-N", and for a single file "-c N" and "-c +N". If there
// are several files, it prints a heading before each, unless the first option is "-q".
func (c *call) tail(args []string) answer {
	if len(args) == 4 && args[0] == "-c" && args[2] == "--" {
		return c.tailBytes(args[1], args[3])
	}
	quiet := len(args) > 0 && args[0] == "-q"
	if quiet {
		args = args[1:]
	}
	count, args := tailCount(args)
	if count < 0 {
		return notSimulated("tail with these options")
	}
	var a answer
	for i, name := range args {
		f, wrong := c.read(name)
		if wrong != "" {
			a.err += "tail: cannot open '" + name + "' for reading: " + wrong + "\n"
			a.exit = 1
			continue
		}
		if len(args) > 1 && !quiet {
			if i > 0 {
				a.out += "\n"
			}
			a.out += "==> " + name + " <==\n"
		}
		lines := strings.SplitAfter(f.text, "\n")
		if n := len(lines); n > 0 && lines[n-1] == "" {
			lines = lines[:n-1]
		}
		a.out += strings.Join(lines[max(0, len(lines)-count):], "")
	}
	return a
}

// tailBytes prints the last bytes of a file, or all bytes from an offset.
func (c *call) tailBytes(count, name string) answer {
	n, err := strconv.Atoi(strings.TrimPrefix(count, "+"))
	if err != nil || n < 0 {
		return answer{err: "tail: invalid number of bytes: '" + count + "'\n", exit: 1}
	}
	f, wrong := c.read(name)
	if wrong != "" {
		return answer{err: "tail: cannot open '" + name + "' for reading: " + wrong + "\n", exit: 1}
	}
	from := max(0, len(f.text)-n)
	if strings.HasPrefix(count, "+") {
		from = min(len(f.text), max(0, n-1))
	}
	return answer{out: f.text[from:]}
}

// tailCount parses the option for the number of lines, and returns the number and the remaining
// arguments. The default is 10. For an invalid number it returns -1.
func tailCount(args []string) (int, []string) {
	value, rest := "10", args
	switch {
	case len(args) > 1 && args[0] == "-n":
		value, rest = args[1], args[2:]
	case len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' && args[0] != "--":
		value, rest = strings.TrimPrefix(strings.TrimPrefix(args[0], "-n"), "-"), args[1:]
	}
	if len(rest) > 0 && rest[0] == "--" {
		rest = rest[1:]
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		return -1, rest
	}
	return n, rest
}
