package planner

import (
	"strconv"
	"time"

	"dhbot/internal/fleet"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// readTimeout limits a read of a whole host. It is as long as for the status of one process in
// the catalogs.
const readTimeout = 15 * time.Second

// The two lines of the runbook pages on which the reads are based. One is about the status of a
// process, the other about its log.
const (
	statusPage = "process-runbooks.md:28"
	logPage    = "process-runbooks.md:34"
)

// origin says on which line of the pages a read is based, and how the read differs from that
// line.
type origin struct{ page, corrected string }

// HostReads are the reads of a whole host, for several of its processes at once. None of
// their words come from a user.
type HostReads struct {
	catalog *catalogs.Catalog
	host    *fleet.Host
}

// ReadsOf returns the reads of a host.
func ReadsOf(c *catalogs.Catalog, h *fleet.Host) HostReads { return HostReads{c, h} }

// Monit returns the step that reads the status of all services in monit. The runbooks query one
// service at a time (process-runbooks.md:28). Without a name, the same command returns all
// services.
func (r HostReads) Monit() (runbooks.Step, error) {
	return r.read(
		"ask monit for every service", origin{statusPage, "for every service at once"}, append(r.monit(), "status")...)
}

func (r HostReads) monit() []string {
	s := catalogs.Binding{Catalog: r.catalog, Host: r.host}
	var argv []string
	for _, f := range s.Several("monit") {
		argv = append(argv, f.Text)
	}
	return argv
}

// Pids lists every process of the host with its pid, its age in seconds, and its start in the
// host's local time. Age and start together give the time on the host's clock.
func (r HostReads) Pids() (runbooks.Step, error) {
	return r.read(
		"list the processes", origin{statusPage, "whether the pid that monit names still runs"}, "ps", "-e", "-o", "pid=,etimes=,lstart=")
}

// StatLogs prints inode, size and path of log files. For a link, these are the values of
// the target.
func (r HostReads) StatLogs(files []string) (runbooks.Step, error) {
	return r.read(
		"see which logs have grown", origin{logPage, "the inode and size of the files, before their content is read"},
		append([]string{"stat", "-L", "-c", "%i %s %n", "--"}, files...)...,
	)
}

// AppLogs returns the possible paths of a process's application log on the host.
func (r HostReads) AppLogs(p *catalogs.Process) []string {
	s := catalogs.Binding{Catalog: r.catalog, Host: r.host}
	return p.AppLogs(s.LogRoot())
}

// Slices lists the files of a process's application log.
func (r HostReads) Slices(p *catalogs.Process) (runbooks.Step, error) {
	s := catalogs.Binding{Catalog: r.catalog, Host: r.host}
	argv := []string{"find", s.LogRoot() + "/" + p.Logs.Dir, "-maxdepth", "1", "-type", "f"}
	return r.read("list the files of a log", origin{logPage, "lists the file names before their content is read"}, append(argv, p.Slices()...)...)
}

// LogFrom prints a file from a byte offset to its end. The first byte of the file has offset 0.
func (r HostReads) LogFrom(file string, offset int64) (runbooks.Step, error) {
	return r.read(
		"read what was added to a log",
		origin{logPage, "only what was added"},
		"tail",
		"-c",
		"+"+strconv.FormatInt(offset+1, 10),
		"--",
		file,
	)
}

// LogEnd prints the last bytes of a file.
func (r HostReads) LogEnd(file string, bytes int64) (runbooks.Step, error) {
	return r.read("read the end of a log", origin{logPage, "only the end"}, "tail", "-c", strconv.FormatInt(bytes, 10), "--", file)
}

// Usage prints the state of a process, its age in seconds, its resident memory in KiB, and its
// number of threads.
func (r HostReads) Usage(pid int) (runbooks.Step, error) {
	return r.read(
		"see how a process runs", origin{statusPage, "memory and state of the pid that monit names"},
		"ps", "-o", "stat=,etimes=,rss=,nlwp=", "-p", strconv.Itoa(pid),
	)
}

// LastLines prints the last lines of files. Some of the files may be missing.
func (r HostReads) LastLines(files []string, n int) (runbooks.Step, error) {
	return r.read(
		"read the last lines of a log", origin{logPage, "only the last lines"},
		append([]string{"tail", "-q", "-n", strconv.Itoa(n), "--"}, files...)...,
	)
}

// ThreadDump prints the thread stacks of a process. It uses the program that the host's config
// names.
func (r HostReads) ThreadDump(p *catalogs.Process, pid int) (runbooks.Step, error) {
	return r.read(
		"take a thread dump", origin{statusPage, "the pages have no thread dump"},
		"sudo", "-u", p.User, r.host.ThreadDump, strconv.Itoa(pid),
	)
}

// threadDumps returns the commands of ThreadDump for the host.
func (r HostReads) threadDumps() (out []HostCommand) {
	users := map[string]bool{}
	for _, p := range r.catalog.Processes() {
		if r.host.ThreadDump == "" || p.Manager != runbooks.Monit || !r.host.Runs(p.ID) || users[p.User] {
			continue
		}
		users[p.User] = true
		cmd := HostCommand{
			Action:    "thread dump",
			Class:     runbooks.Read,
			Kind:      runbooks.Wait,
			Source:    statusPage,
			Corrected: "the pages have no thread dump",
		}
		for _, w := range []string{"sudo", "-u", p.User, r.host.ThreadDump} {
			cmd.Words = append(cmd.Words, HostWord{Parts: []HostPart{{Text: w}}, Most: 1})
		}
		cmd.Words = append(cmd.Words, HostWord{Parts: []HostPart{{Pattern: "[1-9][0-9]{0,9}"}}, Most: 1})
		out = append(out, cmd)
	}
	return out
}

// read returns a step that changes nothing.
func (r HostReads) read(title string, from origin, argv ...string) (runbooks.Step, error) {
	line, err := runbooks.Quote(argv)
	if err != nil {
		return runbooks.Step{}, err
	}
	sent, err := runbooks.Wrap(r.host, argv, readTimeout)
	if err != nil {
		return runbooks.Step{}, err
	}
	return runbooks.Step{
		Kind:      runbooks.Wait,
		Title:     title,
		Until:     runbooks.Shown,
		Host:      r.host.Name,
		Address:   r.host.Address,
		Login:     r.host.Login,
		Command:   line,
		Sent:      sent,
		Timeout:   runbooks.Duration(readTimeout),
		Within:    runbooks.Duration(readTimeout),
		Source:    from.page,
		Corrected: from.corrected,
	}, nil
}

// monitCommand returns the command of Monit. Of the reads in this file, only Monit and ThreadDump
// may need sudo.
func (r HostReads) monitCommand() HostCommand {
	cmd := HostCommand{
		Action:    "status",
		Class:     runbooks.Read,
		Kind:      runbooks.Wait,
		Source:    statusPage,
		Corrected: "for every service at once",
	}
	for _, w := range append(r.monit(), "status") {
		cmd.Words = append(cmd.Words, HostWord{Parts: []HostPart{{Text: w}}, Most: 1})
	}
	return cmd
}
