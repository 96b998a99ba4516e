package hostsim

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

const (
	refusal   = "hostsim: not a command of this host"
	toolsDir  = "/usr/illumon/latest/bin"
	noiseLine = "NOTICE: weekly maintenance Sunday 02:00\n"
)

// run executes one command line on a host, without waiting for the duration of the command. It also
// returns the parsed call, which the list of executed commands needs.
func (w *world) run(m *machine, login, line string) (*call, answer) {
	c := &call{world: w, host: m, took: w.took, login: login, user: login, env: map[string]string{}}
	words, err := splitLine(line)
	if err != nil {
		return c, answer{err: refusal + ": " + err.Error() + "\n", exit: 127}
	}
	c.argv = m.expand(words, w.now)
	if a := c.unwrap(); a != nil {
		return c, *a
	}
	return c, c.dispatch()
}

// dispatch runs the command that is left after env, timeout and sudo were removed.
func (c *call) dispatch() answer {
	name, args := c.argv[0], c.argv[1:]
	base, dir := path.Base(name), path.Dir(name)
	there := dir == "." || dir == "/bin" || dir == "/usr/bin"
	run := c.programs()[base]
	if run == nil {
		run, there = c.tools()[base], dir == toolsDir
	}
	if run == nil || !there {
		return c.notFound(name)
	}
	return run(args)
}

// tools returns the simulated programs of Deephaven, by their names in toolsDir.
func (c *call) tools() map[string]func(args []string) answer {
	return map[string]func([]string) answer{
		"dh_monit":         c.dhMonit,
		"etcdctl.sh":       c.etcdctl,
		"dhconfig":         c.dhconfig,
		"iris":             c.iris,
		"backup_deephaven": c.backupDeephaven,
	}
}

// programs returns the simulated programs of the operating system, by name.
func (c *call) programs() map[string]func(args []string) answer {
	return map[string]func([]string) answer{
		"monit":      c.monit,
		"systemctl":  c.systemctl,
		"journalctl": c.journalctl,
		"mysql":      c.mysql,
		"tail":       c.tail,
		"cat":        c.cat,
		"ls":         c.ls,
		"find":       c.find,
		"grep":       c.grep,
		"ps":         c.ps,
		"stat":       c.stat,
		"df":         c.df,
		"du":         c.du,
		"rm":         c.rm,
		"mkdir":      c.mkdir,
		"install":    c.install,
		"mv":         func(args []string) answer { return c.move("mv", args) },
		"cp":         func(args []string) answer { return c.move("cp", args) },
		"curl":       c.curl,
		"true":       func([]string) answer { return answer{} },
		"printf":     c.printf,
		"hostname":   func([]string) answer { return answer{out: c.host.name + "\n"} },
		"whoami":     func([]string) answer { return answer{out: c.user + "\n"} },
		"date":       c.date,
		"sleep":      sleep,
	}
}

// printf prints each word on its own line. It supports only the format "%s\n".
func (c *call) printf(args []string) answer {
	if len(args) < 2 || args[0] != `%s\n` {
		return answer{exit: 1, err: "printf: only '%s\\n' is simulated\n"}
	}
	return answer{out: strings.Join(args[1:], "\n") + "\n"}
}

// notFound returns the error for an unknown command, as the shell, env, timeout or sudo prints it.
func (c *call) notFound(name string) answer {
	switch {
	case c.under == "sudo":
		return answer{err: "sudo: " + name + ": command not found\n", exit: 1}
	case c.under == "env":
		return answer{err: "env: '" + name + "': No such file or directory\n", exit: 127}
	case c.under == "timeout":
		return answer{err: "timeout: failed to run command '" + name + "': No such file or directory\n", exit: 127}
	case strings.Contains(name, "/"):
		return answer{err: "bash: line 1: " + name + ": No such file or directory\n", exit: 127}
	default:
		return answer{err: "bash: line 1: " + name + ": command not found\n", exit: 127}
	}
}

// notSimulated answers a command that a real host supports and this simulator does not. Its
// text differs from any answer of a real host.
func notSimulated(what string) answer {
	return answer{err: "hostsim: " + strings.TrimSpace(what) + " is not simulated\n", exit: 127}
}

// date implements "date", "date -u" and a few format directives, all in UTC.
func (c *call) date(args []string) answer {
	now := c.world.now.UTC()
	args = slices.DeleteFunc(slices.Clone(args), func(a string) bool { return a == "-u" || a == "--utc" })
	if len(args) == 0 {
		return answer{out: now.Format("Mon Jan _2 15:04:05 MST 2006") + "\n"}
	}
	format, ok := strings.CutPrefix(args[0], "+")
	if !ok || len(args) > 1 {
		return notSimulated("date " + strings.Join(args, " "))
	}
	out := strings.NewReplacer(
		"%s", fmt.Sprint(now.Unix()), "%N", fmt.Sprintf("%09d", now.Nanosecond()), "%3N", fmt.Sprintf("%03d", now.Nanosecond()/1e6),
		"%F", now.Format(time.DateOnly), "%T", now.Format(time.TimeOnly), "%z", "+0000", "%Z", "UTC",
		"%Y", now.Format("2006"), "%m", now.Format("01"), "%d", now.Format("02"),
		"%H", now.Format("15"), "%M", now.Format("04"), "%S", now.Format("05"), "%%", "%",
	).Replace(format)
	return answer{out: out + "\n"}
}

// sleep exists to test time limits.
func sleep(args []string) answer {
	if len(args) != 1 {
		return answer{err: "sleep: missing operand\n", exit: 1}
	}
	d, err := shellDuration(args[0])
	if err != nil {
		return answer{err: "sleep: invalid time interval '" + args[0] + "'\n", exit: 1}
	}
	return answer{takes: d}
}

// mysql answers the queries of the runbooks (process-runbooks.md, MariaDB
// section). Its output is tab-separated, as without a terminal.
func (c *call) mysql(args []string) answer {
	database, query := "", ""
	for i := 0; i+1 < len(args); i += 2 {
		switch args[i] {
		case "-D":
			database = args[i+1]
		case "-e":
			query = strings.TrimSuffix(strings.TrimSpace(args[i+1]), ";")
		default:
			return notSimulated("mysql " + args[i])
		}
	}
	switch u := c.host.unit(mariadbID); {
	case u == nil || u.state != unitRunning:
		return answer{err: "ERROR 2002 (HY000): Can't connect to local server through socket '/run/mysqld/mysqld.sock' (2)\n", exit: 1}
	case c.user != "root":
		return answer{err: fmt.Sprintf("ERROR 1045 (28000): Access denied for user '%s'@'localhost' (using password: NO)\n", c.user), exit: 1}
	case database != "" && database != "dbacl_iris":
		return answer{err: fmt.Sprintf("ERROR 1049 (42000): Unknown database '%s'\n", database), exit: 1}
	}
	base, _, _ := strings.Cut(strings.ToLower(strings.Join(strings.Fields(query), " ")), " limit ")
	switch base {
	case "show databases":
		return answer{out: "Database\ndbacl_iris\ninformation_schema\nmysql\nperformance_schema\nsys\n"}
	case "show tables":
		return answer{out: "Tables_in_dbacl_iris\ntableacls\nusers\n"}
	case "select * from tableacls":
		return answer{out: "groupname\tnamespace\ttablename\tfilter\n" +
			"allusers\tDbInternal\tProcessEventLog\tUsernameFilterGenerator()\niris-superusers\t*\t*\tNoFilter()\n"}
	default:
		return notSimulated("mysql -e " + query)
	}
}
