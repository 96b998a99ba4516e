package hostsim

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// disk holds the files and directories that commands can create and remove: intraday data, exports,
// snapshots and backups. Logs are not on the disk, because they are generated from the state of the
// processes.
type disk struct {
	nodes map[string]node
	free  int64 // bytes
}

type node struct {
	dir     bool
	owner   string
	mode    string // "0700" means a directory that only the owner may enter
	text    string
	changed time.Time
}

// newDisk returns the files of an installation: intraday data of a few days,
// and the directories to which the runbooks write.
func newDisk(m *machine, now time.Time) *disk {
	d := &disk{nodes: map[string]node{"/": {dir: true, owner: "root", changed: m.booted}}, free: 75 << 30}
	make := func(owner, dir string) { d.makeAll(dir, owner, m.booted) }
	make("root", "/var")
	make("root", "/etc/sysconfig/illumon.d/monit")
	make("root", "/etc/sysconfig/illumon.d/resources")
	d.put("/etc/sysconfig/illumon.d/resources/iris-common.prop", node{owner: "root", text: "configserver.port=22021\n", changed: m.booted})
	for _, p := range m.procs {
		d.put("/etc/sysconfig/illumon.d/monit/"+p.name+".conf", node{owner: "root", text: "check process " + p.name + "\n", changed: m.booted})
	}
	if m.process("configuration_server") != nil {
		make("root", "/db/TempFiles")
		make("irisadmin", "/db/TempFiles/irisadmin/controller_tool")
		make("irisadmin", "/backup")
		client := "/etc/sysconfig/deephaven/etcd/client/root"
		if m.generation == Legacy {
			client = "/etc/sysconfig/illumon.d/etcd/client/root"
		}
		make("irisadmin", client)
		d.put(client+"/endpoints", node{owner: "irisadmin", changed: m.booted})
	}
	if m.process("db_dis") != nil {
		make("dbmerge", "/db/TempFiles/dbmerge/db_dis")
		make("dbmerge", "/db/Systems/Order/ImportDetails")
		for _, table := range []string{"DbInternal/AuditEventLog", "Order/Event", "Order/Quote"} {
			for back := range 3 {
				day := now.UTC().AddDate(0, 0, -back).Format(time.DateOnly)
				for _, part := range []string{"infra-1_1", "query-1_1"} {
					at := "/db/Intraday/" + table + "/" + part + "/" + day
					make("dbmerge", at)
					d.put(at+"/"+path.Base(table), node{owner: "dbmerge", text: strings.Repeat("x", 20000+7000*back), changed: now})
				}
			}
		}
	}
	return d
}

func (d *disk) put(name string, n node) { d.nodes[name] = n }

// makeAll creates a directory and its missing parents.
func (d *disk) makeAll(dir, owner string, at time.Time) {
	for at1 := dir; at1 != "/"; at1 = path.Dir(at1) {
		if _, there := d.nodes[at1]; !there {
			d.nodes[at1] = node{dir: true, owner: owner, changed: at}
		}
	}
}

// under returns the path of a directory, and all paths below it, sorted.
func (d *disk) under(dir string) []string {
	var out []string
	for name := range d.nodes {
		if name == dir || strings.HasPrefix(name, strings.TrimSuffix(dir, "/")+"/") {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// mayEnter reports whether the user may enter all directories above the path.
func (c *call) mayEnter(name string) bool {
	for at := path.Dir(name); at != "/"; at = path.Dir(at) {
		if n := c.host.disk.nodes[at]; n.mode == "0700" && c.user != "root" && c.user != n.owner {
			return false
		}
	}
	return true
}

// mayWrite reports whether the user may create or remove entries of the
// directory.
func (c *call) mayWrite(dir string) bool {
	n, there := c.host.disk.nodes[dir]
	return there && (c.user == "root" || c.user == n.owner) && c.mayEnter(dir+"/x")
}

// create writes a file, with the rights of the command's user. It returns "", or the error text
// that a tool would print.
func (c *call) create(name, text string) string {
	switch n, there := c.host.disk.nodes[path.Dir(name)]; {
	case !there || !n.dir:
		return "No such file or directory"
	case !c.mayWrite(path.Dir(name)):
		return "Permission denied"
	case int64(len(text)) > c.host.disk.free:
		return "No space left on device"
	}
	c.host.disk.put(name, node{owner: c.user, text: text, changed: c.world.now})
	return ""
}

// lookUp finds a file or directory. If the user may not see it, or it does not exist, the second
// result is the error text that a tool would print.
func (c *call) lookUp(name string) (node, string) {
	n, there := c.host.disk.nodes[path.Clean(name)]
	switch {
	case !c.mayEnter(name):
		return node{}, "Permission denied"
	case !there:
		return node{}, "No such file or directory"
	default:
		return n, ""
	}
}

// onDisk returns the files in a directory, without subdirectories, sorted by path.
func (m *machine) onDisk(dir string) []file {
	var out []file
	for name, n := range m.disk.nodes {
		if path.Dir(name) == dir && name != "/" && !n.dir {
			out = append(out, file{path: name, owner: n.owner, links: 1, changed: n.changed, text: n.text})
		}
	}
	slices.SortFunc(out, func(a, b file) int { return cmp.Compare(a.path, b.path) })
	return out
}

// stat implements `stat -c %s FILE`.
func (c *call) stat(args []string) answer {
	if len(args) > 4 && slices.Equal(args[:4], []string{"-L", "-c", "%i %s %n", "--"}) {
		return c.statFiles(args[4:])
	}
	if len(args) != 3 || args[0] != "-c" || args[1] != "%s" {
		return notSimulated("stat " + strings.Join(args, " "))
	}
	n, wrong := c.lookUp(args[2])
	if wrong != "" {
		return answer{err: fmt.Sprintf("stat: cannot statx '%s': %s\n", args[2], wrong), exit: 1}
	}
	return answer{out: fmt.Sprintln(len(n.text))}
}

// statFiles prints the inode, size and name of each file, and an error for each missing file.
func (c *call) statFiles(names []string) answer {
	var a answer
	for _, name := range names {
		f, wrong := c.read(name)
		if wrong != "" {
			a.err += fmt.Sprintf("stat: cannot statx '%s': %s\n", name, wrong)
			a.exit = 1
			continue
		}
		a.out += fmt.Sprintf("%d %d %s\n", f.inode(), len(f.text), name)
	}
	return a
}

// df implements `df -P -k DIRECTORY`.
func (c *call) df(args []string) answer {
	if len(args) != 3 || args[0] != "-P" || args[1] != "-k" {
		return notSimulated("df " + strings.Join(args, " "))
	}
	if _, wrong := c.lookUp(args[2]); wrong != "" {
		return answer{err: fmt.Sprintf("df: %s: %s\n", args[2], wrong), exit: 1}
	}
	const size = 250 << 20 // KiB
	free := c.host.disk.free >> 10
	return answer{out: fmt.Sprintf("Filesystem     1024-blocks      Used Available Capacity Mounted on\n/dev/sda1 %15d %9d %9d %7d%% /\n",
		int64(size), size-free, free, (size-free)*100/size)}
}

// du implements `du -sh PATH…`.
func (c *call) du(args []string) answer {
	if len(args) < 2 || args[0] != "-sh" {
		return notSimulated("du " + strings.Join(args, " "))
	}
	var a answer
	for _, name := range args[1:] {
		if _, wrong := c.lookUp(name); wrong != "" {
			a.err += fmt.Sprintf("du: cannot access '%s': %s\n", name, wrong)
			a.exit = 1
			continue
		}
		kib := 0
		for _, at := range c.host.disk.under(name) {
			kib += 4 + len(c.host.disk.nodes[at].text)>>10
		}
		a.out += fmt.Sprintf("%dK\t%s\n", kib, name)
	}
	return a
}
