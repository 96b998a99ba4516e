package discover

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"dhbot/internal/fleet"
	"dhbot/internal/observe"
	"dhbot/internal/remote"
	"dhbot/internal/sudoers"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// Found is what was found on one host.
type Found struct {
	Host fleet.Host // with its processes, and settings that differ from the catalog
	// SudoVersion is the version of the host's sudo if that sudo does not support regular
	// expressions, otherwise "".
	SudoVersion string
	// Unknown are services that are not in the catalog, for example "monit foo".
	Unknown []string
	// Notes are texts about problems, such as a failed query, with the fix.
	Notes []string
}

// timeout limits one command.
const timeout = 20 * time.Second

// Host finds the processes of one host. It returns an error if the host does not answer the queries
// of monit and systemd, and then there is no usable result. If the monit command fails on the
// host, Host only adds a note.
func Host(ctx context.Context, on remote.Runner, cat *catalogs.Catalog, h fleet.Host) (Found, error) {
	f := Found{Host: h}
	if err := f.askMonit(ctx, on, cat); err != nil {
		return f, err
	}
	if err := f.askSystemd(ctx, on, cat); err != nil {
		return f, err
	}
	f.askEtcdFiles(ctx, on, cat)
	f.askSudo(ctx, on)
	f.order(cat)
	return f, nil
}

func ask(ctx context.Context, on remote.Runner, h fleet.Host, argv ...string) (remote.Result, error) {
	sent, err := runbooks.Wrap(&h, argv, timeout)
	if err != nil {
		return remote.Result{}, err
	}
	r := on.Run(ctx, remote.Command{Host: h.Name, Address: h.Address, Login: h.Login, Via: h.Via, Sent: sent, Timeout: timeout})
	if r.Outcome != remote.Answered {
		return r, fmt.Errorf("%s: %s: %s", strings.Join(argv, " "), r.Outcome, r.Detail)
	}
	return r, nil
}

// askMonit reads the services of monit.
func (f *Found) askMonit(ctx context.Context, on remote.Runner, cat *catalogs.Catalog) error {
	monit := cat.Monit
	if len(f.Host.Monit) > 0 {
		monit = f.Host.Monit
	}
	argv := append(slices.Clone(monit), "summary")
	r, err := ask(ctx, on, f.Host, argv...)
	if err != nil {
		return err
	}
	if !r.OK() {
		f.Notes = append(f.Notes, fmt.Sprintf("`%s` ended with %d: %s; give %s the sudo rules that bot sudoers prints, or set the monit command in monit:",
			strings.Join(argv, " "), r.Exit, firstLine(r), f.Host.Login))
		return nil
	}
	for _, row := range observe.ParseSummary(r.Stdout.String()) {
		if row.Type != "Process" {
			continue
		}
		if p, known := byService(cat, runbooks.Monit, row.Name); known {
			f.Host.Processes = append(f.Host.Processes, p.ID)
		} else {
			f.Unknown = append(f.Unknown, "monit "+row.Name)
		}
	}
	return nil
}

func firstLine(r remote.Result) string {
	line, _, _ := strings.Cut(strings.TrimSpace(r.Stderr.String()+"\n"+r.Stdout.String()), "\n")
	return line
}

func byService(cat *catalogs.Catalog, manager runbooks.Manager, service string) (catalogs.Process, bool) {
	for _, p := range cat.Processes() {
		if p.Manager == manager && p.Service == service {
			return p, true
		}
	}
	return catalogs.Process{}, false
}

// askSystemd looks for the units in the catalog. It skips units that neither run nor are enabled,
// because a package may install a unit that is not used.
func (f *Found) askSystemd(ctx context.Context, on remote.Runner, cat *catalogs.Catalog) error {
	for _, p := range cat.Processes() {
		if p.Manager == runbooks.Monit {
			continue
		}
		r, err := ask(ctx, on, f.Host, "systemctl", "show", "-p", "LoadState", "-p", "ActiveState", "-p", "UnitFileState", p.Service)
		if err != nil {
			return err
		}
		out := r.Stdout.String()
		if !r.OK() || !strings.Contains(out, "LoadState=loaded") {
			continue
		}
		if strings.Contains(out, "ActiveState=inactive") && !strings.Contains(out, "UnitFileState=enabled") {
			f.Notes = append(f.Notes, fmt.Sprintf("unit %s is installed, but neither running nor enabled: %s is left out", p.Service, p.ID))
			continue
		}
		f.Host.Processes = append(f.Host.Processes, p.ID)
	}
	return nil
}

// clientDirs are the directories in which Deephaven's installers put etcd's client files.
var clientDirs = []string{"/etc/sysconfig/deephaven/etcd/client", "/etc/sysconfig/illumon.d/etcd/client"}

// askEtcdFiles looks for the directory of etcd's client files, in case it differs from the
// catalog's directory.
func (f *Found) askEtcdFiles(ctx context.Context, on remote.Runner, cat *catalogs.Catalog) {
	if !slices.Contains(f.Host.Processes, "etcd") {
		return
	}
	dirs := append([]string{cat.EtcdClientDir}, clientDirs...)
	for _, dir := range dirs {
		// List the parent directory, which every account can read. The directory itself may not be
		// readable.
		r, err := ask(ctx, on, f.Host, "ls", "-1", path.Dir(dir))
		if err != nil || !r.OK() || !slices.Contains(strings.Fields(r.Stdout.String()), path.Base(dir)) {
			continue
		}
		if dir != cat.EtcdClientDir {
			f.Host.EtcdClientDir = dir
		}
		return
	}
	f.Notes = append(f.Notes, "no directory with etcd's client files was found: name it in etcd_client_dir")
}

// askSudo reads the version of sudo, because a sudo without regular expressions needs the wrapper.
func (f *Found) askSudo(ctx context.Context, on remote.Runner) {
	r, err := ask(ctx, on, f.Host, sudoers.VersionCommand...)
	if err != nil || !r.OK() {
		return // the commands that need sudo have reported the problem
	}
	version, reads, err := sudoers.ReadVersion(r.Stdout.String())
	switch {
	case err != nil:
		f.Notes = append(f.Notes, err.Error())
	case !reads:
		f.Host.OldSudo, f.SudoVersion = true, version
	}
}

// order sorts the processes in the catalog's order and removes duplicates.
func (f *Found) order(cat *catalogs.Catalog) {
	var out []string
	for _, p := range cat.Processes() {
		if slices.Contains(f.Host.Processes, p.ID) {
			out = append(out, p.ID)
		}
	}
	f.Host.Processes = out
	slices.Sort(f.Unknown)
}
